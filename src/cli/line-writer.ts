/** Lines to a stream that may be slow, or a pipe whose reader has seen enough (`viprd … | head`). */
import { once } from "node:events";

/** One write a line would be one system call a line. */
const batchLength = 32 * 1024;

export class LineWriter {
  readonly #output: NodeJS.WritableStream;
  #batch = "";
  #closed = false;
  #failure: Error | undefined;

  constructor(output: NodeJS.WritableStream) {
    this.#output = output;
    // Never taken off again: Node reports a closed pipe once more some turns later.
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
    this.#batch += `${line}\n`;
    return this.#batch.length < batchLength ? undefined : this.flush();
  }

  /** To be called before waiting for more input, so that the reader has all there is. */
  flush(): Promise<void> | undefined {
    const batch = this.#batch;
    this.#batch = "";
    if (this.#closed || batch === "" || this.#output.write(batch)) return undefined;
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

  /** Resolves when all lines are out; returns what kept them from being written, a closed pipe aside. */
  async end(): Promise<Error | undefined> {
    await this.flush();
    if (!this.#closed) await new Promise<void>((resolve) => this.#output.write("", () => resolve()));
    return this.#failure;
  }
}
