/**
 * The attributes that follow a netlink message's fixed structure (linux/netlink.h, struct nlattr), in host order:
 *
 *     u16 length (header included) | u16 type | value | zeros up to a multiple of 4
 */
import { readI32, readU16, readU32, writeU16, writeU32 } from "./host-order.ts";

const ATTRIBUTE_HEADER = 4;
/** NLA_TYPE_MASK: without the flags for nested and network-order values. */
const NLA_TYPE_MASK = 0x3fff;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** NLA_ALIGN */
export function align(length: number): number {
  return (length + 3) & ~3;
}

/** Writes one message body: a fixed structure, then attributes. Grows; every byte of the result has been written. */
export class BodyWriter {
  #bytes: Uint8Array;
  #length: number;

  /** `structure` is the length of the fixed part, which starts as zeros. `buffer` may hold anything. */
  constructor(structure: number, buffer: Uint8Array = new Uint8Array(128)) {
    this.#bytes = buffer;
    this.#length = 0;
    this.structure(structure);
  }

  /** Appends a zeroed structure and gives its offset for the setters below (nested bodies have one too). */
  structure(length: number): number {
    const at = this.#length;
    this.#reserve(align(length));
    this.#bytes.fill(0, at, at + align(length));
    this.#length += align(length);
    return at;
  }

  setU8(at: number, value: number): void {
    this.#bytes[at] = value;
  }

  setU16(at: number, value: number): void {
    writeU16(this.#bytes, at, value);
  }

  setU32(at: number, value: number): void {
    writeU32(this.#bytes, at, value);
  }

  u8(type: number, value: number): void {
    // First the room, which may be in another buffer afterwards.
    const at = this.#attribute(type, 1);
    this.#bytes[at] = value;
  }

  u16(type: number, value: number): void {
    const at = this.#attribute(type, 2);
    writeU16(this.#bytes, at, value);
  }

  /** In network order. */
  u16be(type: number, value: number): void {
    const at = this.#attribute(type, 2);
    writeU16(this.#bytes, at, ((value & 0xff) << 8) | (value >> 8));
  }

  u32(type: number, ...values: readonly number[]): void {
    const at = this.#attribute(type, 4 * values.length);
    for (const [i, value] of values.entries()) writeU32(this.#bytes, at + 4 * i, value);
  }

  bytes(type: number, value: Uint8Array): void {
    const at = this.#attribute(type, value.length);
    this.#bytes.set(value, at);
  }

  /** Whole attributes, padding included, as another writer made them. */
  attributes(written: Uint8Array): void {
    const at = this.#length;
    this.#reserve(written.length);
    this.#bytes.set(written, at);
    this.#length += written.length;
  }

  /** With the terminating zero that most of the kernel's string attributes have. */
  text(type: number, value: string): void {
    this.bytes(type, encoder.encode(`${value}\0`));
  }

  /** An attribute whose value is what `write` appends. As iproute2 does, it is not marked with NLA_F_NESTED. */
  nested(type: number, write: () => void): void {
    const at = this.#length;
    this.#attribute(type, 0);
    write();
    writeU16(this.#bytes, at, this.#length - at);
  }

  get length(): number {
    return this.#length;
  }

  /** A view of what was written; the writer is done with it. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #attribute(type: number, length: number): number {
    const start = this.#length;
    const size = ATTRIBUTE_HEADER + align(length);
    this.#reserve(size);
    this.#bytes.fill(0, start + size - 4, start + size);
    writeU16(this.#bytes, start, ATTRIBUTE_HEADER + length);
    writeU16(this.#bytes, start + 2, type);
    this.#length = start + size;
    return start + ATTRIBUTE_HEADER;
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

/**
 * Walks attributes: `while (reader.next()) switch (reader.type) …`, then one look at `bad`.
 * A value of the wrong width, or an attribute that does not fit, sets `bad` for good and reads as zero.
 */
export class AttributeReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  readonly #parent: AttributeReader | undefined;
  #next: number;
  #start = 0;
  #length = 0;
  #type = 0;
  #bad = false;

  constructor(bytes: Uint8Array, start: number, end: number = bytes.length, parent?: AttributeReader) {
    this.#bytes = bytes;
    this.#next = start;
    this.#end = end;
    this.#parent = parent;
  }

  next(): boolean {
    const at = this.#next;
    if (at + ATTRIBUTE_HEADER > this.#end) return false;
    const length = readU16(this.#bytes, at);
    if (length < ATTRIBUTE_HEADER || at + length > this.#end) {
      this.#fail();
      return false;
    }
    this.#type = readU16(this.#bytes, at + 2) & NLA_TYPE_MASK;
    this.#start = at + ATTRIBUTE_HEADER;
    this.#length = length - ATTRIBUTE_HEADER;
    this.#next = at + align(length);
    return true;
  }

  get type(): number {
    return this.#type;
  }

  /** Length of the current value. */
  get length(): number {
    return this.#length;
  }

  get bad(): boolean {
    return this.#bad;
  }

  u8(): number {
    return this.#is(1) ? (this.#bytes[this.#start] ?? 0) : 0;
  }

  u16(): number {
    return this.#is(2) ? readU16(this.#bytes, this.#start) : 0;
  }

  u32(): number {
    return this.#is(4) ? readU32(this.#bytes, this.#start) : 0;
  }

  /** Exact up to 2^53. */
  u64(): number {
    if (!this.#is(8)) return 0;
    return readU32(this.#bytes, this.#start) + readU32(this.#bytes, this.#start + 4) * 0x1_0000_0000;
  }

  i32(): number {
    return this.#is(4) ? readI32(this.#bytes, this.#start) : 0;
  }

  /** A copy: the receive buffer below is used again. With `length`, exactly that many. */
  bytes(length: number = this.#length): Uint8Array {
    if (!this.#is(length)) return new Uint8Array(length);
    return this.#bytes.slice(this.#start, this.#start + this.#length);
  }

  /** The value where it lies, valid as long as the receive buffer. */
  view(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#start + this.#length);
  }

  /** Up to the first zero byte. */
  text(): string {
    const value = this.view();
    const zero = value.indexOf(0);
    return decoder.decode(zero < 0 ? value : value.subarray(0, zero));
  }

  /** The attributes inside the current one, after a structure of `skip` bytes. */
  nested(skip = 0): AttributeReader {
    if (skip > this.#length) this.#fail();
    return new AttributeReader(this.#bytes, this.#start + skip, this.#start + this.#length, this);
  }

  /** For values that hold a structure: says whether the width is right, and is bad if not. */
  #is(length: number): boolean {
    if (this.#length === length) return true;
    this.#fail();
    return false;
  }

  #fail(): void {
    this.#bad = true;
    if (this.#parent !== undefined) this.#parent.#fail();
  }
}
