/** One running child process: messages out, messages in, and one report of its end. */
import type { ChildProcess } from "node:child_process";
import type { Milliseconds } from "../vrrp/parameters.ts";
import { Lines } from "./lines.ts";
import { forkProgram, type Program } from "./program.ts";

export interface ChildHandlers<From> {
  message(message: From): void;
  /** A line that it printed: the last words of a crash. */
  said(line: string): void;
  /** Once; no message comes after it. `why` reads after "the process ". */
  end(why: string, exitCode: number | null): void;
}

/** Messages already sent may still be in the channel when the process is gone. */
const drainLimit: Milliseconds = 200;
const longestLine = 1000;

export class Child<To extends object, From> {
  readonly #process: ChildProcess;
  readonly #handlers: ChildHandlers<From>;
  #ended = false;
  #backlog = 0;
  #gone: { readonly why: string; readonly code: number | null } | undefined;

  constructor(program: Program, handlers: ChildHandlers<From>) {
    this.#handlers = handlers;
    this.#process = forkProgram(program);
    this.#process.on("message", (message) => {
      if (!this.#ended) handlers.message(message as From);
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      if (stream === null) continue;
      const lines = new Lines(longestLine, (line) => handlers.said(line));
      stream.setEncoding("utf8");
      stream.on("data", (text: string) => lines.push(text));
      stream.on("end", () => lines.end());
    }
    this.#process.on("error", (error) => {
      // A failed fork has no exit event.
      if (this.#process.pid === undefined) this.#end(`could not be started: ${error.message}`, null);
    });
    this.#process.on("exit", (code, signal) => {
      const why = signal === null ? `ended with exit code ${code}` : `was killed by ${signal}`;
      this.#gone = { why, code };
      if (!this.#process.connected) this.#end(why, code);
      else setTimeout(() => this.#end(why, code), drainLimit);
    });
    this.#process.on("disconnect", () => {
      if (this.#gone !== undefined) this.#end(this.#gone.why, this.#gone.code);
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Messages handed over that the channel has not taken: grows when the child stands still. */
  get backlog(): number {
    return this.#backlog;
  }

  /** Never blocks: the channel queues. A child that is gone reports its end, so a failed send needs no second report. */
  send(message: To): void {
    if (this.#ended || !this.#process.connected) return;
    this.#backlog += 1;
    this.#process.send(message, () => {
      this.#backlog -= 1;
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  #end(why: string, code: number | null): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#handlers.end(why, code);
  }
}
