import { expect, test } from "vitest";
import { fold, sumWords } from "../../src/wire/checksum.ts";
import { decodeIpv4, decodeIpv6, encodeIpv4Header, encodeIpv6Header } from "../../src/wire/ip.ts";
import { hex } from "../support/hex.ts";
import { address } from "../support/packets.ts";

const ipv4 = hex("45 c0 00 18 00 00 40 00 ff 70 00 00 c0 00 02 0b e0 00 00 12 01 02 03 04");

test("an IPv4 packet is taken apart", () => {
  expect(decodeIpv4(ipv4)).toEqual({
    headerLength: 20,
    totalLength: 24,
    ttl: 255,
    protocol: 112,
    source: address("192.0.2.11"),
    destination: address("224.0.0.18"),
    fragment: false,
    payload: hex("01 02 03 04"),
  });
});

test("padding of the link behind the total length is not payload", () => {
  expect(decodeIpv4(Uint8Array.of(...ipv4, 0xde, 0xad))?.payload).toEqual(hex("01 02 03 04"));
});

test("options are stepped over", () => {
  const packet = Uint8Array.of(...ipv4);
  packet[0] = 0x46;
  expect(decodeIpv4(packet)).toMatchObject({ headerLength: 24, payload: new Uint8Array(0) });
});

test.each([
  ["a first fragment", "20 00"],
  ["a middle fragment", "20 05"],
  ["a last fragment", "00 05"],
])("%s is marked", (_what, word) => {
  const packet = Uint8Array.of(...ipv4);
  packet.set(hex(word), 6);
  expect(decodeIpv4(packet)?.fragment).toBe(true);
});

test.each([
  ["nothing", new Uint8Array(0)],
  ["19 bytes", ipv4.subarray(0, 19)],
  ["another version", replaced(ipv4, 0, "65")],
  ["a header of 16 bytes", replaced(ipv4, 0, "44")],
  ["a total length below the header", replaced(ipv4, 2, "00 13")],
  ["a total length beyond the packet", replaced(ipv4, 2, "00 19")],
  ["options beyond the total length", replaced(ipv4, 0, "47")],
])("%s is no IPv4 packet", (_what, bytes) => {
  expect(decodeIpv4(bytes)).toBeUndefined();
});

test("an IPv4 header is written over whatever was there, with its checksum", () => {
  const into = new Uint8Array(20).fill(0xa5);
  const source = address("192.0.2.11");
  const destination = address("224.0.0.18");
  encodeIpv4Header(into, { source, destination, ttl: 255, protocol: 112, tos: 0xc0, payloadLength: 12 });
  expect(into).toEqual(hex("45 c0 00 20 00 00 40 00 ff 70 d8 8f c0 00 02 0b e0 00 00 12"));
  expect(fold(sumWords(into))).toBe(0xffff);
});

test("a header is not written into too small a buffer", () => {
  const source = address("192.0.2.11");
  const fields = { source, destination: source, ttl: 255, protocol: 112, tos: 0, payloadLength: 0 };
  expect(() => encodeIpv4Header(new Uint8Array(19), fields)).toThrow(RangeError);
});

const source6 = "fe800000000000000000000000000011";
const group6 = "ff020000000000000000000000000012";
const packet6 = (next: string, length: string, payload: string) =>
  hex(`60000000 ${length} ${next} ff ${source6} ${group6} ${payload}`);

test("an IPv6 packet is taken apart", () => {
  expect(decodeIpv6(packet6("70", "0004", "01020304 dead"))).toEqual({
    hopLimit: 255,
    protocol: 112,
    source: address("fe80::11"),
    destination: address("ff02::12"),
    fragment: false,
    payload: hex("01 02 03 04"),
  });
});

test("hop-by-hop, routing and destination options are stepped over", () => {
  const chain = "2b00 000000000000  3c01 00000000000000000000 00000000  7000 000000000000  0102";
  expect(decodeIpv6(packet6("00", "0022", chain))).toMatchObject({ protocol: 112, payload: hex("01 02") });
});

test("a fragment is marked, an atomic one is whole (RFC 6946)", () => {
  expect(decodeIpv6(packet6("2c", "000a", "7000 0001 00000007 0102"))?.fragment).toBe(true);
  expect(decodeIpv6(packet6("2c", "000a", "7000 0008 00000007 0102"))?.fragment).toBe(true);
  expect(decodeIpv6(packet6("2c", "000a", "7000 0000 00000007 0102"))).toMatchObject({
    fragment: false,
    protocol: 112,
    payload: hex("01 02"),
  });
});

test.each([
  ["nothing", new Uint8Array(0)],
  ["39 bytes", packet6("70", "0000", "").subarray(0, 39)],
  ["another version", replaced(packet6("70", "0000", ""), 0, "40")],
  ["a payload length beyond the packet", packet6("70", "0005", "01020304")],
  ["an extension header cut short", packet6("00", "0004", "70000000")],
  ["an extension header that claims more than there is", packet6("00", "0008", "7001000000000000")],
  ["a chain without end", packet6("00", "0048", "0000000000000000".repeat(9))],
])("%s is no IPv6 packet", (_what, bytes) => {
  expect(decodeIpv6(bytes)).toBeUndefined();
});

test("an IPv6 header is written over whatever was there", () => {
  const into = new Uint8Array(40).fill(0xa5);
  const source = address("fe80::11");
  const destination = address("ff02::12");
  encodeIpv6Header(into, { source, destination, hopLimit: 255, protocol: 112, trafficClass: 0xc0, payloadLength: 40 });
  expect(into).toEqual(hex(`6c000000 0028 70 ff ${source6} ${group6}`));
});

function replaced(bytes: Uint8Array, at: number, text: string): Uint8Array {
  const copy = new Uint8Array(bytes);
  copy.set(hex(text), at);
  return copy;
}
