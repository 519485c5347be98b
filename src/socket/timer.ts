/** A timer finer than a millisecond: a timerfd on the absolute clock of clock.ts, so that late callbacks add no drift. */
import { addon } from "./addon.ts";
import { SystemError } from "./errno.ts";

const DISARMED = Number.POSITIVE_INFINITY;

/** Keeps the process alive until closed. */
export class OneShotTimer {
  readonly #descriptor: number;
  #armedAt = DISARMED;
  #closed = false;

  constructor(onExpire: () => void) {
    const native = addon();
    this.#descriptor = native.timerOpen();
    if (this.#descriptor < 0) throw new SystemError("open timer", -this.#descriptor);
    const result = native.watch(
      this.#descriptor,
      () => {
        this.#armedAt = DISARMED;
        onExpire();
      },
      undefined,
    );
    if (result < 0) {
      native.close(this.#descriptor);
      throw new SystemError("watch timer", -result);
    }
  }

  /**
   * Calls onExpire once, at this instant or as soon after it as the loop turns; never inside this call.
   * Replaces the instant set before; setting the same one again costs no system call.
   */
  arm(at: number): void {
    if (this.#closed || at === this.#armedAt) return;
    if (Number.isNaN(at)) throw new RangeError("arm timer: the instant is not a number");
    const result = addon().timerArm(this.#descriptor, at);
    if (result < 0) throw new SystemError(`arm timer for ${at}`, -result);
    this.#armedAt = at;
  }

  disarm(): void {
    this.arm(DISARMED);
  }

  /** Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    addon().close(this.#descriptor);
  }
}
