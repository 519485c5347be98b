/** RFC 9568 section 5.1: the IP header around an advertisement, as the decoder of captures judges it. */
import { expect, test } from "vitest";
import { judgePacket } from "../../src/cli/decode-packet.ts";
import { allVrrpRouters4, allVrrpRouters6 } from "../../src/wire/address.ts";
import { multicastMac } from "../../src/wire/ethernet.ts";
import { IPPROTO_VRRP } from "../../src/wire/ip.ts";
import { ipPacket } from "../support/captures.ts";
import { hex } from "../support/hex.ts";
import { address, v2Fields, v3Fields, v6Fields } from "../support/packets.ts";

const how = {
  version: "any",
  checksum: "either",
  firstLinkLocal: "strict",
  source: undefined,
  destination: undefined,
} as const;

test("5.1.1.2, 5.1.2.2: the groups are 224.0.0.18 and ff02::12", () => {
  expect(allVrrpRouters4).toEqual(address("224.0.0.18"));
  expect(allVrrpRouters6).toEqual(address("ff02::12"));
  expect(multicastMac(allVrrpRouters4)).toEqual(hex("01005e000012"));
  expect(multicastMac(allVrrpRouters6)).toEqual(hex("333300000012"));
});

test.each([
  ["v2", v2Fields],
  ["v3 over IPv4", v3Fields],
  ["v3 over IPv6", v6Fields],
])("5.1.1.3, 5.1.2.3: %s with a TTL or hop limit other than 255 is discarded", (_what, fields) => {
  expect(judgePacket(ipPacket(fields), undefined, how)).toMatchObject({ valid: true, ttl: 255 });
  for (const ttl of [0, 1, 64, 254]) {
    expect(judgePacket(ipPacket(fields, undefined, ttl), undefined, how)).toMatchObject({ error: "ttl", ttl });
  }
});

test("5.1.1.4, 5.1.2.4: the protocol is 112; others are none of VRRP's business", () => {
  expect(IPPROTO_VRRP).toBe(112);
  const packet = ipPacket(v3Fields);
  packet[9] = 51;
  expect(judgePacket(packet, undefined, how)).toBe("other");
  const packet6 = ipPacket(v6Fields);
  packet6[6] = 51;
  expect(judgePacket(packet6, undefined, how)).toBe("other");
});

test("5.1.1.2: another destination is reported, not judged, as unicast is an extension", () => {
  const destination = address("192.0.2.12");
  expect(judgePacket(ipPacket({ ...v3Fields, destination }), 4, how)).toMatchObject({
    valid: true,
    destination: "192.0.2.12",
  });
});

test("5.1.2.1: an IPv6 source that is not link-local is not discarded on that ground", () => {
  const source = address("2001:db8::11");
  expect(judgePacket(ipPacket({ ...v6Fields, source }), 6, how)).toMatchObject({ valid: true, source: "2001:db8::11" });
});
