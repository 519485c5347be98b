import { expect, test } from "vitest";
import { fold, sumWords } from "../../src/wire/checksum.ts";
import { decodeEchoReply, encodeEchoRequest } from "../../src/wire/icmp.ts";
import { hex, toHex } from "../support/hex.ts";

const echo = { identifier: 0x1234, sequence: 1, data: hex("00010203") };

test("an echo request of ICMP carries its checksum", () => {
  const bytes = encodeEchoRequest(4, echo);
  expect(toHex(bytes)).toMatch(/^0800....1234000100010203$/);
  expect(fold(sumWords(bytes))).toBe(0xffff);
});

test("an echo request of ICMPv6 leaves the checksum to the kernel", () => {
  expect(toHex(encodeEchoRequest(6, echo))).toBe("800000001234000100010203");
});

test("an echo reply is told from everything else", () => {
  expect(decodeEchoReply(4, hex("000000001234000100010203"))).toEqual(echo);
  expect(decodeEchoReply(6, hex("810000001234000100010203"))).toEqual(echo);
  for (const other of ["080000001234000100010203", "000100001234000100010203", "00000000123400"]) {
    expect(decodeEchoReply(4, hex(other)), other).toBeUndefined();
  }
  expect(decodeEchoReply(6, hex("000000001234000100010203"))).toBeUndefined();
});
