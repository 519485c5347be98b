import { expect, test } from "vitest";
import { ETH_P_ARP } from "../../src/socket/constants.ts";
import {
  addressOf,
  membership4,
  membership6,
  packetTypeOf,
  portOf,
  sockaddrIn,
  sockaddrIn6,
  sockaddrLinkLayer,
  sockaddrNetlink,
  sockaddrUnix,
} from "../../src/socket/sockaddr.ts";
import { parseAddress } from "../../src/wire/address.ts";

const v4 = parseAddress("192.0.2.1") ?? new Uint8Array();
const v6 = parseAddress("fe80::5:6") ?? new Uint8Array();
const mac = Uint8Array.of(0, 0, 0x5e, 0, 1, 0x33);
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

test.each([
  ["sockaddr_in", sockaddrIn(v4, 0x1234), "02001234c00002010000000000000000"],
  ["sockaddr_in without a port", sockaddrIn(v4), "02000000c00002010000000000000000"],
  ["sockaddr_in6", sockaddrIn6(v6, 7, 0x1234), "0a00123400000000fe80000000000000000000000005000607000000"],
  ["sockaddr_ll", sockaddrLinkLayer(258, ETH_P_ARP, mac), "1100080602010000000000060000" + "5e0001330000"],
  ["sockaddr_ll without a MAC", sockaddrLinkLayer(3, ETH_P_ARP), "1100080603000000000000000000000000000000"],
  ["sockaddr_nl", sockaddrNetlink(5, 0x111), "100000000500000011010000"],
  ["sockaddr_un of a path", sockaddrUnix("/a"), "01002f6100"],
  ["sockaddr_un of an abstract name", sockaddrUnix("@ab"), "0100006162"],
  ["ip_mreqn", membership4(Uint8Array.of(224, 0, 0, 18), 3), "e00000120000000003000000"],
  ["ip_mreqn with a local address", membership4(Uint8Array.of(224, 0, 0, 18), 3, v4), "e0000012c000020103000000"],
  ["ipv6_mreq", membership6(v6, 3), "fe80000000000000000000000005000603000000"],
])("%s has the kernel's layout", (_name, bytes, expected) => {
  expect(hex(bytes)).toBe(expected);
});

test("address and port are read back", () => {
  expect(addressOf(sockaddrIn(v4, 80))).toEqual(v4);
  expect(addressOf(sockaddrIn6(v6, 1, 80))).toEqual(v6);
  expect(addressOf(sockaddrNetlink(1, 0))).toBeUndefined();
  expect(addressOf(new Uint8Array())).toBeUndefined();
  expect([sockaddrIn(v4, 80), sockaddrIn6(v6, 1, 81), sockaddrNetlink(82, 0), sockaddrUnix("/a")].map(portOf)).toEqual([
    80, 81, 82, 0,
  ]);
  expect(packetTypeOf(sockaddrLinkLayer(1, ETH_P_ARP))).toBe(0);
  expect(packetTypeOf(sockaddrIn(v4))).toBeUndefined();
});

test("what does not fit is refused", () => {
  expect(() => sockaddrIn(v6)).toThrow("expected an address of 4 bytes, got 16");
  expect(() => sockaddrIn6(v4)).toThrow("expected an address of 16 bytes, got 4");
  expect(() => sockaddrUnix(`/${"x".repeat(107)}`)).toThrow("at most 107 bytes");
  expect(() => sockaddrUnix("")).toThrow(RangeError);
  expect(sockaddrUnix(`/${"x".repeat(106)}`)).toHaveLength(110);
});
