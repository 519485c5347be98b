/** Warnings of one router: one line a second and kind, whatever arrives, and what lasts is told again after a while only. */
import { Limiter } from "./limiter.ts";
import type { Instant, Milliseconds } from "./parameters.ts";

/** Between two warnings of the same lasting difference. */
const reminder: Milliseconds = 60_000;

export class Warnings {
  readonly #now: () => Instant;
  readonly #tell: (message: string) => void;
  readonly #limiter = new Limiter(1000);
  readonly #told = new Map<string, { readonly message: string; readonly at: Instant }>();

  constructor(now: () => Instant, tell: (message: string) => void) {
    this.#now = now;
    this.#tell = tell;
  }

  /** The message is made only when it is told. */
  of(kind: string, message: () => string): void {
    const suppressed = this.#limiter.allow(kind, this.#now());
    if (suppressed !== undefined) this.#tell(suppressed > 0 ? `${message()} (and ${suppressed} more)` : message());
  }

  /** What stays as it is, is told again after a minute. */
  ofDifference(kind: string, message: string): void {
    const now = this.#now();
    const told = this.#told.get(kind);
    if (told?.message === message && now - told.at < reminder) return;
    this.#told.set(kind, { message, at: now });
    this.of(kind, () => message);
  }
}
