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
  #chunks: Buffer[] = [];
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
    if (this.#length < longestBody) this.#chunks.push(Buffer.from(bytes.subarray(0, longestBody - this.#length)));
    this.#length += bytes.length;
    this.#hash?.update(bytes);
    if (this.#length > longestDigested) throw new Error(`more than ${longestDigested} bytes of the body`);
  }

  content(): BodyContent {
    const body = this.#chunks.length === 0 ? "" : Buffer.concat(this.#chunks).toString("utf8");
    return this.#hash === undefined ? { body } : { body, digest: this.#hash.digest("hex") };
  }
}
