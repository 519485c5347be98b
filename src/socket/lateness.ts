/** How late timers fire: the figure that tells whether this host is fit for short intervals. */

/** Fractions allowed. */
type Milliseconds = number;

/** Upper bounds of the classes in milliseconds; what is later falls into one more. */
export const latenessBounds: readonly Milliseconds[] = [
  0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000,
];

export interface LatenessFigures {
  readonly timers: number;
  readonly total: Milliseconds;
  readonly max: Milliseconds;
  /** One more than there are bounds. */
  readonly counts: readonly number[];
}

export class Lateness {
  #timers = 0;
  #total: Milliseconds = 0;
  #max: Milliseconds = 0;
  readonly #counts = new Array<number>(latenessBounds.length + 1).fill(0);

  add(late: Milliseconds): void {
    this.#timers++;
    this.#total += late;
    if (late > this.#max) this.#max = late;
    let i = 0;
    while (i < latenessBounds.length && late > (latenessBounds[i] ?? 0)) i++;
    this.#counts[i] = (this.#counts[i] ?? 0) + 1;
  }

  get figures(): LatenessFigures {
    return { timers: this.#timers, total: this.#total, max: this.#max, counts: [...this.#counts] };
  }
}

/** An upper bound of what `part` (0 to 1) of all timers stayed below: a bound of the classes, or the greatest of all. */
export function quantile({ timers, max, counts }: LatenessFigures, part: number): Milliseconds {
  let seen = 0;
  for (const [i, count] of counts.entries()) {
    seen += count;
    if (timers > 0 && seen >= part * timers) return Math.min(latenessBounds[i] ?? max, max);
  }
  return 0;
}

export interface LatenessStatus {
  readonly timers: number;
  readonly mean_ms: number;
  /** An upper bound of what 99 of 100 timers stayed below. */
  readonly p99_ms: number;
  readonly max_ms: number;
  /** Timers not later than `le_ms` and later than the class before; null for the rest. */
  readonly histogram: readonly { readonly le_ms: number | null; readonly count: number }[];
}

export function describeLateness(figures: LatenessFigures): LatenessStatus {
  const { timers, total, max, counts } = figures;
  const round = (value: number) => Math.round(value * 1000) / 1000;
  return {
    timers,
    mean_ms: timers === 0 ? 0 : round(total / timers),
    p99_ms: round(quantile(figures, 0.99)),
    max_ms: round(max),
    histogram: counts.map((count, i) => ({ le_ms: latenessBounds[i] ?? null, count })),
  };
}
