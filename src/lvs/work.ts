/** Which virtual servers are to be looked after. Verdicts and operators are dealt with before what can wait. */
import type { Unit } from "./unit.ts";

/** So many virtual servers are worked on before something more urgent gets its turn. */
const portion = 16;

export class Work {
  readonly #urgent = new Set<Unit>();
  readonly #waiting = new Set<Unit>();

  get pending(): boolean {
    return this.#urgent.size + this.#waiting.size > 0;
  }

  soon(units: Iterable<Unit>): void {
    for (const unit of units) this.#urgent.add(unit);
  }

  later(units: Iterable<Unit>): void {
    for (const unit of units) this.#waiting.add(unit);
  }

  take(): Unit[] {
    const units: Unit[] = [];
    for (const unit of this.#urgent.size > 0 ? this.#urgent : this.#waiting) {
      if (units.push(unit) === portion) break;
    }
    for (const unit of units) {
      this.#urgent.delete(unit);
      this.#waiting.delete(unit);
    }
    return units;
  }
}
