/** What a check tells about itself. */
import { type Advice, describeAdvice } from "./advice.ts";

export type CheckState = "up" | "down" | "unknown";

export interface CheckStatus {
  readonly name: string;
  readonly type: string;
  readonly state: CheckState;
  /** ISO 8601 time of the last change of `state`. */
  readonly since: string;
  /** Of the last change. */
  readonly reason: string;
  /** The last run; null when there was none. */
  readonly last: CheckResultStatus | null;
  /** Results in a row that are needed to change the state. */
  readonly rise: number;
  readonly fall: number;
  /** Results in a row now; one of the two is 0. */
  readonly successes: number;
  readonly failures: number;
  /** Since the check was added, or the checks process was started. */
  readonly runs: number;
  readonly failed_runs: number;
  readonly interval_ms: number;
  readonly timeout_ms: number;
  /** Newest last, at most 20. */
  readonly changes: readonly { readonly at: string; readonly state: CheckState; readonly reason: string }[];
  /** What it warns of although it is up, in words: a certificate that expires soon. */
  readonly warning: string | null;
  /** What it says to the load balancer; null for most types. */
  readonly advice: AdviceStatus | null;
}

/** Null: nothing was said of it. */
export interface AdviceStatus {
  /** All of it in words. */
  readonly summary: string;
  readonly weight: number | null;
  readonly weight_percent: number | null;
  readonly weight_offset: number | null;
  readonly mode: "ready" | "drain" | "maint" | null;
  readonly max_connections: number | null;
}

export function adviceStatus(advice: Advice | undefined): AdviceStatus | null {
  if (advice === undefined) return null;
  const { weight = null, weightPercent = null, weightOffset = null, mode = null, maxConnections = null } = advice;
  return {
    summary: describeAdvice(advice),
    weight,
    weight_percent: weightPercent,
    weight_offset: weightOffset,
    mode,
    max_connections: maxConnections,
  };
}

export interface CheckResultStatus {
  readonly at: string;
  readonly ok: boolean;
  readonly reason: string;
  readonly latency_ms: number;
  /** Null for types that run none. */
  readonly program: ProgramStatus | null;
}

export interface ProgramStatus {
  /** Null when it did not end by itself, or never ran. */
  readonly exit_code: number | null;
  /** The signal that ended it. */
  readonly signal: string | null;
  /** What it printed, the end of it if that was much. */
  readonly output: string;
}

export function stateOf(up: boolean | null): CheckState {
  return up === null ? "unknown" : up ? "up" : "down";
}
