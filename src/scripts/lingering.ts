/**
 * Streams of programs that ended and left others running in the background with the same standard output. Closed, the
 * next word of such a one would end it with SIGPIPE; so what they print is read and thrown away, as long as they live.
 */
import type { Readable } from "node:stream";

/** Above this many, the oldest are closed. */
const most = 100;

export class Lingering {
  readonly #streams = new Set<Readable>();

  keep(stream: Readable): void {
    stream.removeAllListeners("data");
    if (stream.destroyed || stream.readableEnded) return;
    stream.resume();
    // A pipe, for Node a socket: it alone must not keep this process alive.
    if ("unref" in stream && typeof stream.unref === "function") stream.unref();
    this.#streams.add(stream);
    stream.on("close", () => this.#streams.delete(stream));
    for (const oldest of this.#streams) {
      if (this.#streams.size <= most) break;
      this.#streams.delete(oldest);
      oldest.destroy();
    }
  }

  close(): void {
    for (const stream of this.#streams) stream.destroy();
    this.#streams.clear();
  }
}
