import { describe, expect, test } from "vitest";
import { type AdvertisementFields, encodeAdvertisement, type Rejection } from "../../src/vrrp/advertisement.ts";
import { expectations } from "../../src/vrrp/derive.ts";
import type { InstanceParameters } from "../../src/vrrp/parameters.ts";
import { type Accepted, type Datagram, receive } from "../../src/vrrp/reception.ts";
import { allVrrpRouters4, allVrrpRouters6 } from "../../src/wire/address.ts";
import { address, addressList, altered, source4, source6, v2Fields, v3Fields, v6Fields } from "../support/packets.ts";
import { dualStack, instance, virtualAddress } from "./samples.ts";

const own4 = address("192.0.2.12");
const own6 = address("fe80::12");
const list6 = addressList("fe80::51", "2001:db8::51");
const fields6: AdvertisementFields = { ...v6Fields, addressBytes: list6 };

function datagram4(pdu: Uint8Array, changes: Partial<Datagram> = {}): Datagram {
  return { source: source4, destination: allVrrpRouters4, ttl: 255, pdu, ...changes };
}

function datagram6(pdu: Uint8Array, changes: Partial<Datagram> = {}): Datagram {
  return { source: source6, destination: allVrrpRouters6, ttl: 255, pdu, ...changes };
}

function hear4(datagram: Datagram, changes: Partial<InstanceParameters> = {}): Accepted | Rejection {
  return receive(datagram, expectations(instance(changes), 4, own4));
}

function hear6(datagram: Datagram, changes: Partial<InstanceParameters> = {}): Accepted | Rejection {
  return receive(datagram, expectations(dualStack(changes), 6, own6));
}

const version2 = { version: 2, checkAddressList: true } as const;
const password = { ...version2, password: "secret" } as const;
const unicast = { unicastPeers: [{ address: "192.0.2.11", minTtl: 254, maxTtl: 255 }] } as const;
const text = (data: string) => ({ authentication: { type: 1, data: new TextEncoder().encode(data) } });
const stranger = address("192.0.2.99");
const good3 = encodeAdvertisement(v3Fields);

describe("a valid advertisement", () => {
  test("passes, version 3 over IPv4", () => {
    expect(hear4(datagram4(good3))).toMatchObject({
      advertisement: { version: 3, vrid: 51, priority: 100, interval: 1000 },
      intervalDiffers: false,
      addressListDiffers: false,
    });
  });

  test("passes, version 3 over IPv6", () => {
    expect(hear6(datagram6(encodeAdvertisement(fields6)))).toMatchObject({
      intervalDiffers: false,
      addressListDiffers: false,
    });
  });

  test("passes, version 2 without and with a password", () => {
    expect(hear4(datagram4(encodeAdvertisement(v2Fields)), version2)).toMatchObject({ advertisement: { version: 2 } });
    const pdu = encodeAdvertisement({ ...v2Fields, ...text("secret") });
    expect(hear4(datagram4(pdu), password)).toMatchObject({ advertisement: { authenticationType: 1 } });
  });

  test("passes whatever stands in the reserved nibble", () => {
    expect(hear4(datagram4(altered(v3Fields, { 4: 0xf0 })))).toMatchObject({
      advertisement: { interval: 1000 },
      intervalDiffers: false,
    });
  });

  test("passes when its IPv6 source is not link-local: nothing asks for that", () => {
    const source = address("2001:db8::11");
    expect(hear6(datagram6(encodeAdvertisement({ ...fields6, source }), { source }))).toMatchObject({
      intervalDiffers: false,
    });
  });
});

