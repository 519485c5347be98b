/**
 * The sequence number of signed advertisements: a time stamp with a counter below it, 64 bits that only grow.
 * Two halves of 32 bits, because a number holds 53. Compared by serial number arithmetic (RFC 1982), so that the end of
 * the seconds in 2106 is passed without a jump.
 */
import type { Milliseconds } from "./parameters.ts";

export interface Sequence {
  /** Since 1970, modulo 2^32. */
  readonly seconds: number;
  /** 1/65536 s in the upper half, a counter in the lower one. */
  readonly fraction: number;
}

export function sequenceAt(time: Milliseconds): Sequence {
  const seconds = Math.floor(time / 1000);
  const part = Math.floor(((time - seconds * 1000) * 0x10000) / 1000);
  return { seconds: seconds >>> 0, fraction: (part << 16) >>> 0 };
}

export function successorOf({ seconds, fraction }: Sequence): Sequence {
  if (fraction < 0xffff_ffff) return { seconds, fraction: fraction + 1 };
  return { seconds: (seconds + 1) >>> 0, fraction: 0 };
}

/** Whether `a` comes after `b`, which is so when it is less than 2^63 ahead. */
export function isAfter(a: Sequence, b: Sequence): boolean {
  const borrow = a.fraction < b.fraction ? 1 : 0;
  const high = (a.seconds - b.seconds - borrow) | 0;
  return high > 0 || (high === 0 && a.fraction !== b.fraction);
}

/** How many seconds the stamp is ahead of `time`; negative when it lies behind. */
export function secondsAhead(sequence: Sequence, time: Milliseconds): number {
  return (sequence.seconds - Math.floor(time / 1000)) | 0;
}
