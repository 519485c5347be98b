/** Virtual time: events in the order of their instants, and chance from a seed. Nothing here knows what is simulated. */
import type { Instant, Milliseconds } from "../../src/vrrp/parameters.ts";

interface Planned {
  readonly at: Instant;
  readonly run: () => void;
}

/** Handed out by `at`; a planned event that is cancelled does not happen. */
export type Cancel = () => void;

export class SimulatedTime {
  readonly random: () => number;
  /** Called whenever time is about to move on: everything that happens at `now` has happened. */
  readonly settled: (() => void)[] = [];
  #now: Instant = 0;
  /** Ascending; of equal instants the one planned first comes first. */
  readonly #plan: Planned[] = [];

  constructor(seed = 1) {
    this.random = randomFrom(seed);
  }

  get now(): Instant {
    return this.#now;
  }

  at(instant: Instant, run: () => void): Cancel {
    const planned = { at: Math.max(instant, this.#now), run };
    let low = 0;
    for (let high = this.#plan.length; low < high; ) {
      const middle = (low + high) >> 1;
      if ((this.#plan[middle]?.at ?? 0) <= planned.at) low = middle + 1;
      else high = middle;
    }
    this.#plan.splice(low, 0, planned);
    return () => {
      const index = this.#plan.indexOf(planned);
      if (index >= 0) this.#plan.splice(index, 1);
    };
  }

  after(duration: Milliseconds, run: () => void): Cancel {
    return this.at(this.#now + duration, run);
  }

  /** A livelock - events that make events without time moving on - is an error. */
  runFor(duration: Milliseconds): void {
    this.runUntil(this.#now + duration);
  }

  runUntil(end: Instant): void {
    let turns = 0;
    for (let next = this.#plan[0]; next !== undefined && next.at <= end; next = this.#plan[0]) {
      if (next.at > this.#now) {
        this.#settle();
        turns = 0;
        // What was found out while settling may have planned something earlier.
        if (this.#plan[0] !== next) continue;
      }
      if (++turns > 100_000) throw new Error(`time stands still at ${this.#now} ms`);
      this.#plan.shift();
      this.#now = next.at;
      next.run();
    }
    this.#settle();
    this.#now = end;
  }

  /** A number between the two, by chance. */
  between(least: number, most: number): number {
    return least + (most - least) * this.random();
  }

  #settle(): void {
    for (const check of this.settled) check();
  }
}

/** Numbers from 0 to below 1 that follow from the seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
