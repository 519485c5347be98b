import { describe, expect, test } from "vitest";
import { encodeAdvertisement, type Rejection } from "../../src/vrrp/advertisement.ts";
import { type Datagram, refuseUnknown } from "../../src/vrrp/reception.ts";
import { allVrrpRouters4, allVrrpRouters6 } from "../../src/wire/address.ts";
import { altered, resummed, source4, source6, v2Fields, v3Fields, v6Fields } from "../support/packets.ts";

const good3 = encodeAdvertisement(v3Fields);

function datagram4(pdu: Uint8Array, changes: Partial<Datagram> = {}): Datagram {
  return { source: source4, destination: allVrrpRouters4, ttl: 255, pdu, ...changes };
}

describe("a packet for a VRID that is not configured", () => {
  test.each<readonly [Rejection, Datagram]>([
    ["vrid_unknown", datagram4(good3)],
    ["vrid_unknown", datagram4(encodeAdvertisement(v2Fields))],
    ["ttl", datagram4(good3, { ttl: 64 })],
    ["checksum", datagram4(good3.with(7, 0))],
    ["vrid_zero", datagram4(altered(v3Fields, { 1: 0 }))],
    ["short", datagram4(good3.subarray(0, 5))],
    ["count_zero", datagram4(resummed(altered(v3Fields, { 3: 0 }), v3Fields))],
  ])("%s", (rejection, datagram) => {
    expect(refuseUnknown(datagram, 4)).toBe(rejection);
  });

  test("over IPv6 as well", () => {
    expect(
      refuseUnknown({ source: source6, destination: allVrrpRouters6, ttl: 255, pdu: encodeAdvertisement(v6Fields) }, 6),
    ).toBe("vrid_unknown");
  });
});
