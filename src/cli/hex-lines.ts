/**
 * Packets written as hex, one a line, as people paste them: digits with or without spaces and colons between them.
 * `#` starts a comment. Lines with an offset in front, as `tcpdump -x` prints them, make one packet together.
 */

/** A line longer than any packet can be is refused without being kept. */
const longestLine = 512 * 1024;

export type HexItem =
  | { readonly line: number; readonly bytes: Uint8Array }
  | { readonly line: number; readonly problem: string };

/** Push chunks of text as they come, then call finish() once. */
export class HexLineReader {
  #line = 0;
  #text = "";
  #overlong = false;
  /** The packet that lines with offsets are building. */
  #dump: { readonly line: number; digits: string } | undefined;

  *push(chunk: string): Generator<HexItem, void, undefined> {
    const lines = chunk.split("\n");
    const rest = lines.pop() ?? "";
    for (const line of lines) {
      this.#append(line);
      yield* this.#endLine();
    }
    this.#append(rest);
  }

  *finish(): Generator<HexItem, void, undefined> {
    if (this.#text !== "" || this.#overlong) yield* this.#endLine();
    yield* this.#endDump();
  }

  #append(text: string): void {
    if (this.#text.length + text.length > longestLine) {
      this.#overlong = true;
      this.#text = "";
    } else if (!this.#overlong) {
      this.#text += text;
    }
  }

  *#endLine(): Generator<HexItem, void, undefined> {
    const line = ++this.#line;
    const text = (this.#text.split("#")[0] ?? "").trim();
    const overlong = this.#overlong;
    this.#text = "";
    this.#overlong = false;
    if (overlong) {
      yield* this.#endDump();
      yield { line, problem: `longer than ${longestLine} characters` };
      return;
    }
    const offset = /^(?:0x)?([0-9a-fA-F]{4,8}):\s+/.exec(text);
    if (offset !== null) {
      yield* this.#dumpLine(line, Number.parseInt(offset[1] ?? "", 16), text.slice(offset[0].length));
      return;
    }
    yield* this.#endDump();
    if (text !== "") yield read(line, text.replace(/^0x/i, "").replace(/[\s:]/g, ""));
  }

  *#dumpLine(line: number, offset: number, text: string): Generator<HexItem, void, undefined> {
    if (offset === 0) yield* this.#endDump();
    const dump = this.#dump ?? { line, digits: "" };
    this.#dump = undefined;
    // What `tcpdump -X` prints as characters stands behind two spaces.
    const digits = (text.split(/\s{2,}/)[0] ?? "").replace(/\s/g, "");
    if (dump.digits.length !== offset * 2 || offset > longestLine) {
      yield { line, problem: `offset ${offset} does not continue the line before` };
      return;
    }
    this.#dump = { line: dump.line, digits: dump.digits + digits };
  }

  *#endDump(): Generator<HexItem, void, undefined> {
    const dump = this.#dump;
    this.#dump = undefined;
    if (dump !== undefined) yield read(dump.line, dump.digits);
  }
}

function read(line: number, digits: string): HexItem {
  const wrong = /[^0-9a-fA-F]/.exec(digits);
  if (wrong !== null) return { line, problem: `not hex: ${JSON.stringify(wrong[0])}` };
  if (digits.length % 2 !== 0) return { line, problem: "an odd number of hex digits" };
  const bytes = new Uint8Array(digits.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(digits.slice(i * 2, i * 2 + 2), 16);
  return { line, bytes };
}
