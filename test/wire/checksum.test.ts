import fc from "fast-check";
import { expect, test } from "vitest";
import { checksumOf, fold, sumPseudoHeader, sumWords } from "../../src/wire/checksum.ts";
import { hex } from "../support/hex.ts";
import { address } from "../support/packets.ts";

test("the example of RFC 1071 section 3 adds up", () => {
  expect(fold(sumWords(hex("00 01 f2 03 f4 f5 f6 f7")))).toBe(0xddf2);
  expect(checksumOf(sumWords(hex("00 01 f2 03 f4 f5 f6 f7")))).toBe(0x220d);
});

test("an odd byte at the end is the high half of a word", () => {
  expect(sumWords(hex("01 02 03"))).toBe(0x0102 + 0x0300);
});

test("a part of an array is summed by its bounds", () => {
  expect(sumWords(hex("ff ff 01 02 ff ff"), 2, 4)).toBe(0x0102);
});

test("a carry out of the carry is folded in as well", () => {
  expect(fold(0x1_ffff)).toBe(1);
  expect(fold(0xffff_ffff)).toBe(0xffff);
  expect(fold(0xffff_ffff_ff)).toBe(fold(0xffff + 0xffff + 0xff));
});

test("the pseudo-header counts addresses, protocol and length", () => {
  const header = hex("c000020b e0000012 00 70 000c");
  expect(sumPseudoHeader(address("192.0.2.11"), address("224.0.0.18"), 112, 12)).toBe(sumWords(header));
  const header6 = hex(
    "fe80 0000 0000 0000 0000 0000 0000 0011 ff02 0000 0000 0000 0000 0000 0000 0012 00000028 00000070",
  );
  expect(sumPseudoHeader(address("fe80::11"), address("ff02::12"), 112, 40)).toBe(sumWords(header6));
});

test("data with its checksum in place sums to all ones", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (data) => {
      const even = data.length % 2 === 0 ? data : Uint8Array.of(...data, 0);
      const checksum = checksumOf(sumWords(even));
      expect(fold(sumWords(even) + checksum)).toBe(0xffff);
    }),
  );
});
