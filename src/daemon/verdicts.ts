/** What the checks have found last: in force while the checks process is down, and told to every new VRRP process. */
import { sameAdvice } from "../healthchecks/advice.ts";
import { initialVerdict, type Verdict } from "../healthchecks/health.ts";
import type { NamedVerdict } from "../healthchecks/health-checks.ts";
import type { CheckParameters } from "../healthchecks/parameters.ts";

export type { NamedVerdict };

interface Known extends Verdict {
  readonly since: Date;
}

export class Verdicts {
  #known = new Map<string, Known>();

  /** The checks of a configuration; returns what counts for those that are new. */
  adopt(checks: readonly CheckParameters[]): NamedVerdict[] {
    const before = this.#known;
    this.#known = new Map();
    const added: NamedVerdict[] = [];
    for (const parameters of checks) {
      const { name } = parameters;
      const old = before.get(name);
      const initial = initialVerdict(parameters);
      this.#known.set(name, old ?? { ...initial, since: new Date() });
      if (old === undefined) added.push({ check: name, ...initial });
    }
    return added;
  }

  get(check: string): Known | undefined {
    return this.#known.get(check);
  }

  /** Returns what was known before; undefined when there is no such check, or when it says nothing new. */
  replace({ check, ...verdict }: NamedVerdict): Verdict | undefined {
    const before = this.#known.get(check);
    if (before === undefined) return undefined;
    const same = before.up === verdict.up;
    if (same && before.warning === verdict.warning && sameAdvice(before.advice, verdict.advice)) return undefined;
    const { reason, since } = same ? before : { reason: verdict.reason, since: new Date() };
    this.#known.set(check, { ...verdict, reason, since });
    return before;
  }

  all(): NamedVerdict[] {
    return [...this.#known].map(([check, { since: _, ...verdict }]) => ({ check, ...verdict }));
  }
}
