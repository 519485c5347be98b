/** What the checks said last. A check tells only what changes: what it said holds until the check itself is gone. */
import type { CheckVerdict } from "./assess.ts";

export class Heard {
  readonly #verdicts = new Map<string, CheckVerdict>();
  readonly #gone = new Set<string>();

  get(check: string): CheckVerdict | undefined {
    return this.#verdicts.get(check);
  }

  set(check: string, verdict: CheckVerdict): void {
    this.#gone.delete(check);
    this.#verdicts.set(check, verdict);
  }

  /** Until the configuration that comes with it, servers still go by what it said. */
  forget(check: string): void {
    this.#gone.add(check);
  }

  /** Another configuration: a check of that name that comes back has to be judged anew. */
  drop(): void {
    for (const check of this.#gone) this.#verdicts.delete(check);
    this.#gone.clear();
  }
}
