import { addon } from "./addon.ts";

/**
 * CLOCK_BOOTTIME in milliseconds with fractions: the clock of OneShotTimer and of receive timestamps. It is monotonic,
 * and it goes on while the machine is suspended.
 */
export function now(): number {
  return addon().now();
}

/** For how long the machine was suspended since it was started, in milliseconds: CLOCK_BOOTTIME less CLOCK_MONOTONIC. */
export function suspended(): number {
  return addon().suspended();
}

/** Milliseconds of a processor that this thread has had: they stand still while others have it. */
export function threadTime(): number {
  return addon().threadTime();
}
