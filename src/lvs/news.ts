/**
 * Tells what happened, in order and with the time at which it did, after the writes to the kernel that can still be done:
 * ten thousand servers that come up are told of when they serve. Nothing waits for long.
 */
import type { Alarms, BalancerClock } from "./balancer-clock.ts";
import type { LvsEvent } from "./status.ts";
import type { CoreEvent } from "./virtual-server.ts";

const longestWait = 1000;

export class News {
  readonly #clock: BalancerClock;
  readonly #alarms: Alarms;
  readonly #tell: (event: LvsEvent) => void;
  readonly #busy: () => boolean;
  #kept: LvsEvent[] = [];

  constructor(clock: BalancerClock, alarms: Alarms, tell: (event: LvsEvent) => void, busy: () => boolean) {
    this.#clock = clock;
    this.#alarms = alarms;
    this.#tell = tell;
    this.#busy = busy;
  }

  /** Told at once, or by whoever is busy now. */
  add(events: readonly CoreEvent[]): void {
    if (events.length === 0) return;
    const at = new Date(this.#clock.now().wall).toISOString();
    for (const event of events) this.#kept.push({ at, ...event });
    if (this.#busy()) this.#alarms.set("news", longestWait, () => this.tell());
    else this.tell();
  }

  tell(): void {
    const all = this.#kept;
    this.#kept = [];
    for (const event of all) this.#tell(event);
  }
}
