/** Text that comes in pieces, line by line. Of a line that does not end only its beginning is kept, however long it gets. Pure. */
export class Lines {
  readonly #longest: number;
  readonly #take: (line: string) => void;
  #begun = "";

  constructor(longest: number, take: (line: string) => void) {
    this.#longest = longest;
    this.#take = take;
  }

  push(text: string): void {
    const [first = "", ...others] = text.split("\n");
    this.#add(first);
    for (const other of others) {
      this.end();
      this.#add(other);
    }
  }

  /** What was said last, without a line end. */
  end(): void {
    const line = this.#begun.replace(/\r$/, "");
    this.#begun = "";
    if (line !== "") this.#take(line);
  }

  #add(text: string): void {
    const room = this.#longest - this.#begun.length;
    if (room > 0) this.#begun += text.slice(0, room);
  }
}
