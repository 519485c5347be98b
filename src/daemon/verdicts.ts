/** What the checks have found last: in force while the checks process is down, and told to every new VRRP process. */
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
      const { up, reason } = old ?? initialVerdict(parameters);
      this.#known.set(name, old ?? { up, reason, since: new Date() });
      if (old === undefined) added.push({ check: name, up, reason });
    }
    return added;
  }

  get(check: string): Known | undefined {
    return this.#known.get(check);
  }

  /** Returns what was known before; undefined when there is no such check, or when it says nothing new. */
  replace({ check, up, reason }: NamedVerdict): Verdict | undefined {
    const before = this.#known.get(check);
    if (before === undefined || before.up === up) return undefined;
    this.#known.set(check, { up, reason, since: new Date() });
    return before;
  }

  all(): NamedVerdict[] {
    return [...this.#known].map(([check, { up, reason }]) => ({ check, up, reason }));
  }
}
