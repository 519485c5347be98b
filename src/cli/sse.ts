/** Takes server-sent events apart: text in pieces of any size, the id and data of each event out. */
export class EventReader {
  readonly #onEvent: (id: string, data: string) => void;
  #rest = "";
  #id = "";
  #data: string[] = [];

  constructor(onEvent: (id: string, data: string) => void) {
    this.#onEvent = onEvent;
  }

  push(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#line(line);
  }

  #line(line: string): void {
    if (line.startsWith("id:")) this.#id = line.slice(3).trim();
    if (line.startsWith("data:")) this.#data.push(line.slice(5).trimStart());
    if (line !== "" || this.#data.length === 0) return;
    this.#onEvent(this.#id, this.#data.join("\n"));
    this.#data = [];
  }
}
