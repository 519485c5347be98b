/** At most one line per key and second, with a count of what was held back. Keys are few and chosen by us, never by a sender. */
import type { Instant, Milliseconds } from "./parameters.ts";

export class Limiter {
  readonly #period: Milliseconds;
  readonly #keys = new Map<string, { until: Instant; suppressed: number }>();

  constructor(period: Milliseconds) {
    this.#period = period;
  }

  /** The number of lines held back since the last one, or undefined when this one is to be held back too. */
  allow(key: string, now: Instant): number | undefined {
    const known = this.#keys.get(key);
    if (known !== undefined && now < known.until) {
      known.suppressed++;
      return undefined;
    }
    this.#keys.set(key, { until: now + this.#period, suppressed: 0 });
    return known?.suppressed ?? 0;
  }
}
