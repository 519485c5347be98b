/** Runs one check at its times, never twice at once, and keeps its health. */

import { isDeepStrictEqual } from "node:util";
import { sameAdvice } from "./advice.ts";
import { type Attempt, attempt } from "./attempt.ts";
import type { CheckType, Outcome, ProgramEnd } from "./check-type.ts";
import {
  completed,
  type Health,
  isChanging,
  judge,
  newHealth,
  nextDue,
  putOff,
  reopened,
  type Verdict,
} from "./health.ts";
import type { CheckParameters, Instant, Milliseconds } from "./parameters.ts";
import { adviceStatus, type CheckStatus, type ProgramStatus, stateOf } from "./status.ts";

/** Of a run that began `elapsed` ago, and ended well or not. */
export type Doubt = (check: string, elapsed: Milliseconds, ok: boolean) => Promise<string | undefined>;

export interface RunnerOptions {
  readonly type: CheckType<CheckParameters>;
  /** Its verdict from before a restart of the process. */
  readonly known?: Verdict;
  /** `up`, the advice or the warning changed. */
  changed(health: Health): void;
  /** Asked of results that speak against the verdict and come on a way that others can change: why one of them says nothing. */
  readonly doubt?: Doubt;
  /** A run began, so late. */
  begun?(late: Milliseconds): void;
}

/** A run may begin so much before its time. */
const tooEarly: Milliseconds = 1;
/** Between runs that a watch asked for: what changes all the time is looked at now and then. */
const watchGap: Milliseconds = 50;

