/** A child's messages to the supervisor: sent when the loop turns, many together, and never more than it can wait for. */
import type { Batch } from "./messages.ts";

/** Messages on their way to a supervisor that does not read them; more are dropped and counted. */
const maxUnsent = 5000;
/** Messages in one write. */
const perBatch = 64;

/** The way to the supervisor; `process` is one. */
export interface Channel {
  readonly connected: boolean;
  send?(message: unknown, handle?: undefined, options?: undefined, sent?: () => void): boolean;
}

export class Outbox<Message> {
  readonly #waiting: Message[] = [];
  readonly #onGap: (() => void) | undefined;
  readonly #channel: Channel;
  readonly #pausing: (() => void)[] = [];
  #unsent = 0;
  #dropped = 0;
  #gap = false;

  /** `onGap` is called when the supervisor reads again after messages were dropped. */
  constructor(onGap?: () => void, channel: Channel = process) {
    this.#onGap = onGap;
    this.#channel = channel;
  }

  get dropped(): number {
    return this.#dropped;
  }

  /** After what is due in this turn of the loop. */
  send(message: Message): void {
    // A supervisor that stands still must not make this process grow.
    if (this.#unsent >= maxUnsent) {
      this.#dropped++;
      this.#gap = true;
      return;
    }
    this.#unsent++;
    this.#waiting.push(message);
    if (this.#waiting.length === 1) setImmediate(() => this.flush());
  }

  /**
   * Many of them, as fast as they are read: others have their turn in between, and one is made only when there is room
   * for it.
   */
  async sendAll(messages: Iterable<Message>): Promise<void> {
    let count = 0;
    for (const message of messages) {
      this.send(message);
      if (++count % perBatch === 0) await new Promise<void>((resolve) => this.#pausing.push(resolve));
    }
  }

  flush(): void {
    const all = this.#waiting.splice(0);
    for (let start = 0; start < all.length; start += perBatch) {
      const messages = all.slice(start, start + perBatch);
      const sent = (): void => {
        this.#unsent -= messages.length;
        for (const goOn of this.#pausing.splice(0)) goOn();
        if (!this.#gap || this.#unsent > 0) return;
        this.#gap = false;
        this.#onGap?.();
      };
      const channel = this.#channel;
      if (!channel.connected || channel.send === undefined) sent();
      else channel.send({ type: "batch", messages } satisfies Batch<Message>, undefined, undefined, sent);
    }
  }

  /** Sends what waits, then `last`, then exits; soon in any case. */
  exit(last: Message, code: number, limit: number): void {
    this.flush();
    const exit = () => process.exit(code);
    const channel = this.#channel;
    if (!channel.connected || channel.send === undefined) exit();
    else channel.send(last, undefined, undefined, exit);
    setTimeout(exit, limit);
  }
}
