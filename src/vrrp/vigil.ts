/**
 * Whether a router was run when it should have been. A process that was stopped, a machine that was paused or suspended
 * heard nothing meanwhile, and what it did not hear is no evidence: it listens before it asserts anything.
 *
 * A backup that hears its active router is woken by nothing else. When an advertisement stays out it looks up once an
 * interval, so that one look that comes late tells that time has passed without it.
 */
import type { Instant, Milliseconds } from "./parameters.ts";
import { deadline, type RouterParameters, type State } from "./router.ts";
import { activeDownInterval } from "./timing.ts";

/** In intervals: advertisements that come in time never let the first look happen. */
const untilFirstLook = 1.5;
const betweenLooks = 1;
/** Lateness that a loaded machine has every day. */
const everyday: Milliseconds = 20;

/** When a backup looks up although nothing has happened, and how often it has done so. */
export interface Look {
  readonly at: Instant;
  readonly missed: number;
}

/** The next look; `looked` tells that this was one and not an advertisement. */
export function nextLook(state: State, before: Look | undefined, looked: boolean, now: Instant): Look | undefined {
  if (state.name !== "backup") return undefined;
  const after = looked ? betweenLooks : untilFirstLook;
  return { at: now + after * state.activeAdverInterval, missed: looked ? (before?.missed ?? 0) + 1 : 0 };
}

/** When the router has to be run. */
export function wakeAt(state: State, look: Look | undefined): Instant | undefined {
  const at = deadline(state);
  return at === undefined || look === undefined ? at : Math.min(at, look.at);
}

export interface Absence {
  /** How late the router was run: the least that it was away for. */
  readonly late: Milliseconds;
  /** Since its last advertisement or look. */
  readonly silent: Milliseconds;
  /** Long enough to be told: more than two intervals. */
  readonly stall: boolean;
  /** Others may have acted meanwhile: it has to listen first. */
  readonly mustListen: boolean;
}

/** Undefined while it is in time. */
export function absence(
  router: RouterParameters,
  state: State,
  look: Look | undefined,
  now: Instant,
): Absence | undefined {
  const due = wakeAt(state, look);
  if (due === undefined || now - due <= everyday) return undefined;
  const late = now - due;
  if (state.name === "backup") {
    const interval = state.activeAdverInterval;
    return { late, silent: late, stall: late > 2 * interval, mustListen: late > interval / 2 };
  }
  const silent = late + router.interval;
  const { version, priority, interval } = router;
  // A backup of lower priority waits longer than this before it takes over; a better one is obeyed when it is heard.
  const mustListen = priority !== 255 && silent > activeDownInterval(version, priority, interval);
  return { late, silent, stall: late > 2 * interval, mustListen };
}