describe("one wrong thing", () => {
  test.each<readonly [Rejection, string, () => Accepted | Rejection]>([
    ["ttl", "TTL 254", () => hear4(datagram4(good3, { ttl: 254 }))],
    ["ttl", "TTL 0", () => hear4(datagram4(good3, { ttl: 0 }))],
    ["ttl", "hop limit unknown", () => hear6(datagram6(encodeAdvertisement(fields6), { ttl: -1 }))],
    ["short", "empty", () => hear4(datagram4(new Uint8Array(0)))],
    ["version", "version 2 to a version 3 router", () => hear4(datagram4(encodeAdvertisement(v2Fields)))],
    ["version", "version 3 to a version 2 router", () => hear4(datagram4(good3), version2)],
    ["version", "version 2 over IPv6", () => hear6(datagram6(altered(fields6, { 0: 0x21 })))],
    ["type", "type 7", () => hear4(datagram4(altered(v3Fields, { 0: 0x37 })))],
    ["count_zero", "count 0", () => hear4(datagram4(altered(v3Fields, { 3: 0 })))],
    ["short", "an address is missing", () => hear4(datagram4(altered(v3Fields, { 3: 2 })))],
    [
      "short",
      "authentication data is missing",
      () => hear4(datagram4(encodeAdvertisement(v2Fields).subarray(0, 12)), version2),
    ],
    ["long", "a byte too many", () => hear4(datagram4(Uint8Array.of(...good3, 0)))],
    ["checksum", "one bit", () => hear4(datagram4(good3.with(11, 3)))],
    ["checksum", "computed for another source", () => hear6(datagram6(encodeAdvertisement(fields6), { source: own6 }))],
    ["vrid_zero", "VRID 0", () => hear4(datagram4(altered(v3Fields, { 1: 0 })))],
    ["interval_zero", "interval 0", () => hear4(datagram4(altered(v3Fields, { 4: 0xf0, 5: 0 })))],
    [
      "first_not_link_local",
      "a global address first",
      () =>
        hear6(datagram6(encodeAdvertisement({ ...fields6, addressBytes: addressList("2001:db8::51", "fe80::51") }))),
    ],
    ["destination", "unicast to a multicast router", () => hear4(datagram4(good3, { destination: own4 }))],
    ["destination", "another group", () => hear4(datagram4(good3, { destination: address("224.0.0.1") }))],
    ["destination", "multicast to a unicast router", () => hear4(datagram4(good3), unicast)],
    ["source", "not a peer", () => hear4(datagram4(good3, { source: stranger, destination: own4 }), unicast)],
    [
      "owner",
      "to an address owner that discards",
      () => hear4(datagram4(good3), { priority: 255, ownerConflict: "discard" }),
    ],
    [
      "auth_type",
      "type 1, none expected",
      () => hear4(datagram4(encodeAdvertisement({ ...v2Fields, ...text("secret") })), version2),
    ],
    ["auth_type", "type 0, text expected", () => hear4(datagram4(encodeAdvertisement(v2Fields)), password)],
    ["auth_type", "type 2", () => hear4(datagram4(altered(v2Fields, { 4: 2 })), password)],
    [
      "auth_data",
      "another password",
      () => hear4(datagram4(encodeAdvertisement({ ...v2Fields, ...text("secreT") })), password),
    ],
    [
      "auth_data",
      "a longer password",
      () => hear4(datagram4(encodeAdvertisement({ ...v2Fields, ...text("secret!") })), password),
    ],
    [
      "interval_mismatch",
      "version 2, 2 s",
      () => hear4(datagram4(encodeAdvertisement({ ...v2Fields, interval: 2000 })), version2),
    ],
    [
      "address_list",
      "version 2, another address",
      () => hear4(datagram4(encodeAdvertisement({ ...v2Fields, addressBytes: addressList("192.0.2.2") })), version2),
    ],
  ])("%s: %s", (rejection, _, hear) => {
    expect(hear()).toBe(rejection);
  });
});

describe("of two wrong things the first in the order of the checks is told", () => {
  const both = addressList("192.0.2.2");
  test.each<readonly [Rejection, Rejection, () => Accepted | Rejection]>([
    ["ttl", "short", () => hear4(datagram4(good3.subarray(0, 7), { ttl: 254 }))],
    ["short", "version", () => hear4(datagram4(Uint8Array.of(0x41, 51, 100, 1, 0, 100, 0)))],
    ["version", "type", () => hear4(datagram4(altered(v3Fields, { 0: 0x42 })))],
    ["type", "count_zero", () => hear4(datagram4(altered(v3Fields, { 0: 0x32, 3: 0 })))],
    ["count_zero", "long", () => hear4(datagram4(altered(v3Fields, { 3: 0 })))],
    ["short", "checksum", () => hear4(datagram4(good3.with(3, 2)))],
    ["long", "checksum", () => hear4(datagram4(Uint8Array.of(...good3, 1)))],
    ["checksum", "vrid_zero", () => hear4(datagram4(good3.with(1, 0)))],
    ["vrid_zero", "interval_zero", () => hear4(datagram4(altered(v3Fields, { 1: 0, 4: 0, 5: 0 })))],
    [
      "interval_zero",
      "first_not_link_local",
      () => hear6(datagram6(altered({ ...fields6, addressBytes: addressList("2001:db8::51") }, { 4: 0, 5: 0 }))),
    ],
    [
      "first_not_link_local",
      "destination",
      () => {
        const fields = { ...fields6, addressBytes: addressList("2001:db8::51"), destination: own6 };
        return hear6(datagram6(encodeAdvertisement(fields), { destination: own6 }));
      },
    ],
    ["destination", "source", () => hear4(datagram4(good3, { source: stranger }), unicast)],
    [
      "destination",
      "owner",
      () => hear4(datagram4(good3, { destination: own4 }), { priority: 255, ownerConflict: "discard" }),
    ],
    [
      "source",
      "owner",
      () => {
        const datagram = datagram4(good3, { source: stranger, destination: own4 });
        return hear4(datagram, { ...unicast, priority: 255, ownerConflict: "discard" });
      },
    ],
    [
      "owner",
      "auth_type",
      () => hear4(datagram4(encodeAdvertisement(v2Fields)), { ...password, priority: 255, ownerConflict: "discard" }),
    ],
    [
      "auth_type",
      "interval_mismatch",
      () => hear4(datagram4(encodeAdvertisement({ ...v2Fields, interval: 2000 })), password),
    ],
    [
      "auth_data",
      "interval_mismatch",
      () => hear4(datagram4(encodeAdvertisement({ ...v2Fields, ...text("x"), interval: 2000 })), password),
    ],
    [
      "interval_mismatch",
      "address_list",
      () => hear4(datagram4(encodeAdvertisement({ ...v2Fields, interval: 2000, addressBytes: both })), version2),
    ],
  ])("%s before %s", (rejection, _, hear) => {
    expect(hear()).toBe(rejection);
  });
});

