import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeAddress } from "../../src/netlink/address.ts";
import { AttributeReader, BodyWriter } from "../../src/netlink/attributes.ts";
import { decodeLink } from "../../src/netlink/link.ts";
import { decodeAnswer, MessageReader } from "../../src/netlink/message.ts";
import { decodeNeighbor } from "../../src/netlink/neighbor.ts";
import { decodeRoute } from "../../src/netlink/route.ts";
import { decodeRule } from "../../src/netlink/rule.ts";
import { hex, toHex } from "../support/hex.ts";

test("a body is a structure, then attributes padded with zeros, whatever was in the buffer", () => {
  const writer = new BodyWriter(6, new Uint8Array(20).fill(0xa5));
  writer.setU8(0, 2);
  writer.setU16(2, 0x1234);
  writer.setU32(4, 0xfffffffe);
  writer.u8(1, 0xff);
  writer.u16(2, 0x0102);
  writer.u32(3, 7, 8);
  writer.text(4, "ab");
  writer.bytes(5, hex("010203"));
  writer.nested(6, () => writer.u8(1, 9));
  writer.nested(7, () => {});
  const expected = `02003412 feffffff 05000100ff000000 0600020002010000 0c0003000700000008000000
    0700040061620000 0700050001020300 0c000600 0500010009000000 04000700`;
  expect(toHex(writer.finish())).toBe(expected.replace(/\s/g, ""));
});

test("a value is not lost when the buffer grows for it", () => {
  for (let size = 0; size <= 24; size++) {
    const writer = new BodyWriter(4, new Uint8Array(size));
    for (let i = 0; i < 3; i++) writer.u8(i, i + 7);
    expect(toHex(writer.finish())).toBe("00000000050000000700000005000100080000000500020009000000");
  }
});

test("64-bit numbers are exact up to 2^53", () => {
  const reader = new AttributeReader(hex("0c000100ffffffffffff1f00 0c000200010000000000000008000300 01000000"), 0);
  const seen: number[] = [];
  while (reader.next()) seen.push(reader.u64());
  expect([seen, reader.bad]).toEqual([[Number.MAX_SAFE_INTEGER, 1, 0], true]);
});

test("attributes are read by type; one of the wrong width makes the reader bad for good", () => {
  const reader = new AttributeReader(hex("05000100ff000000 0800020001000000 0700830061620000"), 0);
  const seen: unknown[] = [];
  while (reader.next())
    seen.push([reader.type, reader.type === 1 ? reader.u8() : reader.type === 2 ? reader.u32() : reader.text()]);
  expect([seen, reader.bad]).toEqual([
    [
      [1, 255],
      [2, 1],
      [0x83, "ab"],
    ],
    false,
  ]);
  const wrong = new AttributeReader(hex("05000100ff000000 0800020001000000"), 0);
  wrong.next();
  expect(wrong.u32()).toBe(0);
  wrong.next();
  expect([wrong.u32(), wrong.bad]).toEqual([1, true]);
});

test("what is bad inside is bad outside", () => {
  const reader = new AttributeReader(hex("0c00018005000200ff000000"), 0);
  reader.next();
  const inner = reader.nested();
  inner.next();
  inner.u32();
  expect(reader.bad).toBe(true);
});

test.each([
  ["shorter than its own header", "0300010000000000"],
  ["longer than the message", "0900010000000000"],
])("an attribute %s ends the walk", (_name, bytes) => {
  const reader = new AttributeReader(hex(bytes), 0);
  expect([reader.next(), reader.bad]).toEqual([false, true]);
});

test.each([
  ["shorter than its header", "0f000000020000000000000000000000"],
  ["longer than the datagram", "15000000020000000000000000000000"],
  ["cut in its header", "1000000002000000"],
])("a message %s ends the walk", (_name, bytes) => {
  const reader = new MessageReader(hex(bytes));
  expect([reader.next(), reader.bad]).toEqual([false, true]);
});

test("no bytes make a decoder throw or walk for ever", () => {
  const decoders = [decodeLink, decodeAddress, decodeRoute, decodeRule, decodeNeighbor];
  // Plausible lengths and types, so that the walk gets somewhere.
  const attribute = fc
    .tuple(fc.integer({ min: 0, max: 24 }), fc.integer({ min: 0, max: 32 }), fc.uint8Array({ maxLength: 20 }))
    .map(([length, type, value]) => [length, 0, type, 0, ...value]);
  const body = fc
    .tuple(fc.constantFrom(0, 2, 10), fc.uint8Array({ maxLength: 16 }), fc.array(attribute, { maxLength: 6 }))
    .map(([family, head, attributes]) => Uint8Array.from([family, ...head, ...attributes.flat()]));
  fc.assert(
    fc.property(body, (bytes) => {
      for (const decode of decoders) decode(bytes);
      decodeAnswer(bytes, 2, 0x300);
      decodeAnswer(bytes, 2, 0x200);
      const reader = new MessageReader(bytes);
      while (reader.next()) reader.payload();
    }),
    { numRuns: 2000 },
  );
});