export class CheckRunner {
  #parameters: CheckParameters;
  #type: CheckType<CheckParameters>;
  readonly #changed: (health: Health) => void;
  readonly #doubt: Doubt | undefined;
  readonly #tellBegun: ((late: Milliseconds) => void) | undefined;
  #health: Health;
  /** On the grid, without jitter. */
  #due: Instant = 0;
  #begun: Instant = Number.NEGATIVE_INFINITY;
  /** When the run that is waited for is to begin. */
  #planned: Instant = 0;
  /** Timers count in whole milliseconds, and may fire up to two of them too early. */
  readonly #onTime = (): void => {
    const left = this.#planned - performance.now();
    if (left > tooEarly) this.#timer = setTimeout(this.#onTime, Math.ceil(left));
    else void this.#run();
  };
  #timer: NodeJS.Timeout | undefined;
  #attempt: Attempt | undefined;
  #ended: Promise<unknown> = Promise.resolve();
  #unwatch: (() => void) | undefined;
  #again = false;
  #active = false;
  /** The last word on whether it runs: one that was overtaken starts nothing. */
  #turn = 0;

  constructor(parameters: CheckParameters, { type, known, changed, doubt, begun }: RunnerOptions) {
    this.#parameters = parameters;
    this.#type = type;
    this.#changed = changed;
    this.#doubt = doubt;
    this.#tellBegun = begun;
    this.#health = newHealth(parameters, Date.now(), known);
  }

  get health(): Health {
    return this.#health;
  }

  get interval(): Milliseconds {
    return this.#parameters.interval;
  }

  start(delay: Milliseconds): void {
    this.#active = true;
    this.#unwatch?.();
    this.#unwatch = this.#watch();
    this.#due = performance.now() + delay;
    this.#schedule();
  }

  /** What an ongoing run finds is no longer asked for. True when it was active, and is to be resumed. */
  change(parameters: CheckParameters, type: CheckType<CheckParameters>): boolean {
    const active = this.#active;
    void this.stop();
    // Asked more often, or judged by more results in a row, it is the same that was seen so far.
    if (!asksTheSame(this.#parameters, parameters)) this.#health = reopened(this.#health);
    this.#parameters = parameters;
    this.#type = type;
    return active;
  }

  /** After a stop: goes on with what it knows, `delay` after what ran then has ended. */
  resume(delay: Milliseconds): void {
    this.#active = true;
    const turn = ++this.#turn;
    void this.#ended.then(() => {
      if (this.#turn === turn) this.start(delay);
    });
  }

  /** Settles when nothing of it is left running. */
  async stop(): Promise<void> {
    this.#active = false;
    this.#turn++;
    clearTimeout(this.#timer);
    this.#unwatch?.();
    this.#unwatch = undefined;
    this.#again = false;
    this.#attempt?.abort("stopped");
    this.#attempt = undefined;
    await this.#ended;
  }

  status(): CheckStatus {
    const { name, type, interval, timeout, rise, fall } = this.#parameters;
    const { up, reason, since, successes, failures, runs, failedRuns, last, changes } = this.#health;
    return {
      name,
      type,
      state: stateOf(up),
      since: new Date(since).toISOString(),
      reason,
      last:
        last === undefined
          ? null
          : {
              at: new Date(last.at).toISOString(),
              ok: last.ok,
              reason: last.reason,
              latency_ms: Math.round(last.latency * 1000) / 1000,
              program: programStatus(last.program),
            },
      rise,
      fall,
      successes,
      failures,
      runs,
      failed_runs: failedRuns,
      interval_ms: interval,
      timeout_ms: timeout,
      changes: changes.map((change) => ({
        at: new Date(change.at).toISOString(),
        state: stateOf(change.up),
        reason: change.reason,
      })),
      warning: this.#health.warning ?? null,
      advice: adviceStatus(this.#health.advice),
    };
  }

  #schedule(): void {
    const now = performance.now();
    const start = this.#again
      ? Math.min(this.#due, this.#begun + watchGap)
      : putOff(this.#due, this.#parameters.jitter, Math.random());
    clearTimeout(this.#timer);
    this.#planned = start;
    this.#timer = setTimeout(this.#onTime, Math.max(0, Math.ceil(start - now)));
  }

  #watch(): (() => void) | undefined {
    try {
      return this.#type.watch?.(this.#parameters, () => this.#onWatch());
    } catch {
      // A host that has run out of what it takes: until the next start the runs at the interval tell.
      return undefined;
    }
  }

  #onWatch(): void {
    this.#again = true;
    if (this.#active && this.#attempt === undefined) this.#schedule();
  }

  async #run(): Promise<void> {
    const parameters = this.#parameters;
    this.#again = false;
    this.#begun = performance.now();
    this.#tellBegun?.(Math.max(0, this.#begun - this.#planned));
    const current = attempt(
      (signal) => this.#type.probe(parameters, signal),
      parameters.timeout,
      this.#type.late?.(parameters),
    );
    this.#attempt = current;
    this.#ended = current.ended;
    const outcome = await this.#believed(await current.result, parameters);
    if (this.#attempt !== current) return;
    this.#judge(outcome);
    const { reason, program } = current.over ?? (await this.#untilEnded(current));
    if (this.#attempt !== current) return;
    if (program !== undefined && outcome.program === undefined) {
      this.#health = completed(this.#health, reason, program);
    }
    this.#attempt = undefined;
    const now = performance.now();
    // A run that a watch asked for leaves the grid alone.
    if (this.#begun >= this.#due - tooEarly) this.#due = nextDue(parameters, this.#health, this.#due, now);
    else if (isChanging(this.#health)) this.#due = Math.min(this.#due, this.#begun + parameters.fastInterval);
    this.#schedule();
  }

  async #believed<O extends Outcome>(outcome: O, parameters: CheckParameters): Promise<O> {
    const through = "via" in parameters && parameters.via !== undefined;
    if (this.#doubt === undefined || !through || outcome.undecided || outcome.ok === this.#health.up) return outcome;
    const why = await this.#doubt(parameters.name, performance.now() - this.#begun, outcome.ok);
    return why === undefined ? outcome : { ...outcome, undecided: true, reason: `${outcome.reason}; ${why}` };
  }

  /** A probe that does not even end counts as a failure at every interval. */
  async #untilEnded(current: Attempt): Promise<Outcome> {
    const { interval } = this.#parameters;
    for (;;) {
      let timer: NodeJS.Timeout | undefined;
      const pause = new Promise<"hangs">((resolve) => {
        timer = setTimeout(() => resolve("hangs"), interval);
      });
      const what = await Promise.race([current.ended, pause]);
      clearTimeout(timer);
      if (what !== "hangs") return what;
      if (this.#attempt !== current) return current.ended;
      const seconds = Math.round((performance.now() - this.#begun) / 1000);
      this.#judge({ ok: false, reason: `the run that began ${seconds} s ago has not ended`, latency: 0 });
    }
  }

  #judge(outcome: Awaited<Attempt["result"]>): void {
    const { up, advice, warning } = this.#health;
    this.#health = judge(this.#parameters, this.#health, { ...outcome, at: Date.now() });
    const after = this.#health;
    if (after.up !== up || after.warning !== warning || !sameAdvice(after.advice, advice)) this.#changed(after);
  }
}

function asksTheSame(before: CheckParameters, after: CheckParameters): boolean {
  const { interval, timeout, rise, fall, jitter, fastInterval, initial } = after;
  return isDeepStrictEqual({ ...before, interval, timeout, rise, fall, jitter, fastInterval, initial }, after);
}

function programStatus(program: ProgramEnd | undefined): ProgramStatus | null {
  if (program === undefined) return null;
  const { exitCode, signal, output } = program;
  return { exit_code: exitCode, signal, output };
}
