import fc from "fast-check";
import { expect, test } from "vitest";
import { CaptureReader } from "../../src/wire/pcap.ts";
import { joined, pcap, pcapng, pcapngBlock, uint32s } from "../support/captures.ts";
import { hex } from "../support/hex.ts";

const frames = [hex("0102030405"), hex(""), hex("06070809")];

function readAll(file: Uint8Array, chunk = file.length || 1) {
  const reader = new CaptureReader();
  const packets: { linkType: number; bytes: Uint8Array; length: number; at: bigint | undefined }[] = [];
  for (let at = 0; at < file.length; at += chunk) {
    for (const packet of reader.push(file.subarray(at, at + chunk))) {
      packets.push({ ...packet, bytes: new Uint8Array(packet.bytes) });
    }
  }
  return { packets, problem: reader.finish() };
}

const at = [1_700_000_000, 123_456] as const;

test.each([
  ["pcap, little-endian, microseconds", pcap(frames, { linkType: 113, at }), 1_700_000_000_123_456_000n],
  [
    "pcap, big-endian, microseconds",
    pcap(frames, { linkType: 113, at, littleEndian: false }),
    1_700_000_000_123_456_000n,
  ],
  [
    "pcap, little-endian, nanoseconds",
    pcap(frames, { linkType: 113, at, nanoseconds: true }),
    1_700_000_000_000_123_456n,
  ],
  [
    "pcap, big-endian, nanoseconds",
    pcap(frames, { linkType: 113, at, littleEndian: false, nanoseconds: true }),
    1_700_000_000_000_123_456n,
  ],
  ["pcapng, little-endian", pcapng(frames, 113), 0n],
  ["pcapng, big-endian", pcapng(frames, 113, false), 0n],
])("%s is read, in pieces of any size", (_what, file, at) => {
  const expected = frames.map((bytes) => ({ linkType: 113, bytes, length: bytes.length, at }));
  for (const chunk of [file.length, 1, 7]) {
    expect(readAll(file, chunk)).toEqual({ packets: expected, problem: undefined });
  }
});

test("the length of the frame check sequence is no part of the link type", () => {
  const file = pcap(frames, { linkType: 0x5400_0001 });
  expect(readAll(file).packets[0]?.linkType).toBe(1);
});

test("a packet cut by the capture tells its length on the wire", () => {
  expect(readAll(pcap(frames, { snapLength: 3 })).packets[0]).toEqual({
    linkType: 1,
    bytes: hex("010203"),
    length: 5,
    at: 1_700_000_000_000_000_000n,
  });
});

test("pcapng blocks of other kinds are passed over, whatever their size", () => {
  const names = pcapngBlock(4, new Uint8Array(5_000_000));
  const { packets, problem } = readAll(joined(pcapng([]), names, pcapng(frames, 101)), 65536);
  expect(problem).toBeUndefined();
  expect(packets.map(({ linkType }) => linkType)).toEqual([101, 101, 101]);
});

test.each([
  ["microseconds, the default", hex(""), 1_700_000_000_123_456n, 1_700_000_000_123_456_000n],
  ["nanoseconds", hex("0900 0100 09000000 0000 0000"), 1_700_000_000_123_456_789n, 1_700_000_000_123_456_789n],
  ["powers of two", hex("0900 0100 8a000000"), 1024n * 1_700_000_000n + 256n, 1_700_000_000_250_000_000n],
  [
    "seconds, after a name, with an offset",
    hex("0200 0300 61626300 0900 0100 00000000 0e00 0800 0a00000000000000"),
    5n,
    15_000_000_000n,
  ],
  ["options that contradict themselves", hex("0900 ffff"), 1_000_000n, 1_000_000_000n],
])("pcapng counts time as its interface says: %s", (_what, options, units, at) => {
  const description = joined(hex("0100 0000 00000000"), options);
  const packet = uint32s([0, Number(units >> 32n), Number(units & 0xffffffffn), 0, 0], true);
  const file = joined(pcapng([]).subarray(0, 28), pcapngBlock(1, description), pcapngBlock(6, packet));
  for (const chunk of [file.length, 1]) expect(readAll(file, chunk).packets[0]?.at).toBe(at);
});

test("an interface block of any size is read, its options when they are of a sensible size", () => {
  const description = joined(hex("0100 0000 00000000"), new Uint8Array(5_000_000));
  const packet = pcapngBlock(6, uint32s([0, 0, 7, 0, 0], true));
  const file = joined(pcapng([]).subarray(0, 28), pcapngBlock(1, description), packet);
  expect(readAll(file, 65_536)).toMatchObject({ packets: [{ at: 7000n }], problem: undefined });
});

