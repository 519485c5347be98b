/** A question to a time server and its answer: RFC 5905 section 7.3, as clients of RFC 4330 use it. */
import { readUint32 } from "./bytes.ts";

const length = 48;
/** Version 4, mode 3: a client. */
const clientHead = 0x23;
const server = 4;
const originateAt = 24;
const receiveAt = 32;
const transmitAt = 40;
/** From 1900 to 1970, in seconds. */
const unixEpoch = 2_208_988_800;
const era = 2 ** 32;

export interface TimeReply {
  /** 0 to 2: it is synchronized. 3: it is not. */
  readonly leap: number;
  /** 0: it says in `reference` why it does not answer ("kiss code", section 7.4). */
  readonly stratum: number;
  /** Four characters, those that are no letters or digits left out; for strata above 1 they mean nothing. */
  readonly reference: string;
  /** When the question came and the answer went, by the server's clock; milliseconds since 1970. */
  readonly received: number;
  readonly sent: number;
}

/** The time in it is a random number: the answer repeats it, and nobody learns from it how late it is here. */
export function encodeTimeQuery(cookie: Uint8Array): Uint8Array {
  if (cookie.length !== 8) throw new RangeError(`expected a cookie of 8 bytes, got ${cookie.length}`);
  const bytes = new Uint8Array(length);
  bytes[0] = clientHead;
  bytes.set(cookie, transmitAt);
  return bytes;
}

/**
 * The answer to this very question; undefined for anything else. `now`, in milliseconds since 1970, tells in which of
 * the spans of 136 years the times lie.
 */
export function decodeTimeReply(query: Uint8Array, bytes: Uint8Array, now: number): TimeReply | undefined {
  if (bytes.length < length) return undefined;
  const [head = 0, stratum = 0] = bytes;
  if ((head & 7) !== server) return undefined;
  for (let i = 0; i < 8; i++) if (bytes[originateAt + i] !== query[transmitAt + i]) return undefined;
  return {
    leap: head >> 6,
    stratum,
    reference: String.fromCharCode(...bytes.subarray(12, 16)).replace(/[^A-Za-z0-9]/g, ""),
    received: timeAt(bytes, receiveAt, now),
    sent: timeAt(bytes, transmitAt, now),
  };
}

function timeAt(bytes: Uint8Array, at: number, now: number): number {
  const seconds = readUint32(bytes, at) - unixEpoch;
  const eras = Math.round((now / 1000 - seconds) / era);
  return (seconds + eras * era) * 1000 + (readUint32(bytes, at + 4) / era) * 1000;
}
