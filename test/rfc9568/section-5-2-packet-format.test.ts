/** RFC 9568 section 5.2: the fields of a version 3 message, one by one. */
import { expect, test } from "vitest";
import {
  type AdvertisementFields,
  addressesOf,
  decodeAdvertisement,
  encodeAdvertisement,
} from "../../src/vrrp/advertisement.ts";
import { formatAddress } from "../../src/wire/address.ts";
import { hex } from "../support/hex.ts";
import {
  address,
  addressList,
  altered,
  options4,
  options6,
  resummed,
  v2Fields,
  v3Fields,
  v6Fields,
} from "../support/packets.ts";

function decoded(fields: AdvertisementFields) {
  const advertisement = decodeAdvertisement(encodeAdvertisement(fields), fields.family === 4 ? options4 : options6);
  if (typeof advertisement === "string") throw new Error(advertisement);
  return advertisement;
}

test("5.2: all fields of more than a byte are in network order, the layout is that of the figure", () => {
  const pdu = encodeAdvertisement({
    ...v3Fields,
    interval: 0x234 * 10,
    addressBytes: addressList("192.0.2.1", "10.0.0.2"),
  });
  expect(pdu.subarray(0, 6)).toEqual(hex("31 33 64 02 02 34"));
  expect(pdu.subarray(8)).toEqual(hex("c0 00 02 01 0a 00 00 02"));
});

test("5.2: the length is 8 and 4 for each IPv4 address, 16 for each IPv6 address", () => {
  expect(encodeAdvertisement(v3Fields)).toHaveLength(12);
  expect(encodeAdvertisement(v6Fields)).toHaveLength(40);
});

test("5.2.1: versions other than 2 and 3 are refused, and versions other than the configured one", () => {
  for (let version = 0; version < 16; version++) {
    const answer = decodeAdvertisement(altered(v3Fields, { 0: (version << 4) | 1 }), options4);
    if (version === 3) expect(answer).toMatchObject({ version: 3 });
    else if (version === 2) expect(answer).toBe("short");
    else expect(answer).toBe("version");
  }
  expect(decodeAdvertisement(encodeAdvertisement(v3Fields), { ...options4, version: 2 })).toBe("version");
  expect(decodeAdvertisement(encodeAdvertisement(v2Fields), { ...options4, version: 3 })).toBe("version");
  expect(decodeAdvertisement(encodeAdvertisement(v3Fields), { ...options4, version: 3 })).toMatchObject({ version: 3 });
  expect(decodeAdvertisement(encodeAdvertisement(v2Fields), { ...options4, version: 2 })).toMatchObject({ version: 2 });
  expect(decodeAdvertisement(encodeAdvertisement(v6Fields), { ...options6, version: 2 })).toBe("version");
});

test("5.2.2: ADVERTISEMENT, type 1, is the only type", () => {
  for (let type = 0; type < 16; type++) {
    if (type === 1) continue;
    expect(decodeAdvertisement(altered(v3Fields, { 0: 0x30 | type }), options4)).toBe("type");
  }
});

test("5.2.3: VRIDs from 1 to 255 are carried, 0 is refused", () => {
  for (const vrid of [1, 128, 255]) expect(decoded({ ...v3Fields, vrid }).vrid).toBe(vrid);
  expect(decodeAdvertisement(altered(v3Fields, { 1: 0 }), options4)).toBe("vrid_zero");
  expect(() => encodeAdvertisement({ ...v3Fields, vrid: 0 })).toThrow(RangeError);
  expect(() => encodeAdvertisement({ ...v3Fields, vrid: 256 })).toThrow(RangeError);
});

test("5.2.4: priorities from 0, which gives the role up, to 255, the owner's, are carried", () => {
  for (const priority of [0, 1, 100, 254, 255]) expect(decoded({ ...v3Fields, priority }).priority).toBe(priority);
  expect(() => encodeAdvertisement({ ...v3Fields, priority: 256 })).toThrow(RangeError);
});

test("5.2.5: a count of 0 is ignored, whatever else is right (erratum 8299)", () => {
  expect(decodeAdvertisement(resummed(hex("31 33 64 00 00 64 00 00"), v3Fields), options4)).toBe("count_zero");
  expect(decodeAdvertisement(altered(v3Fields, { 3: 0 }), options4)).toBe("count_zero");
  const none = { ...v3Fields, addressBytes: new Uint8Array(0) };
  expect(() => encodeAdvertisement(none)).toThrow(RangeError);
});

test("5.2.5: 255 addresses are accepted", () => {
  const bytes4 = new Uint8Array(255 * 4).fill(10);
  expect(decoded({ ...v3Fields, addressBytes: bytes4 })).toMatchObject({ count: 255, addressBytes: bytes4 });
  const bytes6 = new Uint8Array(255 * 16).fill(0xfe);
  bytes6[1] = 0x80;
  expect(decoded({ ...v6Fields, addressBytes: bytes6 })).toMatchObject({ count: 255 });
  expect(() => encodeAdvertisement({ ...v3Fields, addressBytes: new Uint8Array(256 * 4) })).toThrow(RangeError);
});

