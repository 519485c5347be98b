/** Which checks may rest: those that only virtual servers need whose instance is not active here. */
import type { Unit } from "./unit.ts";

export class Rests {
  readonly #tell: (checks: ReadonlySet<string>) => void;
  readonly #instances = new Map<string, string>();
  #units: readonly Unit[] = [];
  #told: ReadonlySet<string> = new Set();

  constructor(tell: (checks: ReadonlySet<string>) => void) {
    this.#tell = tell;
  }

  configure(units: Iterable<Unit>): void {
    this.#units = [...units];
    this.#decide();
  }

  instance(name: string, state: string): void {
    if (this.#instances.get(name) === state) return;
    this.#instances.set(name, state);
    this.#decide();
  }

  /** Of an instance nothing is known until it is told: it is not active. */
  suspends(instance: string | undefined): boolean {
    return instance !== undefined && this.#instances.get(instance) !== "active";
  }

  #decide(): void {
    const resting = new Set<string>();
    const needed = new Set<string>();
    for (const { parameters } of this.#units) {
      const into = this.suspends(parameters.suspendUnless) ? resting : needed;
      for (const { checks } of parameters.servers) for (const check of checks) into.add(check);
    }
    for (const check of needed) resting.delete(check);
    if (resting.size === this.#told.size && [...resting].every((check) => this.#told.has(check))) return;
    this.#told = resting;
    this.#tell(resting);
  }
}
