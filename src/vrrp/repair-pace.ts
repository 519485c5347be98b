/** How soon what others removed is put back: at once, then ever later while it goes on, at once again after a time of peace. */
import type { Instant, Milliseconds } from "./parameters.ts";

/** Long enough for the events of our own last change to have been read, short for whoever uses what is missing. */
const first: Milliseconds = 5;
const longest: Milliseconds = 5000;
const memory: Milliseconds = 60_000;

export class RepairPace {
  #delay: Milliseconds = first;
  #last: Instant = Number.NEGATIVE_INFINITY;

  /** Until the next repair. */
  delay(now: Instant): Milliseconds {
    if (now - this.#last > memory) this.#delay = first;
    return this.#delay;
  }

  repaired(now: Instant): void {
    this.#last = now;
    this.#delay = Math.min(this.#delay * 2, longest);
  }
}
