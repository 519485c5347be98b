import type { Milliseconds } from "../vrrp/parameters.ts";

/** A child that lived this long was healthy: its death is a new story. */
export const healthyLife: Milliseconds = 60_000;
export const longestDelay: Milliseconds = 60_000;

/**
 * How long to wait before a dead child is started again: at once the first time, then 1, 2, 4 … 60 s,
 * so that a child that dies at start does not eat the machine.
 */
export function restartDelay(previous: Milliseconds | undefined, lived: Milliseconds): Milliseconds {
  if (previous === undefined || lived >= healthyLife) return 0;
  return previous === 0 ? 1000 : Math.min(previous * 2, longestDelay);
}