describe("what is only told", () => {
  test("version 3: another interval", () => {
    const pdu = encodeAdvertisement({ ...v3Fields, interval: 4000 });
    expect(hear4(datagram4(pdu))).toMatchObject({ advertisement: { interval: 4000 }, intervalDiffers: true });
  });

  test("version 3: another address list, even when lists are to be checked", () => {
    const pdu = encodeAdvertisement({ ...v3Fields, addressBytes: addressList("192.0.2.2") });
    expect(hear4(datagram4(pdu), { checkAddressList: true })).toMatchObject({ addressListDiffers: true });
  });

  test("version 2: another address list when lists are not checked, or from an address owner", () => {
    const fields = { ...v2Fields, addressBytes: addressList("192.0.2.2") };
    expect(hear4(datagram4(encodeAdvertisement(fields)), { version: 2 })).toMatchObject({ addressListDiffers: true });
    const owner = encodeAdvertisement({ ...fields, priority: 255 });
    expect(hear4(datagram4(owner), version2)).toMatchObject({ addressListDiffers: true });
  });

  test("address lists are compared as sets", () => {
    const texts = ["fe80::51", "2001:db8::51", "2001:db8::52"];
    const parameters = { virtualAddresses: texts.map((text) => virtualAddress(text)) };
    const twisted = encodeAdvertisement({
      ...fields6,
      addressBytes: addressList("fe80::51", "2001:db8::52", "2001:db8::51"),
    });
    expect(hear6(datagram6(twisted), parameters)).toMatchObject({ addressListDiffers: false });
  });
});

describe("checksum forms of version 3 over IPv4", () => {
  const pseudo = encodeAdvertisement({ ...v3Fields, checksumForm: "pseudo_header" });

  test("either form is accepted by default, and told apart", () => {
    expect(hear4(datagram4(good3))).toMatchObject({ advertisement: { checksumForm: "message" } });
    expect(hear4(datagram4(pseudo))).toMatchObject({ advertisement: { checksumForm: "pseudo_header" } });
  });

  test("a strict router refuses the other one", () => {
    expect(hear4(datagram4(pseudo), { checksumReceive: "message" })).toBe("checksum");
    expect(hear4(datagram4(good3), { checksumReceive: "pseudo_header" })).toBe("checksum");
  });
});

describe("unicast", () => {
  test.each([
    [255, true],
    [254, true],
    [253, false],
  ])("TTL %d from a peer whose range is 254 to 255", (ttl, accepted) => {
    const result = hear4(datagram4(good3, { ttl, destination: own4 }), unicast);
    expect(typeof result === "string" ? result : "accepted").toBe(accepted ? "accepted" : "ttl");
  });

  test("a sender that is no peer must have TTL 255, whatever the range of others", () => {
    expect(hear4(datagram4(good3, { ttl: 254, source: stranger, destination: own4 }), unicast)).toBe("ttl");
  });

  test("the pseudo-header holds the real destination", () => {
    const fields = { ...v3Fields, checksumForm: "pseudo_header", destination: own4 } as const;
    const strict = { ...unicast, checksumReceive: "pseudo_header" } as const;
    expect(hear4(datagram4(encodeAdvertisement(fields), { destination: own4 }), strict)).toMatchObject({
      intervalDiffers: false,
    });
    const forGroup = encodeAdvertisement({ ...fields, destination: allVrrpRouters4 });
    expect(hear4(datagram4(forGroup, { destination: own4 }), strict)).toBe("checksum");
  });
});
