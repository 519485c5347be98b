/** Rise and fall: how the results of a check become a verdict, and when it runs again. Pure. */
import { type Advice, mergeAdvice } from "./advice.ts";
import type { ProgramEnd } from "./check-type.ts";
import type { CommonParameters, Instant, Milliseconds } from "./parameters.ts";

/** One run, as it went. */
export interface Result {
  readonly ok: boolean;
  readonly reason: string;
  readonly latency: Milliseconds;
  /** Milliseconds since 1970: for people, nothing is computed from it. */
  readonly at: number;
  readonly program?: ProgramEnd;
  readonly undecided?: true;
  readonly advice?: Advice;
  readonly warning?: string;
}

export interface Verdict {
  /** Null: there is no result yet. */
  readonly up: boolean | null;
  readonly reason: string;
  /** All that was said and not taken back. */
  readonly advice?: Advice;
  /** Of the last success. */
  readonly warning?: string;
}

export interface Change extends Pick<Verdict, "up" | "reason"> {
  readonly at: number;
}

export interface Health extends Verdict {
  /** Of the last change of `up`; milliseconds since 1970. */
  readonly since: number;
  /** The next result decides alone: none has been judged by these parameters yet. */
  readonly open: boolean;
  /** The advice was given to other parameters, and counts until these give one. */
  readonly outdated?: true;
  /** Results in a row, the last one included; one of the two is 0. */
  readonly successes: number;
  readonly failures: number;
  readonly runs: number;
  readonly failedRuns: number;
  readonly last?: Result;
  /** The last changes, the newest at the end. */
  readonly changes: readonly Change[];
}

const changesKept = 20;

/** What counts before the first result. */
export function initialVerdict({ initial }: Pick<CommonParameters, "initial">): Verdict {
  switch (initial) {
    case "unknown":
      return { up: null, reason: "no result yet" };
    case "up":
      return { up: true, reason: "counts as up until there are results (initial: up)" };
    case "down":
      return { up: false, reason: "counts as down until there are results (initial: down)" };
  }
}

/** `known` is a verdict from before a restart: it stays in force until results overturn it. */
export function newHealth(parameters: CommonParameters, at: number, known?: Verdict): Health {
  const verdict = known?.up == null ? initialVerdict(parameters) : known;
  const { up, reason } = verdict;
  const open = up === null;
  return { ...verdict, up, reason, since: at, open, successes: 0, failures: 0, runs: 0, failedRuns: 0, changes: [] };
}

/** Other parameters: the verdict stays until the first result by them, which decides alone. */
export function reopened(health: Health): Health {
  return { ...health, open: true, outdated: true, successes: 0, failures: 0 };
}

export function judge({ rise, fall }: Pick<CommonParameters, "rise" | "fall">, health: Health, result: Result): Health {
  if (result.undecided) return { ...advised(health, result), runs: health.runs + 1, last: result };
  const successes = result.ok ? health.successes + 1 : 0;
  const failures = result.ok ? 0 : health.failures + 1;
  const { warning: warnedBefore, ...rest } = advised(health, result);
  const warning = result.ok ? result.warning : warnedBefore;
  const counted = {
    ...rest,
    ...(warning === undefined ? {} : { warning }),
    open: false,
    successes,
    failures,
    runs: health.runs + 1,
    failedRuns: health.failedRuns + (result.ok ? 0 : 1),
    last: result,
  };
  const enough = health.open || (result.ok ? successes >= rise : failures >= fall);
  if (!enough || health.up === result.ok) return counted;
  const inRow = result.ok ? successes : failures;
  const reason = inRow > 1 ? `${result.reason} (${inRow} times in a row)` : result.reason;
  const change = { at: result.at, up: result.ok, reason };
  return {
    ...counted,
    up: result.ok,
    reason,
    since: result.at,
    changes: [...health.changes, change].slice(-changesKept),
  };
}

/** Of an undecided result only what it says counts. */
function advised(health: Health, { advice: said, undecided }: Result): Health {
  if (undecided && said === undefined) return health;
  const { advice: before, outdated, ...rest } = health;
  const advice = mergeAdvice(outdated ? undefined : before, said);
  return advice === undefined ? rest : { ...rest, advice };
}

/** What ended only after its deadline says more about its failure. */
export function completed(health: Health, reason: string, program: ProgramEnd): Health {
  const { last } = health;
  return last === undefined || last.ok ? health : { ...health, last: { ...last, reason, program } };
}

/** The last result speaks against the verdict, and more like it would overturn that. */
export function isChanging({ up, successes, failures }: Health): boolean {
  return up === true ? failures > 0 : up === false && successes > 0;
}

/**
 * When the next run is due, after one that was due at `previous`. Runs stay on a grid, so that what was spread stays
 * spread; a point that has passed meanwhile is made up for at once, and only the last one of several.
 */
export function nextDue(
  { interval, fastInterval }: Pick<CommonParameters, "interval" | "fastInterval">,
  health: Health,
  previous: Instant,
  now: Instant,
): Instant {
  const step = isChanging(health) ? fastInterval : interval;
  return previous + Math.max(1, Math.floor((now - previous) / step)) * step;
}

/** When a run that is due begins; `random` from 0 up to 1. The grid stays as it is. */
export function putOff(due: Instant, jitter: Milliseconds, random: number): Instant {
  return due + random * jitter;
}

/** The first run of the `index`-th of `count` checks comes so much later: within a second, and within the interval. */
export function spread(index: number, count: number, interval: Milliseconds): Milliseconds {
  return (index / Math.max(1, count)) * Math.min(interval, 1000);
}
