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
