import { addon } from "./addon.ts";

/** CLOCK_MONOTONIC in milliseconds with fractions: the clock of OneShotTimer and of receive timestamps. */
export function now(): number {
  return addon().now();
}
