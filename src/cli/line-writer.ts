/** Lines to a stream that may be slow, or a pipe whose reader has seen enough (`viprd … | head`). */
import { once } from "node:events";

export class LineWriter {
  readonly #output: NodeJS.WritableStream;
  #closed = false;
  #failure: Error | undefined;

  constructor(output: NodeJS.WritableStream) {
    this.#output = output;
    output.on("error", (error: NodeJS.ErrnoException) => {
      this.#closed = true;
      if (error.code !== "EPIPE") this.#failure ??= error;
    });
  }

  /** Nobody reads any more: time to stop. */
  get closed(): boolean {
    return this.#closed;
  }

  /** The promise, if there is one, is to be awaited before the next line. */
  write(line: string): Promise<void> | undefined {
    if (this.#closed || this.#output.write(`${line}\n`)) return undefined;
    return this.#drained();
  }

  async #drained(): Promise<void> {
    const stop = new AbortController();
    const onClose = () => stop.abort();
    this.#output.once("error", onClose).once("close", onClose);
    try {
      await once(this.#output, "drain", { signal: stop.signal });
    } catch {
      // Closed instead of drained, or failed: the error listener has kept why.
      this.#closed = true;
    } finally {
      this.#output.off("error", onClose).off("close", onClose);
    }
  }

  /**
   * Resolves when all lines are out; returns what kept them from being written, a closed pipe aside.
   * The error listener stays: Node reports a closed pipe again, some turns later.
   */
  async end(): Promise<Error | undefined> {
    if (!this.#closed) await new Promise<void>((resolve) => this.#output.write("", () => resolve()));
    return this.#failure;
  }
}
