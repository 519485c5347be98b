/** Time and turns of the loop for the balancer; the tests have a simulated one. */
import { now } from "../socket/clock.ts";
import type { Instant, Moment } from "./memory.ts";

export interface BalancerClock {
  now(): Moment;
  /** Returns what cancels it. */
  at(instant: Instant, run: () => void): () => void;
  /** When what is going on has been dealt with: verdicts that come together are acted upon together. */
  soon(run: () => void): void;
}

/** Alarms by name: one of a name at a time, and the first one counts. */
export class Alarms {
  readonly #clock: BalancerClock;
  readonly #set = new Map<string, () => void>();

  constructor(clock: BalancerClock) {
    this.#clock = clock;
  }

  set(name: string, delay: number, run: () => void): void {
    if (this.#set.has(name)) return;
    const cancel = this.#clock.at(this.#clock.now().instant + delay, () => {
      this.#set.delete(name);
      run();
    });
    this.#set.set(name, cancel);
  }

  /** That one, or all. */
  cancel(name?: string): void {
    for (const each of name === undefined ? [...this.#set.keys()] : [name]) {
      this.#set.get(each)?.();
      this.#set.delete(each);
    }
  }
}

/** Settles with `work`, or without it when that takes longer. */
export function atMost(clock: BalancerClock, duration: number, work: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.at(clock.now().instant + duration, resolve);
    const done = () => {
      cancel();
      resolve();
    };
    work.then(done, done);
  });
}

/** setTimeout counts in 31 bits. */
const longestTimer = 2 ** 31 - 1;

export const systemClock: BalancerClock = {
  now: () => ({ instant: now(), wall: Date.now() }),
  at: (instant, run) => {
    const timer = setTimeout(run, Math.min(Math.max(0, Math.ceil(instant - now())), longestTimer));
    return () => clearTimeout(timer);
  },
  soon: (run) => void setImmediate(run),
};