test("5.2.6: the reserved bits are sent as 0 and ignored on receipt", () => {
  expect(encodeAdvertisement({ ...v3Fields, interval: 40950 })[4]).toBe(0x0f);
  expect(decodeAdvertisement(altered(v3Fields, { 4: 0xf0 }), options4)).toMatchObject({ interval: 1000 });
  expect(decodeAdvertisement(altered(v3Fields, { 4: 0xf0, 5: 0 }), options4)).toBe("interval_zero");
});

test("5.2.7: the interval is in centiseconds, 1 to 4095; 0 is refused (erratum 8301)", () => {
  for (const interval of [10, 250, 1000, 40950]) expect(decoded({ ...v3Fields, interval }).interval).toBe(interval);
  expect(decodeAdvertisement(altered(v3Fields, { 4: 0, 5: 0 }), options4)).toBe("interval_zero");
  expect(() => encodeAdvertisement({ ...v3Fields, interval: 0 })).toThrow(RangeError);
  expect(() => encodeAdvertisement({ ...v3Fields, interval: 40960 })).toThrow(RangeError);
  expect(() => encodeAdvertisement({ ...v3Fields, interval: Number.NaN })).toThrow(RangeError);
});

test("5.2.8: over IPv4 the checksum covers the message alone, or the pseudo-header of RFC 5798 as well", () => {
  const message = encodeAdvertisement({ ...v3Fields, checksumForm: "message" });
  const pseudo = encodeAdvertisement({ ...v3Fields, checksumForm: "pseudo_header" });
  const answers = (["either", "message", "pseudo_header"] as const).map((checksum) =>
    [message, pseudo].map((pdu) => {
      const answer = decodeAdvertisement(pdu, { ...options4, checksum });
      return typeof answer === "string" ? answer : answer.checksumForm;
    }),
  );
  expect(answers).toEqual([
    ["message", "pseudo_header"],
    ["message", "checksum"],
    ["checksum", "pseudo_header"],
  ]);
});

test("5.2.8: the IPv4 pseudo-header is source, destination, zero, 112, length: worked out by hand", () => {
  // c000 + 020b + e000 + 0012 + 0070 + 000c, then 3133 + 6401 + 0064 + 0000 + c000 + 0201: 2fa32, folded fa34.
  const pdu = encodeAdvertisement({ ...v3Fields, checksumForm: "pseudo_header" });
  expect(pdu.subarray(6, 8)).toEqual(hex("05cb"));
});

test("5.2.8: when both forms verify it is the message form", () => {
  // Addresses, protocol and length that add up to ffff, which is nothing.
  const source = address("31.115.0.0");
  const destination = address("224.0.0.16");
  const fields = { ...v3Fields, source, destination };
  expect(encodeAdvertisement({ ...fields, checksumForm: "pseudo_header" })).toEqual(encodeAdvertisement(fields));
  expect(decodeAdvertisement(encodeAdvertisement(fields), { ...options4, source, destination })).toMatchObject({
    checksumForm: "message",
  });
});

test("5.2.8: over IPv6 the pseudo-header is always in the checksum, whatever form is asked for", () => {
  for (const checksum of ["either", "message", "pseudo_header"] as const) {
    const pdu = encodeAdvertisement({ ...v6Fields, checksumForm: "message" });
    expect(decodeAdvertisement(pdu, { ...options6, checksum })).toMatchObject({ checksumForm: "pseudo_header" });
    const other = address("fe80::12");
    expect(decodeAdvertisement(pdu, { ...options6, checksum, source: other })).toBe("checksum");
  }
});

test("5.2.8: 0x0000 is a checksum as any other, and 0xffff is the same one (RFC 1071)", () => {
  // 3133 + 6401 + 0064 + 0000 + the address make ffff.
  const pdu = encodeAdvertisement({ ...v3Fields, addressBytes: hex("6a 67 00 00") });
  expect(pdu.subarray(6, 8)).toEqual(hex("0000"));
  expect(decodeAdvertisement(pdu, options4)).toMatchObject({ checksumForm: "message" });
  pdu.set(hex("ffff"), 6);
  expect(decodeAdvertisement(pdu, options4)).toMatchObject({ checksumForm: "message" });
});

test("5.2.9: the addresses are sent in the given order and come out in it", () => {
  const texts = ["192.0.2.9", "10.0.0.1", "192.0.2.1"];
  const advertisement = decoded({ ...v3Fields, addressBytes: addressList(...texts) });
  expect(addressesOf(advertisement, 4).map(formatAddress)).toEqual(texts);
});

test("5.2.9: over IPv6 the first address is link-local (erratum 8300); lenient receivers take others", () => {
  const globalFirst = encodeAdvertisement({ ...v6Fields, addressBytes: addressList("2001:db8::1", "fe80::1") });
  expect(decodeAdvertisement(globalFirst, options6)).toBe("first_not_link_local");
  expect(decodeAdvertisement(globalFirst, { ...options6, firstLinkLocal: "lenient" })).toMatchObject({ count: 2 });
});

test("5.2.9: what is read from a packet is a view, what is taken out of it a copy", () => {
  const pdu = Buffer.from(encodeAdvertisement(v3Fields));
  const advertisement = decodeAdvertisement(pdu, options4);
  if (typeof advertisement === "string") throw new Error(advertisement);
  const addresses = addressesOf(advertisement, 4);
  pdu.fill(0);
  expect(advertisement.addressBytes).toEqual(Buffer.alloc(4));
  expect(addresses.map(formatAddress)).toEqual(["192.0.2.1"]);
});
