/** What is remembered of a virtual server between two decisions. Plain values. */

import type { ServerState } from "./status.ts";

/** Milliseconds of the clock that nobody sets. */
export type Instant = number;

export interface Moment {
  readonly instant: Instant;
  /** Milliseconds since 1970: for people, and for what an operator gave an end. */
  readonly wall: number;
}

/** By the checks, flap damping included. */
export type Health = "unknown" | "up" | "down";

export interface Change {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly state: ServerState;
  readonly reason: string;
}

export interface ServerMemory {
  /** As the checks have it, undamped. */
  readonly health: Health;
  /** When it last went from up to down or back; as many as damping counts. */
  readonly flaps: readonly Instant[];
  readonly damped: boolean;
  /** It takes its share, or would if it were not drained; without a result it goes on as it is. */
  readonly inService: boolean;
  /** Since when it is down. */
  readonly failedAt?: Instant;
  /** It was quiesced, and then taken out. */
  readonly removed: boolean;
  /** It came back then, and its weight grows since. */
  readonly slowSince?: Instant;
  readonly state: ServerState;
  readonly reason: string;
  /** Of the state; milliseconds since 1970. */
  readonly since: number;
  /** The last ones, the newest at the end. */
  readonly changes: readonly Change[];
}

/** A destination that is not declared and goes when its connections have ended. */
export interface Leaving {
  readonly until: Instant;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly reason: string;
  /** As it was when it left the file: it goes on from there when it comes back. */
  readonly memory?: ServerMemory;
}

/** How the sorry server goes when it is not needed: when its connections have ended, or its time is over. */
export interface SorryLeaving {
  readonly until: Instant;
  /** It has connections from the time when it was a real server. */
  readonly wasServer: boolean;
}

export interface VirtualServerMemory {
  /** Nothing has been decided since the start: what is found in the table counts for more than what is remembered. */
  readonly fresh: boolean;
  /** By destination as text. */
  readonly servers: ReadonlyMap<string, ServerMemory>;
  readonly leaving: ReadonlyMap<string, Leaving>;
  /** Undefined: not enough results yet. */
  readonly quorum: boolean | undefined;
  readonly standingIn: boolean;
  readonly sorryLeaves?: SorryLeaving;
  /** Since when the sorry server stands in for servers that are up. */
  readonly suppressedAt?: Instant;
  readonly panic: boolean;
  readonly state: "up" | "quorum_lost" | "down";
  readonly reason: string;
  /** Of the state; milliseconds since 1970. */
  readonly since: number;
}

export function newMemory(now: Moment): VirtualServerMemory {
  return {
    fresh: true,
    servers: new Map(),
    leaving: new Map(),
    quorum: undefined,
    standingIn: false,
    panic: false,
    state: "down",
    reason: "no result yet",
    since: now.wall,
  };
}
