/** What a type of check is: how one run is done, and perhaps what announces that a run is worth while now. */
import type { Advice } from "./advice.ts";
import type { Milliseconds } from "./parameters.ts";

export interface Outcome {
  readonly ok: boolean;
  /** What was seen, naming its object: "connect 10.0.0.5:80: refused", "connected to 10.0.0.5:80". One line. */
  readonly reason: string;
  /** Where the time of the whole run is not what matters, as for an echo. */
  readonly latency?: Milliseconds;
  /** How a program ended that was run. */
  readonly program?: ProgramEnd;
  /** Whether it is well was not found out, or not told: that stays as it was found last. Advice counts all the same. */
  readonly undecided?: true;
  /** For whoever balances load over what is checked; what it does not speak of stays as it was said before. */
  readonly advice?: Advice;
  /** Of a success: what will be a failure if nobody does anything. One line, naming its object. */
  readonly warning?: string;
}

export interface ProgramEnd {
  /** Null when it did not end by itself, or never ran. */
  readonly exitCode: number | null;
  /** "SIGSEGV" */
  readonly signal: string | null;
  /** The end of what it printed. */
  readonly output: string;
}

export interface CheckType<Parameters> {
  /** For the reason at the deadline: "/bin/check did not end", within 500 ms. Without it: "no answer". */
  late?(parameters: Parameters): string;
  /**
   * One run. A failure of the checked thing is an outcome with ok: false; what is thrown counts as one too. When `signal`
   * aborts, the time is up or nobody wants to know any more: release everything and settle soon. `signal.reason` is an
   * Error whose message ends a sentence ("no answer within 500 ms"). What takes longer to release than a moment may: the
   * failure is told at the deadline all the same, and what is said later completes it. No second run begins before this one has settled.
   */
  probe(parameters: Parameters, signal: AbortSignal): Promise<Outcome>;
  /** Calls `changed` when something happened that a run would see; returns what ends that. Runs go on at the interval. */
  watch?(parameters: Parameters, changed: () => void): () => void;
}

/** Why it was aborted, for the end of a sentence. */
export function whyAborted(signal: AbortSignal): string {
  return signal.reason instanceof Error ? signal.reason.message : "given up";
}
