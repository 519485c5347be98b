/** Bytes that have arrived and that nobody has read yet. */
export class Inbox {
  #chunks: Buffer[] = [];
  #length = 0;
  #hasLine = false;

  get length(): number {
    return this.#length;
  }

  /** The end of a line is there. */
  get hasLine(): boolean {
    return this.#hasLine;
  }

  add(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    this.#hasLine ||= chunk.includes(0x0a);
  }

  /** The first line without its end; undefined when there is none yet. */
  line(): Buffer | undefined {
    if (!this.#hasLine) return undefined;
    const at = this.#joined().indexOf(0x0a);
    const line = this.take(at + 1);
    const last = line[at - 1] === 0x0d ? at - 1 : at;
    return line.subarray(0, last);
  }

  /** The first ones, all of them when there are not so many. */
  take(length: number): Buffer {
    const all = this.#joined();
    const rest = all.subarray(length);
    this.clear();
    this.add(rest);
    return all.subarray(0, length);
  }

  peek(): Buffer {
    return this.#joined();
  }

  clear(): void {
    this.#chunks = [];
    this.#length = 0;
    this.#hasLine = false;
  }

  #joined(): Buffer {
    const [only] = this.#chunks;
    if (only !== undefined && this.#chunks.length === 1) return only;
    const all = Buffer.concat(this.#chunks);
    this.#chunks = all.length === 0 ? [] : [all];
    return all;
  }
}
