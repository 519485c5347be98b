/**
 * Times in which this process was not run: stopped, starved, its machine suspended or paused. Every router that notices
 * reports; what they report together is one stall.
 */
import type { Instant, Milliseconds } from "./parameters.ts";
import { formatDuration } from "./reasons.ts";
import type { StallEvent, StallStatus } from "./status.ts";

export interface StallPorts {
  now(): Instant;
  /** ISO 8601, so many milliseconds ago. */
  wallClock(ago: Milliseconds): string;
  /** For how long the machine was suspended since it was started. */
  suspended(): Milliseconds;
  /** Runs the work when every router that is due has been run. */
  soon(work: () => void): void;
  event(event: StallEvent): void;
}

export class Stalls {
  readonly #ports: StallPorts;
  #suspended: Milliseconds;
  #count = 0;
  #total: Milliseconds = 0;
  #last: StallStatus | null = null;
  /** Reported, and not told yet. */
  #open: { late: Milliseconds; readonly at: Instant } | undefined;

  constructor(ports: StallPorts) {
    this.#ports = ports;
    this.#suspended = ports.suspended();
  }

  get figures(): { readonly count: number; readonly total: Milliseconds; readonly last: StallStatus | null } {
    return { count: this.#count, total: this.#total, last: this.#last };
  }

  report(late: Milliseconds): void {
    if (this.#open !== undefined) {
      this.#open.late = Math.max(this.#open.late, late);
      return;
    }
    this.#open = { late, at: this.#ports.now() };
    this.#ports.soon(() => this.#tell());
  }

  #tell(): void {
    if (this.#open === undefined) return;
    const { late, at } = this.#open;
    this.#open = undefined;
    const suspended = this.#ports.suspended();
    // Two clocks are read one after the other: a millisecond is no suspend.
    const slept = suspended - this.#suspended < 1 ? 0 : suspended - this.#suspended;
    this.#suspended = suspended;
    const since = this.#ports.now() - at;
    this.#count++;
    this.#total += late;
    this.#last = {
      began: this.#ports.wallClock(since + late),
      ended: this.#ports.wallClock(since),
      duration_ms: Math.round(late),
      suspended_ms: Math.round(slept),
    };
    this.#ports.event({ at: this.#ports.wallClock(0), type: "stall", ...this.#last, message: describe(late, slept) });
  }
}

function describe(late: Milliseconds, slept: Milliseconds): string {
  const why = slept > 0 ? `: this machine was suspended for ${formatDuration(slept)}` : "";
  return `the VRRP process was not run for ${formatDuration(late)}${why}`;
}