test("a new pcapng section forgets the interfaces of the one before", () => {
  const section = pcapng([]).subarray(0, 28);
  const packet = pcapngBlock(6, uint32s([0, 0, 0, 0, 0], true));
  expect(readAll(joined(pcapng(frames), section, packet)).problem).toBe(
    "packet 4 is of an interface that is not described",
  );
});

test("simple packet blocks are as long as the snap length lets them be", () => {
  const simple = pcapngBlock(3, joined(uint32s([5], true), hex("0102030405")));
  expect(readAll(joined(pcapng([]), simple)).packets).toEqual([{ linkType: 1, bytes: hex("0102030405"), length: 5 }]);
  const [section, limited] = [pcapng([]).subarray(0, 28), pcapngBlock(1, uint32s([1, 4], true))];
  const cut = pcapngBlock(3, joined(uint32s([5], true), hex("01020304")));
  expect(readAll(joined(section, limited, cut)).packets).toEqual([{ linkType: 1, bytes: hex("01020304"), length: 5 }]);
});

test("the packet blocks of old pcapng files are read", () => {
  const old = pcapngBlock(2, joined(uint32s([0, 0, 7, 2, 2], true), hex("0102")));
  expect(readAll(joined(pcapng([]), old)).packets).toEqual([{ linkType: 1, bytes: hex("0102"), length: 2, at: 7000n }]);
});

const whole = pcap(frames);
test.each([
  ["an empty file", hex(""), "the file is empty"],
  ["three bytes", hex("d4c3b2"), "not a pcap or pcapng file"],
  ["text", new TextEncoder().encode("vrrp_instance {"), "not a pcap or pcapng file"],
  ["a compressed file", hex("1f8b0800 00000000"), "compressed with gzip: unpack it first"],
  ["a file cut in a record header", whole.subarray(0, 30), "the file ends in the middle of a record, after packet 0"],
  ["a file cut in a packet", whole.subarray(0, -1), "the file ends in the middle of a record, after packet 2"],
  [
    "a pcapng file cut in a block",
    pcapng(frames).subarray(0, -1),
    "the file ends in the middle of a record, after packet 2",
  ],
  [
    "a length that no packet has",
    joined(whole, uint32s([0, 0, 0xffffffff, 0xffffffff], true)),
    "packet 4 claims 4294967295 bytes, more than any packet has: the file is damaged",
  ],
  [
    "a block shorter than its frame",
    joined(pcapng(frames), uint32s([6, 8, 0], true)),
    "a block of 8 bytes after packet 3: the file is damaged",
  ],
  [
    "a packet block too short for its fields",
    joined(pcapng([]), pcapngBlock(6, new Uint8Array(8))),
    "a packet block of 20 bytes after packet 0: the file is damaged",
  ],
  [
    "a packet longer than its block",
    joined(pcapng([]), pcapngBlock(6, uint32s([0, 0, 0, 99, 99], true))),
    "packet 1 claims more bytes than its block has",
  ],
  [
    "a packet block larger than any packet",
    joined(pcapng([]), uint32s([6, 0x7ffffffc, 0], true)),
    "packet 1 claims 2147483644 bytes, more than any packet has: the file is damaged",
  ],
])("%s is a problem in words", (_what, file, problem) => {
  expect(readAll(file).problem).toBe(problem);
});

test("a damaged file gives the packets before the damage", () => {
  const file = joined(pcap(frames, { linkType: 113 }), uint32s([0, 0, 0xffffffff, 1], true));
  expect(readAll(file).packets.map(({ bytes }) => bytes)).toEqual(frames);
});

test("no bytes make the reader throw or give more than it was given", () => {
  const start = fc.constantFrom(pcap([]), pcap([], { littleEndian: false }), pcapng([]), pcapng([], 1, false), hex(""));
  const tail = fc.array(fc.oneof(fc.integer({ min: 0, max: 64 }), fc.constantFrom(0xffffffff, 0x0a0d0d0a)), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(
      start,
      tail,
      fc.uint8Array({ maxLength: 40 }),
      fc.integer({ min: 1, max: 90 }),
      (head, words, rest, chunk) => {
        const file = joined(head, uint32s(words, true), rest);
        const { packets } = readAll(file, chunk);
        expect(packets.reduce((sum, { bytes }) => sum + bytes.length, 0)).toBeLessThanOrEqual(file.length);
        expect(packets).toEqual(readAll(file).packets);
      },
    ),
    { numRuns: 300 },
  );
});
