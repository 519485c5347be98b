/** The last bytes of what a program printed: however much it prints, memory stays small. Pure. */
export class OutputTail {
  readonly #limit: number;
  #chunks: Uint8Array[] = [];
  #kept = 0;
  #total = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The chunk must not be changed afterwards. */
  append(chunk: Uint8Array): void {
    this.#total += chunk.length;
    const end = chunk.length > this.#limit ? chunk.subarray(chunk.length - this.#limit) : chunk;
    this.#chunks.push(end);
    this.#kept += end.length;
    if (this.#kept > 2 * this.#limit || this.#chunks.length > 64) this.#shrink();
  }

  /** White space at the end goes; what was cut off at the beginning shows as "…". */
  text(): string {
    const bytes = this.#shrink();
    const cut = this.#total > bytes.length;
    // A character that the cut went through is not shown in halves.
    const start = cut ? bytes.findIndex((byte) => (byte & 0xc0) !== 0x80) : 0;
    const text = new TextDecoder().decode(bytes.subarray(Math.max(start, 0))).trimEnd();
    return cut ? `…${text}` : text;
  }

  #shrink(): Uint8Array {
    const all = new Uint8Array(this.#kept);
    let at = 0;
    for (const chunk of this.#chunks) {
      all.set(chunk, at);
      at += chunk.length;
    }
    const end = all.subarray(Math.max(0, all.length - this.#limit));
    this.#chunks = [end];
    this.#kept = end.length;
    return end;
  }
}
