/** Takes server-sent events apart: text in pieces of any size, the data of each event out. */
export class EventReader {
  readonly #onData: (data: string) => void;
  #rest = "";
  #data: string[] = [];

  constructor(onData: (data: string) => void) {
    this.#onData = onData;
  }

  push(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#line(line);
  }

  #line(line: string): void {
    if (line.startsWith("data:")) this.#data.push(line.slice(5).trimStart());
    if (line !== "" || this.#data.length === 0) return;
    this.#onData(this.#data.join("\n"));
    this.#data = [];
  }
}
