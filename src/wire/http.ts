/** HTTP/1.1 as one request and its response need it: RFC 9112. Fed with whatever pieces the network makes of it. */

export interface ResponseHead {
  readonly status: number;
  /** Names in lower case; several of one name are joined. */
  readonly headers: Readonly<Record<string, string>>;
}

const longestHead = 16 * 1024;
/** Of the line before each chunk, with its extensions. */
const longestChunkLine = 4096;
/** Before the one that counts. */
const mostInterim = 20;

const newline = 0x0a;
const protocol = "HTTP/";
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

export function encodeRequest(method: string, target: string, headers: Readonly<Record<string, string>>): Uint8Array {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n`, "latin1");
}

type Part =
  /** Status line and headers, of an interim response perhaps (RFC 9110 section 15.2). */
  "head" | "length" | "until-close" | "chunk-line" | "chunk" | "chunk-end" | "trailers" | "done";

export class ResponseReader {
  head: ResponseHead | undefined;
  readonly #hasBody: boolean;
  readonly #onBody: (bytes: Uint8Array) => void;
  #part: Part = "head";
  /** What cannot be read before more of it is there. */
  #held: Uint8Array | undefined;
  #heldLimit = longestHead;
  /** Bytes that are still to come of a body or chunk whose length is known. */
  #left = 0;
  #trailers = 0;
  #interim = 0;

  /** `onBody` gets what the body consists of once its transfer coding is undone, in memory that is only lent. */
  constructor(method: string, onBody: (bytes: Uint8Array) => void) {
    this.#hasBody = method !== "HEAD";
    this.#onBody = onBody;
  }

  get complete(): boolean {
    return this.#part === "done";
  }

  /** Throws when it is no HTTP. What follows a complete response is overlooked. */
  add(bytes: Uint8Array): void {
    let rest = this.#joined(bytes);
    while (rest.length > 0 && this.#part !== "done") {
      const used = this.#take(rest);
      if (used === 0) {
        if (rest.length > this.#heldLimit) throw new Error(`more than ${this.#heldLimit} bytes of ${this.#what()}`);
        this.#held = rest.slice();
        return;
      }
      rest = rest.subarray(used);
    }
  }

  /** The connection has ended. Throws when something is missing. */
  end(): void {
    if (this.#part === "until-close") this.#part = "done";
    if (this.#part === "done") return;
    if (this.head === undefined && this.#held === undefined) throw new Error("the connection ended without an answer");
    const missing = this.#left > 0 ? `, ${this.#left} bytes too early` : "";
    throw new Error(`the connection ended in the middle of ${this.#what()}${missing}`);
  }

  #joined(bytes: Uint8Array): Uint8Array {
    const held = this.#held;
    if (held === undefined) return bytes;
    this.#held = undefined;
    const all = new Uint8Array(held.length + bytes.length);
    all.set(held);
    all.set(bytes, held.length);
    return all;
  }

  /** How many bytes were used; 0 when more are needed. */
  #take(bytes: Uint8Array): number {
    switch (this.#part) {
      case "head":
        return this.#takeHead(bytes);
      case "until-close":
        this.#onBody(bytes);
        return bytes.length;
      case "length":
      case "chunk": {
        const used = Math.min(this.#left, bytes.length);
        this.#onBody(bytes.subarray(0, used));
        this.#left -= used;
        if (this.#left === 0) this.#enter(this.#part === "chunk" ? "chunk-end" : "done");
        return used;
      }
      case "chunk-end": {
        const at = bytes.indexOf(newline);
        if (at > 1 || (at < 0 && bytes.length > 1)) throw new Error("a chunk that is longer than it says");
        if (at >= 0) this.#enter("chunk-line");
        return at + 1;
      }
      case "chunk-line":
        return this.#takeChunkLine(bytes);
      case "trailers": {
        const at = bytes.indexOf(newline);
        if (at < 0) return 0;
        this.#trailers += at;
        if (this.#trailers > longestHead) throw new Error(`more than ${longestHead} bytes of trailers`);
        if (at === 0 || (at === 1 && bytes[0] === 0x0d)) this.#enter("done");
        return at + 1;
      }
      case "done":
        return bytes.length;
    }
  }

  #takeHead(bytes: Uint8Array): number {
    // Another protocol is told at once, however long its server waits for more.
    if (!protocol.startsWith(latin1(bytes.subarray(0, protocol.length)))) throw notHttp(firstLine(bytes));
    const end = endOfHead(bytes);
    if (end === undefined) return 0;
    const head = parseHead(latin1(bytes.subarray(0, end)));
    // RFC 9110 section 15.2: an interim response comes before the one that counts; after 101 other words are spoken.
    if (head.status < 200 && head.status !== 101) {
      if (++this.#interim > mostInterim) throw new Error(`more than ${mostInterim} interim responses`);
      return end;
    }
    this.head = head;
    this.#begin(head);
    return end;
  }

  /** RFC 9112 section 6.3 */
  #begin({ status, headers }: ResponseHead): void {
    const { "transfer-encoding": coding, "content-length": length } = headers;
    if (!this.#hasBody || status < 200 || status === 204 || status === 304) this.#enter("done");
    else if (coding !== undefined) this.#enter(/(^|,)\s*chunked\s*$/i.test(coding) ? "chunk-line" : "until-close");
    else if (length !== undefined) {
      this.#left = parseLength(length);
      this.#enter(this.#left === 0 ? "done" : "length");
    } else this.#enter("until-close");
  }

  /** RFC 9112 section 7.1 */
  #takeChunkLine(bytes: Uint8Array): number {
    const at = bytes.indexOf(newline);
    if (at < 0) return 0;
    this.#left = plainLength(bytes, at) ?? extendedLength(bytes, at);
    this.#enter(this.#left === 0 ? "trailers" : "chunk");
    return at + 1;
  }

  #enter(part: Part): void {
    this.#part = part;
    this.#heldLimit = part === "chunk-line" ? longestChunkLine : longestHead;
  }

  #what(): string {
    switch (this.#part) {
      case "head":
        return "the headers";
      case "chunk-line":
      case "chunk-end":
        return "a chunked body";
      case "trailers":
        return "the trailers";
      case "length":
      case "chunk":
      case "until-close":
      case "done":
        return "the body";
    }
  }
}

