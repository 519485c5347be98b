/**
 * A FIFO that transitions are written to, one line each, for a reader that comes and goes. Nothing here ever waits for
 * it: the kernel keeps 64 KiB for a reader that is not there or slow, and what does not fit any more is counted as lost.
 * The newest line of each instance and group is not lost, it waits for room: a reader that comes back must end up with
 * the state that is true.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, type Stats, unlinkSync, writeSync } from "node:fs";
import { makeFifo } from "../socket/fifo.ts";
import type { Log } from "./log.ts";
import type { FifoStatus } from "./notify-status.ts";

const retryDelay = 1000;

export class NotifyFifo {
  readonly path: string;
  readonly #log: Log;
  #descriptor: number | undefined;
  /** Only then it is ours to remove. */
  #made = false;
  readonly #waiting = new Map<string, string>();
  #retry: NodeJS.Timeout | undefined;
  #lines = 0;
  #lost = 0;
  #problem: string | undefined;

  constructor(path: string, log: Log) {
    this.path = path;
    this.#log = log;
    const why = this.#ready();
    if (why !== undefined) this.#complain(why);
  }

  /** `subject`: only the newest line of each waits for room. */
  write(subject: string, line: string): void {
    if (this.#waiting.delete(subject)) this.#lost += 1;
    this.#waiting.set(subject, line);
    this.#flush();
  }

  status(): FifoStatus {
    const { path } = this;
    const [lines, lost, waiting] = [this.#lines, this.#lost, this.#waiting.size];
    return { path, lines, lost, waiting, problem: this.#problem ?? null };
  }

  /** What was written stays for a reader that has the FIFO open; what waited is lost. */
  close(): void {
    clearTimeout(this.#retry);
    this.#flush();
    clearTimeout(this.#retry);
    this.#lost += this.#waiting.size;
    if (this.#waiting.size > 0) this.#log.warn(`FIFO ${this.path}: ${this.#waiting.size} lines were never read`);
    this.#waiting.clear();
    try {
      if (this.#made && this.#isOurs()) unlinkSync(this.path);
    } catch (error) {
      this.#log.warn(`FIFO ${this.path}: it cannot be removed: ${messageOf(error)}`);
    }
    this.#closeDescriptor();
  }

  #flush(): void {
    for (const [subject, line] of this.#waiting) {
      const why = this.#ready() ?? this.#put(line);
      if (why !== undefined) {
        this.#complain(why);
        this.#later();
        return;
      }
      this.#waiting.delete(subject);
      this.#lines += 1;
    }
    if (this.#problem !== undefined)
      this.#log.info(`FIFO ${this.path}: written again, ${this.#lost} lines lost so far`);
    this.#problem = undefined;
  }

  /** All of a line or nothing, as it is shorter than PIPE_BUF. */
  #put(line: string): string | undefined {
    try {
      writeSync(this.#descriptor ?? -1, line);
      return undefined;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      return code === "EAGAIN" ? "it is full, as nobody reads it" : message;
    }
  }

  /** Opens it, makes it when it is missing, and opens it again when it is not the one of that name any more. */
  #ready(): string | undefined {
    try {
      if (this.#descriptor !== undefined && this.#isOurs()) return undefined;
      this.#closeDescriptor();
      const before = lstatSync(this.path, { throwIfNoEntry: false });
      if (before === undefined) makeFifo(this.path, 0o600);
      this.#made ||= before === undefined;
      const wrong = before === undefined ? undefined : notAFifo(before);
      if (wrong !== undefined) return wrong;
      // Open for reading too, so that a missing reader is neither an error nor a signal.
      this.#descriptor = openSync(this.path, constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOFOLLOW);
      const changed = notAFifo(fstatSync(this.#descriptor));
      if (changed === undefined) return undefined;
      this.#closeDescriptor();
      return changed;
    } catch (error) {
      return messageOf(error);
    }
  }

  #isOurs(): boolean {
    if (this.#descriptor === undefined) return false;
    const named = lstatSync(this.path, { throwIfNoEntry: false });
    const open = fstatSync(this.#descriptor);
    return named?.ino === open.ino && named.dev === open.dev;
  }

  #complain(why: string): void {
    if (why === this.#problem) return;
    this.#problem = why;
    this.#log.error(`FIFO ${this.path}: ${why}`);
  }

  #later(): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#flush(), retryDelay);
    this.#retry.unref();
  }

  #closeDescriptor(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}

function notAFifo(stats: Stats): string | undefined {
  return stats.isFIFO() ? undefined : "there is something else of that name, no FIFO";
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
