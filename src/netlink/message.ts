/**
 * Netlink messages (linux/netlink.h, RFC 3549 section 2.2), in host order. A datagram holds one or several:
 *
 *     u32 length | u16 type | u16 flags | u32 sequence | u32 port id | payload | zeros up to a multiple of 4
 */
import { AttributeReader, align } from "./attributes.ts";
import { NLM_F_ACK_TLVS, NLM_F_CAPPED, NLMSG_DONE, NLMSGERR_ATTR_MSG } from "./constants.ts";
import { readI32, readU16, readU32, writeU16, writeU32 } from "./host-order.ts";

export const MESSAGE_HEADER = 16;

/** The room one message with this body takes in a datagram. */
export function messageLength(body: Uint8Array): number {
  return align(MESSAGE_HEADER + body.length);
}

/** Writes one message at `at`, padding included, and gives the offset behind it. */
export function encodeMessage(
  into: Uint8Array,
  at: number,
  type: number,
  flags: number,
  sequence: number,
  body: Uint8Array,
): number {
  const length = MESSAGE_HEADER + body.length;
  writeU32(into, at, length);
  writeU16(into, at + 4, type);
  writeU16(into, at + 6, flags);
  writeU32(into, at + 8, sequence);
  writeU32(into, at + 12, 0);
  into.set(body, at + MESSAGE_HEADER);
  const end = at + align(length);
  into.fill(0, at + length, end);
  return end;
}

/** Walks the messages of a datagram. One that does not fit ends the walk and sets `bad`. */
export class MessageReader {
  readonly #bytes: Uint8Array;
  #next = 0;
  #at = 0;
  #end = 0;
  #bad = false;

  constructor(datagram: Uint8Array) {
    this.#bytes = datagram;
  }

  next(): boolean {
    const at = this.#next;
    if (at >= this.#bytes.length) return false;
    const length = readU32(this.#bytes, at);
    if (length < MESSAGE_HEADER || at + length > this.#bytes.length) {
      this.#bad = true;
      return false;
    }
    this.#at = at;
    this.#end = at + length;
    this.#next = at + align(length);
    return true;
  }

  get bad(): boolean {
    return this.#bad;
  }

  get type(): number {
    return readU16(this.#bytes, this.#at + 4);
  }

  get flags(): number {
    return readU16(this.#bytes, this.#at + 6);
  }

  get sequence(): number {
    return readU32(this.#bytes, this.#at + 8);
  }

  /** Of the socket whose request this is about, in the kernel's events; 0 = the kernel itself. */
  get port(): number {
    return readU32(this.#bytes, this.#at + 12);
  }

  /** A view, valid as long as the receive buffer. */
  payload(): Uint8Array {
    return this.#bytes.subarray(this.#at + MESSAGE_HEADER, this.#end);
  }
}

export interface Answer {
  /** Positive; 0 = done as asked. */
  readonly errno: number;
  /** The kernel's own words (extended acknowledgement), "" without any. */
  readonly text: string;
}

/** The payload of NLMSG_ERROR (which also says "no error") or NLMSG_DONE. */
export function decodeAnswer(payload: Uint8Array, type: number, flags: number): Answer {
  const errno = payload.length < 4 ? 0 : Math.max(0, -readI32(payload, 0));
  if ((flags & NLM_F_ACK_TLVS) === 0) return { errno, text: "" };
  let at = 4;
  if (type !== NLMSG_DONE) {
    // The request follows the number: its header alone, or all of it on a socket without NETLINK_CAP_ACK.
    at += flags & NLM_F_CAPPED ? MESSAGE_HEADER : align(readU32(payload, 4));
  }
  const reader = new AttributeReader(payload, at);
  let text = "";
  while (reader.next()) {
    if (reader.type === NLMSGERR_ATTR_MSG) text = reader.text();
  }
  return { errno, text };
}
