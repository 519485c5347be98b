/**
 * Times in which this process was not run: stopped, starved, its machine suspended or paused. Every router that notices
 * reports; what they report together is one stall.
 */
import type { Host } from "./host.ts";
import type { Instant, Milliseconds } from "./parameters.ts";
import { formatDuration } from "./reasons.ts";
import type { StallStatus } from "./status.ts";

type StallHost = Pick<Host, "now" | "wallClock" | "soon" | "event">;

export class Stalls {
  readonly #host: StallHost;
  readonly #suspendedSoFar: () => Milliseconds;
  #suspended: Milliseconds;
  #count = 0;
  #total: Milliseconds = 0;
  #last: StallStatus | null = null;
  /** Reported, and not told yet. */
  #open: { late: Milliseconds; readonly at: Instant } | undefined;

  /** `suspended`: for how long the machine was since it was started. */
  constructor(host: StallHost, suspended: () => Milliseconds) {
    this.#host = host;
    this.#suspendedSoFar = suspended;
    this.#suspended = suspended();
  }

  get figures(): { readonly count: number; readonly total: Milliseconds; readonly last: StallStatus | null } {
    return { count: this.#count, total: this.#total, last: this.#last };
  }

  report(late: Milliseconds): void {
    if (this.#open !== undefined) {
      this.#open.late = Math.max(this.#open.late, late);
      return;
    }
    this.#open = { late, at: this.#host.now() };
    // When every router that is due has been run.
    this.#host.soon(() => this.#tell());
  }

  #tell(): void {
    if (this.#open === undefined) return;
    const { late, at } = this.#open;
    this.#open = undefined;
    const suspended = this.#suspendedSoFar();
    // Two clocks are read one after the other: a millisecond is no suspend.
    const slept = suspended - this.#suspended < 1 ? 0 : suspended - this.#suspended;
    this.#suspended = suspended;
    const since = this.#host.now() - at;
    this.#count++;
    this.#total += late;
    this.#last = {
      began: this.#host.wallClock(since + late),
      ended: this.#host.wallClock(since),
      duration_ms: Math.round(late),
      suspended_ms: Math.round(slept),
    };
    this.#host.event({ at: this.#host.wallClock(), type: "stall", ...this.#last, message: describe(late, slept) });
  }
}

function describe(late: Milliseconds, slept: Milliseconds): string {
  const why = slept > 0 ? `: this machine was suspended for ${formatDuration(slept)}` : "";
  return `the VRRP process was not run for ${formatDuration(late)}${why}`;
}