/** Behind the empty line; a line may end without a carriage return (RFC 9112 section 2.2). */
function endOfHead(bytes: Uint8Array): number | undefined {
  let at = bytes.indexOf(newline);
  while (at >= 0) {
    const next = bytes[at + 1] === 0x0d ? at + 2 : at + 1;
    if (bytes[next] === newline) return next + 1;
    at = bytes.indexOf(newline, at + 1);
  }
  return undefined;
}

function parseHead(text: string): ResponseHead {
  const [first = "", ...lines] = text.split(/\r?\n/);
  const status = /^HTTP\/1\.[01] ([1-9]\d\d)(?: .*)?$/.exec(first)?.[1];
  if (status === undefined) throw notHttp(first);
  const headers: Record<string, string> = Object.create(null);
  let last = "";
  for (const line of lines) {
    if (line === "") break;
    // RFC 9112 section 5.2: the value goes on.
    if (/^[\t ]/.test(line) && last !== "") {
      headers[last] = `${headers[last]} ${line.trim()}`;
      continue;
    }
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    if (colon < 1 || !token.test(name)) throw new Error(`no header: ${show(line)}`);
    const value = line.slice(colon + 1).trim();
    const before = headers[name];
    headers[name] = before === undefined ? value : `${before}, ${value}`;
    last = name;
  }
  return { status: Number(status), headers: { ...headers } };
}

/** Of a line of nothing but digits, as nearly all are: there may be as many of them as there are bytes in the body. */
function plainLength(bytes: Uint8Array, end: number): number | undefined {
  const digits = bytes[end - 1] === 0x0d ? end - 1 : end;
  if (digits < 1 || digits > 12) return undefined;
  let length = 0;
  for (let i = 0; i < digits; i++) {
    const byte = bytes[i] ?? 0;
    const letter = byte | 0x20;
    if (byte >= 0x30 && byte <= 0x39) length = length * 16 + byte - 0x30;
    else if (letter >= 0x61 && letter <= 0x66) length = length * 16 + letter - 0x57;
    else return undefined;
  }
  return length;
}

function extendedLength(bytes: Uint8Array, end: number): number {
  const line = latin1(bytes.subarray(0, end));
  const digits = /^([0-9A-Fa-f]{1,12})[\t ]*(;.*)?\r?$/.exec(line)?.[1];
  if (digits === undefined || end > longestChunkLine) throw new Error(`no length of a chunk: ${show(line)}`);
  return Number.parseInt(digits, 16);
}

function notHttp(line: string): Error {
  return new Error(`no answer of HTTP/1.1: ${show(line)}`);
}

function firstLine(bytes: Uint8Array): string {
  return latin1(bytes.subarray(0, 200)).split(/\r?\n/)[0] ?? "";
}

/** RFC 9110 section 8.6: repeated, it has to be the same. */
function parseLength(text: string): number {
  const [first = "", ...others] = text.split(/\s*,\s*/);
  if (/^\d{1,15}$/.test(first) && others.every((other) => other === first)) return Number(first);
  throw new Error(`no length of a body: ${show(text)}`);
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

function show(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
