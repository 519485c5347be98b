import fc from "fast-check";
import { expect, test } from "vitest";
import { isAfter, type Sequence, secondsAhead, sequenceAt, successorOf } from "../../src/vrrp/sequence.ts";
import { formatUtc } from "../../src/vrrp/utc.ts";

const half = fc.integer({ min: 0, max: 0xffff_ffff });
const sequences = fc.record({ seconds: half, fraction: half });
const numberOf = ({ seconds, fraction }: Sequence) => (BigInt(seconds) << 32n) | BigInt(fraction);

test("a time becomes its seconds and its parts of 65536, with the counter at zero", () => {
  expect(sequenceAt(1_790_000_000_500)).toEqual({ seconds: 1_790_000_000, fraction: 0x8000_0000 });
  expect(sequenceAt(1_790_000_000_999)).toEqual({ seconds: 1_790_000_000, fraction: 65_470 * 0x10000 });
  expect(sequenceAt(2 ** 32 * 1000 + 1000)).toEqual({ seconds: 1, fraction: 0 });
});

test("the order is that of 64-bit serial numbers", () => {
  fc.assert(
    fc.property(sequences, sequences, (a, b) => {
      const difference = BigInt.asIntN(64, numberOf(a) - numberOf(b));
      expect(isAfter(a, b)).toBe(difference > 0n);
    }),
    { numRuns: 2000 },
  );
});

test("the successor is one more, over every border, and after what it succeeds", () => {
  const borders = fc.constantFrom(
    { seconds: 7, fraction: 0xffff_ffff },
    { seconds: 0xffff_ffff, fraction: 0xffff_ffff },
    { seconds: 7, fraction: 0xffff },
  );
  fc.assert(
    fc.property(fc.oneof(sequences, borders), (sequence) => {
      const next = successorOf(sequence);
      expect(numberOf(next)).toBe(BigInt.asUintN(64, numberOf(sequence) + 1n));
      expect(isAfter(next, sequence)).toBe(true);
      expect(isAfter(sequence, next)).toBe(false);
    }),
  );
});

test("later times give later numbers, as long as they differ by a millisecond", () => {
  const time = fc.integer({ min: 0, max: 2 ** 42 });
  fc.assert(
    fc.property(time, fc.integer({ min: 1, max: 1_000_000 }), (at, later) => {
      expect(isAfter(sequenceAt(at + later), sequenceAt(at))).toBe(true);
      expect(secondsAhead(sequenceAt(at + later), at)).toBe(Math.floor((at + later) / 1000) - Math.floor(at / 1000));
    }),
  );
});

test("the end of the seconds in 2106 is passed without a jump", () => {
  const end = 2 ** 32 * 1000;
  expect(isAfter(sequenceAt(end), sequenceAt(end - 1))).toBe(true);
  expect(secondsAhead(sequenceAt(end + 2000), end - 1000)).toBe(3);
  expect(secondsAhead(sequenceAt(end - 1000), end + 2000)).toBe(-3);
});

test("a time in words is what Date makes of it", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 32 * 1000 }), (time) => {
      expect(formatUtc(time)).toBe(new Date(time).toISOString());
    }),
    { numRuns: 2000 },
  );
});
