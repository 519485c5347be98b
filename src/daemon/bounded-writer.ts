/** Writes text to a descriptor without ever waiting for its reader: what does not fit is dropped and counted. */
import { write } from "node:fs";
import type { Milliseconds } from "../vrrp/parameters.ts";

export interface BoundedWriterOptions {
  /** Characters kept for a reader that stands still. */
  readonly capacity: number;
  /** A line that tells of dropped ones, written when the reader is back. */
  dropped(count: number): string;
}

const chunkLength = 64 * 1024;
/** Between two attempts at a full pipe, and at anything else that may pass, such as a full disk. */
const pause: Milliseconds = 20;
const longPause: Milliseconds = 1000;
/** Nobody reads any more. */
const final = new Set(["EPIPE", "EBADF"]);

export class BoundedWriter {
  readonly #descriptor: number;
  readonly #options: BoundedWriterOptions;
  #queue: string[] = [];
  #length = 0;
  #dropped = 0;
  #busy = false;
  #broken = false;
  #waiting: (() => void)[] = [];

  constructor(descriptor: number, options: BoundedWriterOptions) {
    this.#descriptor = descriptor;
    this.#options = options;
  }

  write(text: string): void {
    if (this.#broken) return;
    if (this.#length + text.length > this.#options.capacity) {
      this.#dropped += 1;
      return;
    }
    this.#queue.push(text);
    this.#length += text.length;
    this.#next();
  }

  /** Waits until everything is written, at most `limit`; false when it was not. */
  flush(limit: Milliseconds): Promise<boolean> {
    if (!this.#busy) return Promise.resolve(!this.#broken);
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), limit);
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve(!this.#broken);
      });
    });
  }

  #next(): void {
    if (this.#busy) return;
    if (this.#queue.length === 0 && this.#dropped > 0) {
      this.#queue.push(this.#options.dropped(this.#dropped));
      this.#dropped = 0;
    }
    if (this.#queue.length === 0) {
      for (const done of this.#waiting.splice(0)) done();
      return;
    }
    this.#busy = true;
    this.#write(Buffer.from(this.#take()), 0);
  }

  /** Many short lines become one write. */
  #take(): string {
    let length = 0;
    let count = 0;
    for (const text of this.#queue) {
      if (count > 0 && length + text.length > chunkLength) break;
      length += text.length;
      count += 1;
    }
    this.#length = Math.max(0, this.#length - length);
    return this.#queue.splice(0, count).join("");
  }

  #write(bytes: Buffer, from: number): void {
    write(this.#descriptor, bytes, from, bytes.length - from, null, (error, written) => {
      if (error?.code === "EAGAIN") setTimeout(() => this.#write(bytes, from), pause);
      // Not waited for by a process that has nothing else to do.
      else if (error !== null && !final.has(error.code ?? "")) {
        setTimeout(() => this.#write(bytes, from), longPause).unref();
      } else if (error === null && from + written < bytes.length) this.#write(bytes, from + written);
      else this.#done(error !== null);
    });
  }

  /** Nobody is left to tell. */
  #done(broken: boolean): void {
    this.#busy = false;
    this.#broken = broken;
    if (broken) {
      this.#queue = [];
      this.#dropped = 0;
    }
    this.#next();
  }
}
