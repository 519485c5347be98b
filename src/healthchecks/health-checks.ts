/** All checks of a configuration: each runs by itself, and tells when its verdict changes. */
import { describeLateness, Lateness, type LatenessStatus } from "../socket/lateness.ts";
import { spread, type Verdict } from "./health.ts";
import type { CheckParameters, Milliseconds } from "./parameters.ts";
import { CheckRunner, type Doubt } from "./runner.ts";
import type { CheckStatus } from "./status.ts";
import { typeOf } from "./types.ts";

/** Milliseconds between the first runs of checks that have rested. */
const resumePace = 5;

export interface NamedVerdict extends Verdict {
  readonly check: string;
}

export class HealthChecks {
  readonly #runners = new Map<string, CheckRunner>();
  /** Removed, but not yet done with what they ran. */
  readonly #leaving = new Set<Promise<void>>();
  readonly #changed: (verdict: NamedVerdict) => void;
  readonly #doubt: Doubt | undefined;
  readonly #lateness = new Lateness();
  #resting: ReadonlySet<string> = new Set();
  readonly #added: CheckRunner[] = [];
  #started = false;

  /** `doubt` as with a runner. */
  constructor(changed: (verdict: NamedVerdict) => void, doubt?: Doubt) {
    this.#changed = changed;
    this.#doubt = doubt;
  }

  has(name: string): boolean {
    return this.#runners.has(name);
  }

  /** Adds a check, or changes the one of that name. `known` is its verdict from before a restart of the process. */
  configure(parameters: CheckParameters, known?: Verdict): void {
    const type = typeOf(parameters);
    const runner = this.#runners.get(parameters.name);
    if (runner !== undefined) {
      if (runner.change(parameters, type)) this.#startSoon(runner);
      return;
    }
    const changed = (health: Verdict) => this.#changed(named(parameters.name, health));
    const begun = (late: Milliseconds) => this.#lateness.add(late);
    const added = new CheckRunner(parameters, {
      ...{ type, changed, begun },
      ...(known === undefined ? {} : { known }),
      ...(this.#doubt === undefined ? {} : { doubt: this.#doubt }),
    });
    this.#runners.set(parameters.name, added);
    if (this.#started) this.#startSoon(added);
  }

  /** Those that a reload brings or changes are spread as those of the start. */
  #startSoon(added: CheckRunner): void {
    this.#added.push(added);
    if (this.#added.length > 1) return;
    setImmediate(() => {
      const present = new Map([...this.#runners].map(([name, runner]) => [runner, name]));
      const all = this.#added.splice(0);
      for (const [index, runner] of all.entries()) {
        const name = present.get(runner);
        if (name === undefined || this.#resting.has(name) || !this.#started) continue;
        runner.resume(spread(index, all.length, runner.interval));
      }
    });
  }

  remove(name: string): void {
    const runner = this.#runners.get(name);
    if (runner === undefined) return;
    this.#runners.delete(name);
    const left = runner.stop().finally(() => this.#leaving.delete(left));
    this.#leaving.add(left);
  }

  /** All of the first configuration is there: their first runs are spread. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    let index = 0;
    for (const [name, runner] of this.#runners) {
      const delay = spread(index++, this.#runners.size, runner.interval);
      if (!this.#resting.has(name)) runner.start(delay);
    }
  }

  /** These do not run for the time being and keep what they have found; all others run. */
  rest(names: ReadonlySet<string>): void {
    const before = this.#resting;
    this.#resting = names;
    if (!this.#started) return;
    for (const name of names) if (!before.has(name)) void this.#runners.get(name)?.stop();
    const back = [...before].flatMap((name) => (names.has(name) ? [] : (this.#runners.get(name) ?? [])));
    // The service is live from now on, maybe without a server before they have a result: they come quickly.
    const within = resumePace * back.length;
    for (const [index, runner] of back.entries()) {
      runner.resume(spread(index, back.length, Math.min(runner.interval, within)));
    }
  }

  /** Each as it is when its turn comes. */
  *verdicts(): Generator<NamedVerdict> {
    for (const [check, { health }] of [...this.#runners]) yield named(check, health);
  }

  /** One at a time: of thousands, others want their turn in between. */
  *status(): Generator<CheckStatus> {
    for (const runner of [...this.#runners.values()]) yield runner.status();
  }

  /** How late runs began. */
  lateness(): LatenessStatus {
    return describeLateness(this.#lateness.figures);
  }

  /** Settles when no probe is left running. */
  async stop(): Promise<void> {
    this.#started = false;
    await Promise.all([...this.#leaving, ...[...this.#runners.values()].map((runner) => runner.stop())]);
  }
}

function named(check: string, { up, reason, advice, warning }: Verdict): NamedVerdict {
  return {
    check,
    up,
    reason,
    ...(advice === undefined ? {} : { advice }),
    ...(warning === undefined ? {} : { warning }),
  };
}
