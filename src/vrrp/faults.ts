/**
 * Why an instance cannot run: causes by the name of whoever found them. Each is set and cleared by itself, so none can
 * be forgotten and none can hide another.
 */
export type FaultSource = "start" | "surroundings" | "devices" | "tracked" | "group" | "kernel" | "sockets" | "stop";

export class Faults {
  readonly #causes = new Map<FaultSource, readonly string[]>();

  /** Replaces what this source said before; nothing clears it. */
  set(source: FaultSource, reasons: readonly string[]): void {
    if (reasons.length === 0) this.#causes.delete(source);
    else this.#causes.set(source, reasons);
  }

  add(source: FaultSource, reason: string): void {
    const known = this.#causes.get(source) ?? [];
    if (!known.includes(reason)) this.#causes.set(source, [...known, reason]);
  }

  has(source: FaultSource): boolean {
    return this.#causes.has(source);
  }

  get any(): boolean {
    return this.#causes.size > 0;
  }

  /** Every reason; those of the sources that are named are left out. */
  reasons(...without: readonly FaultSource[]): readonly string[] {
    return [...this.#causes].flatMap(([source, reasons]) => (without.includes(source) ? [] : reasons));
  }
}
