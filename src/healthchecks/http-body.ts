/** The body of a response: its beginning is kept, and all of it may be hashed. */
import { createHash, type Hash } from "node:crypto";

export type DigestName = "md5" | "sha256";

export interface BodyContent {
  /** Its first part, see `longestBody`. */
  readonly body: string;
  /** Hexadecimal, of all of it; when it was asked for. */
  readonly digest?: string;
}

/** Of a body so many bytes are kept and looked at. */
export const longestBody = 256 * 1024;
/** More are not hashed either. */
const longestDigested = 64 * 1024 * 1024;

export class Body {
  /** Grows with what comes, however small the pieces are. */
  #kept = Buffer.alloc(0);
  #length = 0;
  readonly #hash: Hash | undefined;

  constructor(digest?: DigestName) {
    this.#hash = digest === undefined ? undefined : createHash(digest);
  }

  /** The rest would change nothing. */
  get isEnough(): boolean {
    return this.#hash === undefined && this.#length >= longestBody;
  }

  /** The bytes are copied. Throws when there are too many. */
  add(bytes: Uint8Array): void {
    if (this.#length < longestBody) this.#keep(bytes);
    this.#length += bytes.length;
    this.#hash?.update(bytes);
    if (this.#length > longestDigested) throw new Error(`more than ${longestDigested} bytes of the body`);
  }

  #keep(bytes: Uint8Array): void {
    const end = Math.min(this.#length + bytes.length, longestBody);
    if (end > this.#kept.length) {
      const room = Buffer.allocUnsafe(Math.min(Math.max(end, 2 * this.#kept.length), longestBody));
      room.set(this.#kept.subarray(0, this.#length));
      this.#kept = room;
    }
    this.#kept.set(bytes.length > end - this.#length ? bytes.subarray(0, end - this.#length) : bytes, this.#length);
  }

  content(): BodyContent {
    const body = this.#kept.toString("utf8", 0, Math.min(this.#length, longestBody));
    return this.#hash === undefined ? { body } : { body, digest: this.#hash.digest("hex") };
  }
}
