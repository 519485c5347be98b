import { expect, test } from "vitest";
import { addressesOf, decodeAdvertisement, encodeAdvertisement } from "../../src/vrrp/advertisement.ts";
import { formatAddress } from "../../src/wire/address.ts";
import { hex } from "../support/hex.ts";
import { addressList, altered, options4, options6, v2Fields, v3Fields, v6Fields } from "../support/packets.ts";

test("a version 3 IPv4 advertisement is taken apart", () => {
  const decoded = decodeAdvertisement(hex("31 33 64 01 00 64 a7 c0 c0 00 02 01"), options4);
  expect(decoded).toBe("checksum");
  expect(decodeAdvertisement(encodeAdvertisement(v3Fields), options4)).toEqual({
    version: 3,
    vrid: 51,
    priority: 100,
    interval: 1000,
    count: 1,
    addressBytes: addressList("192.0.2.1"),
    checksumForm: "message",
    authenticationType: 0,
    authenticationData: undefined,
  });
});

test("a version 2 advertisement is taken apart with its authentication data", () => {
  const data = new TextEncoder().encode("secret");
  const pdu = encodeAdvertisement({ ...v2Fields, authentication: { type: 1, data } });
  expect(pdu).toHaveLength(20);
  expect(decodeAdvertisement(pdu, options4)).toMatchObject({
    version: 2,
    interval: 1000,
    authenticationType: 1,
    authenticationData: hex("73 65 63 72 65 74 00 00"),
  });
});

test("a version 3 IPv6 advertisement is taken apart", () => {
  const decoded = decodeAdvertisement(encodeAdvertisement(v6Fields), options6);
  if (typeof decoded === "string") throw new Error(decoded);
  expect(decoded).toMatchObject({ version: 3, count: 2, checksumForm: "pseudo_header" });
  expect(addressesOf(decoded, 6).map(formatAddress)).toEqual(["fe80::1", "2001:db8::1"]);
});

test.each([
  ["short", new Uint8Array(0)],
  ["short", hex("31 33 64 01 00 64 00")],
  ["version", altered(v3Fields, { 0: 0x41 })],
  ["type", altered(v3Fields, { 0: 0x37 })],
  ["count_zero", altered(v3Fields, { 3: 0 })],
  ["short", altered(v3Fields, { 3: 2 })],
  ["long", altered({ ...v3Fields, addressBytes: addressList("192.0.2.1", "192.0.2.2") }, { 3: 1 })],
  ["checksum", hex("31 33 64 01 00 64 00 00 c0 00 02 01")],
  ["vrid_zero", altered(v3Fields, { 1: 0 })],
  ["interval_zero", altered(v3Fields, { 4: 0xf0, 5: 0 })],
  ["interval_zero", altered(v2Fields, { 5: 0 })],
] as const)("%s", (rejection, pdu) => {
  expect(decodeAdvertisement(pdu, options4)).toBe(rejection);
});

test("version 2 over IPv6 is a version error", () => {
  expect(decodeAdvertisement(altered(v6Fields, { 0: 0x21 }), options6)).toBe("version");
});
