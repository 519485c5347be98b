/**
 * Reads the YAML that most configurations are made of: maps and lists by indentation, values on one line, plain, in quotes
 * or in brackets. Ten times as fast as the parser that knows all of YAML, which matters with thousands of servers. It
 * understands all of a text or gives up: whatever is unusual or wrong anywhere is left to that parser, and its messages.
 */
import type { Place } from "./problem.ts";
import type { Entry, ListNode, MapNode, ScalarNode, TreeNode } from "./tree.ts";
import { type Environment, fillVariables, resolvePlain } from "./variables.ts";

/** Deeper ones are nobody's, and the other parser has a limit that it tells of. */
const deepest = 12;

/** One line of YAML each, from where it stands: sticky. A word may have any colon that no space follows. */
const space = / */y;
const lineEnd = / *(?:#[^\n]*)?(?:\n|$)/y;
const nothingOnLine = / *(?:#[^\n]*)?\n/y;
const item = /- +(?=[^\s#])/y;
const key = /([A-Za-z0-9_][A-Za-z0-9_.-]*):(?=[ \n]|$)/y;
const plain =
  /(?:[A-Za-z0-9_./+$~(]|-(?=[A-Za-z0-9_./-]))(?:[!-9;-~]|:(?=[!-~]))*(?: +(?:[!"$-9;-~]|:(?=[!-~]))(?:[!-9;-~]|:(?=[!-~]))*)*/y;
const quoted = /"[^"\\\n]*"|'[^'\n]*'/y;
const keyInside = /([A-Za-z0-9_][A-Za-z0-9_.-]*): +/y;
const plainInside =
  /(?:[A-Za-z0-9_./+]|-(?=[A-Za-z0-9_./]))(?:[A-Za-z0-9_./+%@=*;-]|:(?=[A-Za-z0-9_./]))*(?: +[A-Za-z0-9_./+](?:[A-Za-z0-9_./+%@=*;-]|:(?=[A-Za-z0-9_./]))*)*/y;

/** Undefined for a text that it does not understand all of. */
export function readPlainYaml(file: string, text: string, environment: Environment): TreeNode | undefined {
  return /[\r\uFEFF]/.test(text) ? undefined : new Reader(file, text, environment).read();
}

class Reader {
  readonly #file: string;
  readonly #text: string;
  readonly #environment: Environment;
  /** What is to be read next. */
  #at = 0;
  #line = 1;
  #lineStart = 0;
  #depth = 0;

  constructor(file: string, text: string, environment: Environment) {
    this.#file = file;
    this.#text = text;
    this.#environment = environment;
  }

  read(): TreeNode | undefined {
    this.#toContent();
    const root = this.#column === 0 && !this.#isItem() ? this.#map() : undefined;
    return this.#at === this.#text.length ? root : undefined;
  }

  get #column(): number {
    return this.#at - this.#lineStart;
  }

  #place(): Place {
    return { file: this.#file, line: this.#line, column: this.#column + 1 };
  }

  /** Goes behind what matches here; false, and stays, if nothing does. */
  #take(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    if (!pattern.test(this.#text)) return false;
    this.#at = pattern.lastIndex;
    return true;
  }

  #isItem(): boolean {
    item.lastIndex = this.#at;
    return item.test(this.#text);
  }

  /** From the beginning of a line to what is written on it, or on the next one that says something. */
  #toContent(): void {
    this.#lineStart = this.#at;
    while (this.#take(nothingOnLine)) {
      this.#line++;
      this.#lineStart = this.#at;
    }
    this.#take(space);
    // What ends without a line break is no content either.
    if (this.#text[this.#at] === "#" && !this.#text.includes("\n", this.#at)) this.#at = this.#text.length;
    if (this.#at === this.#text.length) this.#lineStart = this.#at;
  }

  /** Nothing but a comment is left on this line: goes to the next content. */
  #endLine(): boolean {
    // A comment begins behind a space.
    if (this.#text[this.#at] === "#" || !this.#take(lineEnd)) return false;
    this.#line++;
    this.#toContent();
    return true;
  }

  #block(): TreeNode | undefined {
    if (this.#depth >= deepest) return undefined;
    this.#depth++;
    const node = this.#isItem() ? this.#list() : this.#map();
    this.#depth--;
    return node;
  }

  #map(): MapNode | undefined {
    const column = this.#column;
    const place = this.#place();
    const entries: Entry[] = [];
    do {
      const at = this.#at;
      const keyPlace = this.#place();
      if (!this.#take(key)) return undefined;
      const name = this.#text.slice(at, this.#at - 1);
      const value = this.#take(lineEnd) ? this.#below(column) : this.#onLine();
      if (value === undefined) return undefined;
      entries.push({ key: name, place: keyPlace, value });
    } while (this.#goesOn(column) && !this.#isItem());
    return this.#column > column ? undefined : { kind: "map", place, entries };
  }

  #list(): ListNode | undefined {
    const column = this.#column;
    const place = this.#place();
    const items: TreeNode[] = [];
    do {
      this.#take(item);
      key.lastIndex = this.#at;
      const value = key.test(this.#text) ? this.#block() : this.#onLine();
      if (value === undefined) return undefined;
      items.push(value);
    } while (this.#goesOn(column) && this.#isItem());
    return this.#column > column ? undefined : { kind: "list", place, items };
  }

  #goesOn(column: number): boolean {
    return this.#column === column && this.#at < this.#text.length;
  }

  /** The value of a key that stands alone on its line. One that has none is left to the other parser. */
  #below(column: number): TreeNode | undefined {
    this.#line++;
    this.#toContent();
    if (this.#at === this.#text.length) return undefined;
    const below = this.#column > column || (this.#column === column && this.#isItem());
    return below ? this.#block() : undefined;
  }

  #onLine(): TreeNode | undefined {
    this.#take(space);
    const value = this.#value(plain);
    return value !== undefined && this.#endLine() ? value : undefined;
  }

  #value(unquoted: RegExp): TreeNode | undefined {
    const first = this.#text[this.#at];
    return first === "{" || first === "[" ? this.#bracketed(first) : this.#scalar(unquoted);
  }

  #bracketed(opened: "{" | "["): TreeNode | undefined {
    if (this.#depth >= deepest) return undefined;
    this.#depth++;
    const place = this.#place();
    this.#at++;
    this.#take(space);
    const node = opened === "{" ? this.#mapInside(place) : this.#listInside(place);
    this.#depth--;
    return node;
  }

  #mapInside(place: Place): MapNode | undefined {
    const entries: Entry[] = [];
    if (this.#takes("}")) return { kind: "map", place, entries };
    do {
      const at = this.#at;
      const keyPlace = this.#place();
      if (!this.#take(keyInside)) return undefined;
      const name = this.#text.slice(at, this.#text.indexOf(":", at));
      const value = this.#value(plainInside);
      if (value === undefined) return undefined;
      entries.push({ key: name, place: keyPlace, value });
      this.#take(space);
    } while (this.#separates());
    return this.#takes("}") ? { kind: "map", place, entries } : undefined;
  }

  #listInside(place: Place): ListNode | undefined {
    const items: TreeNode[] = [];
    if (this.#takes("]")) return { kind: "list", place, items };
    do {
      const value = this.#value(plainInside);
      if (value === undefined) return undefined;
      items.push(value);
      this.#take(space);
    } while (this.#separates());
    return this.#takes("]") ? { kind: "list", place, items } : undefined;
  }

  #takes(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #separates(): boolean {
    if (!this.#takes(",")) return false;
    // What stands directly behind it is read as part of a number by some.
    return this.#text[this.#at] === " " && this.#take(space);
  }

  #scalar(unquoted: RegExp): ScalarNode | undefined {
    const at = this.#at;
    const place = this.#place();
    const isPlain = !this.#take(quoted);
    if (isPlain && !this.#take(unquoted)) return undefined;
    const written = isPlain ? this.#text.slice(at, this.#at) : this.#text.slice(at + 1, this.#at - 1);
    const { text, complaints } = fillVariables(written, this.#environment);
    if (complaints.length > 0) return undefined;
    return { kind: "scalar", place, value: isPlain ? resolvePlain(text) : text, text, plain: isPlain };
  }
}
