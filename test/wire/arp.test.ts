import { expect, test } from "vitest";
import { decodeArp, encodeArpProbe, encodeGratuitousArp } from "../../src/wire/arp.ts";
import { hex } from "../support/hex.ts";
import { address } from "../support/packets.ts";

const mac = hex("00005e000133");
const gratuitous = hex(
  "ffffffffffff 00005e000133 0806 0001 0800 06 04 0001 00005e000133 c0000201 ffffffffffff c0000201",
);

test("a gratuitous ARP is a request that names the address twice (RFC 9568 section 6.4.2)", () => {
  expect(encodeGratuitousArp(mac, address("192.0.2.1"))).toEqual(gratuitous);
});

test("a probe names the address as target only (RFC 5227 section 2.1.1)", () => {
  expect(encodeArpProbe(mac, address("192.0.2.1"))).toEqual(
    hex("ffffffffffff 00005e000133 0806 0001 0800 06 04 0001 00005e000133 00000000 000000000000 c0000201"),
  );
});

test("encoding leaves no byte of the memory as it was", () => {
  const into = new Uint8Array(60).fill(0xa5);
  expect(encodeGratuitousArp(mac, address("192.0.2.1"), into)).toEqual(gratuitous);
  expect(into.subarray(42)).toEqual(new Uint8Array(18).fill(0xa5));
  expect(encodeArpProbe(mac, address("0.0.0.0"), new Uint8Array(42).fill(0xa5)).includes(0xa5)).toBe(false);
});

const decoded = {
  operation: 1,
  destination: hex("ffffffffffff"),
  source: mac,
  senderMac: mac,
  senderAddress: address("192.0.2.1"),
  targetMac: hex("ffffffffffff"),
  targetAddress: address("192.0.2.1"),
};

test("ARP is taken apart, padded or tagged", () => {
  expect(decodeArp(gratuitous)).toEqual(decoded);
  expect(decodeArp(Uint8Array.of(...gratuitous, ...new Uint8Array(18)))).toEqual(decoded);
  const tagged = Uint8Array.of(...gratuitous.subarray(0, 12), 0x81, 0, 0, 5, ...gratuitous.subarray(12));
  expect(decodeArp(tagged)).toEqual(decoded);
});

test.each([
  ["another EtherType", 13, 0x00],
  ["another hardware type", 15, 0x06],
  ["another protocol", 16, 0x86],
  ["another hardware length", 18, 8],
  ["another protocol length", 19, 16],
])("%s is no ARP we know", (_what, at, value) => {
  const frame = Uint8Array.of(...gratuitous);
  frame[at] = value;
  expect(decodeArp(frame)).toBeUndefined();
});

test("every prefix of a frame is refused", () => {
  for (let length = 0; length < 42; length++) expect(decodeArp(gratuitous.subarray(0, length))).toBeUndefined();
});
