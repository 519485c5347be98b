/** Requests that the kernel has obeyed but whose answers have not been read yet, in the order they were sent. */
import { ErrorNumber } from "../socket/errno.ts";
import { NetlinkError, type Operation, operationText } from "./error.ts";

/** What hears of the outcome. */
export interface Asked {
  readonly operation: Operation;
  readonly done?: (error?: NetlinkError, reply?: Uint8Array) => void;
  /** As `done`, for those to whom success means nothing. */
  readonly refused?: (error: NetlinkError) => void;
}

interface Pending {
  readonly asked: Asked;
  /** Asked for no acknowledgement: an answer to a later request means that this one succeeded. */
  readonly quiet: boolean;
  reply: Uint8Array | undefined;
}

const answerLost = "the answer was lost: receive queue full";

export class PendingRequests {
  readonly #onError: (error: NetlinkError) => void;
  readonly #bySequence = new Map<number, Pending>();
  #finished: (() => void)[] = [];
  #overrun = false;

  /** `onError` hears of failures that nobody else asked to hear of. */
  constructor(onError: (error: NetlinkError) => void) {
    this.#onError = onError;
  }

  get size(): number {
    return this.#bySequence.size;
  }

  /** Nothing waits for an answer, and every answer has been reported. */
  get settled(): boolean {
    return this.#bySequence.size === 0 && this.#finished.length === 0;
  }

  add(sequence: number, asked: Asked, quiet: boolean): void {
    this.#bySequence.set(sequence, { asked, quiet, reply: undefined });
  }

  /** A message that is no acknowledgement: the reply itself, which comes before the acknowledgement. */
  replied(sequence: number, payload: Uint8Array): void {
    const pending = this.#bySequence.get(sequence);
    if (pending !== undefined) pending.reply = payload.slice();
  }

  answered(sequence: number, errno: number, text: string): void {
    if (!this.#bySequence.has(sequence)) return;
    for (const [earlier, pending] of this.#bySequence) {
      this.#bySequence.delete(earlier);
      if (earlier === sequence) {
        this.finish(pending.asked, errno, text, pending.reply);
        return;
      }
      if (pending.quiet && !this.#overrun) this.finish(pending.asked, 0);
      else this.finish(pending.asked, ErrorNumber.ENOBUFS, answerLost);
    }
  }

  /** The receive queue was full: answers are missing, and silence no longer means success. */
  overrun(): void {
    this.#overrun = true;
  }

  get lossy(): boolean {
    return this.#overrun;
  }

  /** The receive queue is empty. The kernel answers at once, so what was lost will not come any more. */
  drained(): void {
    if (this.#overrun) this.failAll(ErrorNumber.ENOBUFS, answerLost);
    this.#overrun = false;
  }

  fail(sequences: readonly number[], errno: number): void {
    for (const sequence of sequences) {
      const pending = this.#bySequence.get(sequence);
      this.#bySequence.delete(sequence);
      if (pending !== undefined) this.finish(pending.asked, errno);
    }
  }

  failAll(errno: number, text: string): void {
    for (const pending of this.#bySequence.values()) this.finish(pending.asked, errno, text, pending.reply);
    this.#bySequence.clear();
  }

  /** Notes the outcome; report() tells it, so that no caller's function runs while a batch is being read. */
  finish({ operation, done, refused }: Asked, errno: number, text = "", reply?: Uint8Array): void {
    if (errno === 0) {
      if (done !== undefined) this.#finished.push(() => done(undefined, reply));
      return;
    }
    const error = new NetlinkError(operationText(operation), errno, text);
    this.#finished.push(() => (done ?? refused ?? this.#onError)(error));
  }

  report(): void {
    const finished = this.#finished;
    this.#finished = [];
    for (const done of finished) done();
  }
}
