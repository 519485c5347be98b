/**
 * What the state machine of router.ts works on. Deadlines are data held by the state that owns them, so a stale timer
 * cannot be represented and an early wake-up changes nothing.
 */
import type { IpAddress } from "../wire/address.ts";
import type { Instant, Milliseconds, VrrpVersion } from "./parameters.ts";
import type { Cause } from "./reasons.ts";

export interface RouterParameters {
  readonly version: VrrpVersion;
  /** Effective priority, 1..255; 255 is the address owner. */
  readonly priority: number;
  readonly interval: Milliseconds;
  readonly preempt: boolean;
  readonly preemptDelay: Milliseconds;
  /** Source of our own advertisements: our side of a tie. */
  readonly address: IpAddress;
  /** Routers of one group become active together: each waits for a "grant" instead of acting alone. */
  readonly coupled: boolean;
  /** In a group one router decides ties by address for all: two families may order the same two nodes differently. */
  readonly decidesTies: boolean;
  readonly maxLearnedInterval?: Milliseconds;
  /** A priority that falls is told with priority 0 before it: better backups then wait for Skew_Time only. */
  readonly yieldOnLowerPriority: boolean;
}

export interface Peer {
  readonly source: IpAddress;
  readonly priority: number;
  readonly at: Instant;
}

export interface Initialize {
  readonly name: "initialize";
}

export interface Backup {
  readonly name: "backup";
  readonly activeAdverInterval: Milliseconds;
  readonly activeDownTimer: Instant;
  /** When the running timer was started, and whether it runs for Skew_Time because the active router resigned. */
  readonly timerStart: Instant;
  readonly resigned: boolean;
  /** The interval was learned from a peer, not taken from our own configuration. */
  readonly learned: boolean;
  /** Sender of the last advertisement that was accepted. */
  readonly active?: Peer;
  /** Sender of the last advertisement that was discarded for its lower priority. */
  readonly lesser?: Peer;
  /** When the preemption delay began: the first lower advertisement of a living active router. */
  readonly delaySince?: Instant;
  /** The timer ran out, but the other routers of the group are not ready to become active. */
  readonly willing: boolean;
  /** This router was not run for a while: the silence of others is not believed before this instant. */
  readonly listenUntil?: Instant;
  /** When that listening began; another absence prolongs it. */
  readonly listenSince?: Instant;
}

export interface Active {
  readonly name: "active";
  readonly adverTimer: Instant;
  /** Before this instant nothing is sent off the grid: neither a flood nor a flapping check is passed on one to one. */
  readonly answerAfter: Instant;
  /** A changed priority that has not been told yet, and whether telling it means to yield. */
  readonly owed?: "advertisement" | "yield";
  /** The router we took over from because it fell silent: perhaps it lives behind a cut, still active. */
  readonly silenced?: IpAddress;
  /** A tie that another router of the group should have decided, with the first and the last advertisement of it. */
  readonly tie?: { readonly since: Instant; readonly last: Instant };
}

export type State = Initialize | Backup | Active;

export type Event =
  | { readonly type: "startup" }
  | { readonly type: "shutdown"; readonly why: string }
  | { readonly type: "timer" }
  /** A packet that passed every check of section 7.1; `at` is its arrival. */
  | {
      readonly type: "advertisement";
      readonly priority: number;
      readonly interval: Milliseconds;
      readonly source: IpAddress;
      readonly at: Instant;
    }
  /** Parameters other than the identity changed; the ones given to `step` are the new ones. */
  | { readonly type: "parameters"; readonly priority?: "raised" | "lowered" }
  /** Every router of the group is willing. */
  | { readonly type: "grant" }
  /** Another router of the group lost the role. */
  | { readonly type: "yield"; readonly why?: string }
  /** This router was not run for so long that others may have acted: `silent` since its advertisement was due, or sent. */
  | { readonly type: "stalled"; readonly silent: Milliseconds };

export type Action =
  | { readonly type: "send-advertisement"; readonly priority: number }
  | { readonly type: "add-addresses" }
  | { readonly type: "remove-addresses" }
  | { readonly type: "announce-addresses" }
  /** A lesser router believes it is active: whoever followed it must be led back. */
  | { readonly type: "lesser-active"; readonly peer: Peer; readonly interval: Milliseconds }
  | { readonly type: "own-packet" };

/** Actions are performed in the order given. */
export interface Step {
  readonly state: State;
  readonly actions: readonly Action[];
  /** Set exactly when the state's name changed. */
  readonly cause?: Cause;
}
