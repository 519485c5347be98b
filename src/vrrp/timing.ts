/** Skew_Time and Active_Down_Interval: RFC 9568 section 6.1, RFC 3768 section 6.1. Never rounded. */
import type { Milliseconds, VrrpVersion } from "./parameters.ts";

/**
 * In version 3 the skew scales with the interval of the active router; in version 2 it is a fraction of a second,
 * whatever the interval.
 */
export function skewTime(version: VrrpVersion, priority: number, interval: Milliseconds): Milliseconds {
  return ((256 - priority) * (version === 3 ? interval : 1000)) / 256;
}

export function activeDownInterval(version: VrrpVersion, priority: number, interval: Milliseconds): Milliseconds {
  return 3 * interval + skewTime(version, priority, interval);
}

/**
 * How long a router listens that was not run for longer than others wait for it: whoever is active advertises within
 * one interval. The skew keeps several such routers apart.
 */
export function listeningTime(version: VrrpVersion, priority: number, interval: Milliseconds): Milliseconds {
  return interval + skewTime(version, priority, interval);
}

/** The next point of the grid `start + n * interval` that lies after `now`. */
export function nextOnGrid(start: Milliseconds, interval: Milliseconds, now: Milliseconds): Milliseconds {
  const passed = Math.floor((now - start) / interval);
  return start + (Math.max(passed, 0) + 1) * interval;
}
