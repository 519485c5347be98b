/** Asks a child now and then whether it still listens. One that hangs gives up no role and would never be replaced. */
import type { Milliseconds } from "../vrrp/parameters.ts";

export interface HeartbeatOptions {
  readonly interval: Milliseconds;
  /** Questions in a row without an answer that make it silent. */
  readonly misses: number;
  /** Rejects when no answer came in time. */
  ask(): Promise<unknown>;
  /** Once; the heartbeat has stopped. */
  onSilence(): void;
}

export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #timer: NodeJS.Timeout;
  #missed = 0;
  #stopped = false;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#beat(), options.interval).unref();
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
  }

  #beat(): void {
    this.#options.ask().then(
      () => {
        this.#missed = 0;
      },
      () => this.#miss(),
    );
  }

  #miss(): void {
    this.#missed += 1;
    if (this.#stopped || this.#missed < this.#options.misses) return;
    this.stop();
    this.#options.onSilence();
  }
}
