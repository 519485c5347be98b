import { expect, test } from "vitest";
import { writeUint16 } from "../../src/wire/bytes.ts";
import { checksumOf, sumPseudoHeader, sumWords } from "../../src/wire/checksum.ts";
import {
  decodeAdvertisementMessage,
  decodeNeighbor,
  encodeSolicitation,
  encodeUnsolicitedAdvertisement,
} from "../../src/wire/neighbor.ts";
import { hex } from "../support/hex.ts";
import { address } from "../support/packets.ts";

const mac = hex("00005e000233");
const advertisement = encodeUnsolicitedAdvertisement(mac, address("2001:db8::1"));

test("an unsolicited advertisement tells all nodes where the address is (RFC 4861 section 7.2.6)", () => {
  expect(advertisement).toHaveLength(86);
  expect(advertisement.subarray(0, 22)).toEqual(hex("333300000001 00005e000233 86dd 60000000 0020 3a ff"));
  expect(advertisement.subarray(58, 62)).toEqual(hex("a0000000"));
  expect(decodeNeighbor(advertisement)).toEqual({
    kind: "advertisement",
    router: true,
    solicited: false,
    override: true,
    frameSource: mac,
    source: address("2001:db8::1"),
    destination: address("ff02::1"),
    target: address("2001:db8::1"),
    mac,
  });
});

test("encoding leaves no byte of the memory as it was", () => {
  const into = new Uint8Array(86).fill(0xa5);
  expect(encodeUnsolicitedAdvertisement(mac, address("2001:db8::1"), into)).toBe(into);
  expect(into).toEqual(advertisement);
});

test("a question goes to the group of those whose address ends alike (RFC 4861 section 7.2.2)", () => {
  const frame = encodeSolicitation(hex("02000000010b"), address("fe80::1:b"), address("2001:db8::1234:5678"));
  expect(frame.subarray(0, 14)).toEqual(hex("3333ff345678 02000000010b 86dd"));
  expect(decodeNeighbor(frame)).toEqual({
    kind: "solicitation",
    router: false,
    solicited: false,
    override: false,
    frameSource: hex("02000000010b"),
    source: address("fe80::1:b"),
    destination: address("ff02::1:ff34:5678"),
    target: address("2001:db8::1234:5678"),
    mac: hex("02000000010b"),
  });
});

test("the message of an advertisement tells who claims what, without its headers", () => {
  const message = advertisement.subarray(54);
  expect(decodeAdvertisementMessage(message)).toEqual({ target: address("2001:db8::1"), mac });
  expect(decodeAdvertisementMessage(message.subarray(0, 24))).toEqual({
    target: address("2001:db8::1"),
    mac: undefined,
  });
  expect(decodeAdvertisementMessage(message.subarray(0, 23))).toBeUndefined();
  expect(decodeAdvertisementMessage(Uint8Array.of(135, ...message.subarray(1)))).toBeUndefined();
  expect(decodeAdvertisementMessage(Uint8Array.of(136, 1, ...message.subarray(2)))).toBeUndefined();
  expect(decodeAdvertisementMessage(altered({ 79: 0 }).subarray(54))).toBeUndefined();
});

test("a solicitation is taken apart, with and without its option", () => {
  const asked = altered({ 54: 135, 58: 0, 78: 1 });
  expect(decodeNeighbor(asked)).toMatchObject({ kind: "solicitation", router: false, override: false, mac });
  expect(decodeNeighbor(altered({ 54: 135, 58: 0, 78: 14 }))?.mac).toBeUndefined();
  const bare = altered({ 54: 135, 19: 24 }).subarray(0, 78);
  expect(decodeNeighbor(resummed(bare))).toMatchObject({ kind: "solicitation", mac: undefined });
});

test.each([
  ["a hop limit below 255", { 21: 254 }],
  ["a code that is not 0", { 55: 1 }],
  ["another ICMPv6 type", { 54: 134 }],
  ["an option of length 0", { 79: 0 }],
  ["an option longer than the packet", { 79: 2 }],
  ["another next header", { 20: 17 }],
])("%s is refused (RFC 4861 section 7.1)", (_what, bytes) => {
  expect(decodeNeighbor(altered(bytes))).toBeUndefined();
});

test("a wrong checksum is refused", () => {
  const frame = Uint8Array.of(...advertisement);
  frame[70] = 1;
  expect(decodeNeighbor(frame)).toBeUndefined();
});

test("every prefix of a frame is refused", () => {
  for (let length = 0; length < 86; length++) expect(decodeNeighbor(advertisement.subarray(0, length))).toBeUndefined();
});

function altered(bytes: Readonly<Record<number, number>>): Uint8Array {
  const frame = Uint8Array.of(...advertisement);
  for (const [at, value] of Object.entries(bytes)) frame[Number(at)] = value;
  return resummed(frame);
}

function resummed(frame: Uint8Array): Uint8Array {
  writeUint16(frame, 56, 0);
  const message = frame.subarray(54);
  const pseudo = sumPseudoHeader(frame.subarray(22, 38), frame.subarray(38, 54), 58, message.length);
  writeUint16(frame, 56, checksumOf(pseudo + sumWords(message)));
  return frame;
}
