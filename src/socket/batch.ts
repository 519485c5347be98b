/**
 * The memory that one receive fills, laid out as native/viprd.c expects it: for each of `size` messages eight
 * doubles of metadata, then all source addresses, all destinations, and all payload slots.
 */

/** Messages received at once. Views are valid only until the next receive() on the same socket: copy what you keep. */
export interface Batch {
  readonly count: number;
  /** A view, cut at the received length. */
  bytes(i: number): Uint8Array;
  /** Longer than the slot: its end is lost. */
  truncated(i: number): boolean;
  /** The sender's sockaddr, a view. */
  source(i: number): Uint8Array;
  /** TTL or hop limit, -1 when unknown (IP_RECVTTL, IPV6_RECVHOPLIMIT). */
  ttl(i: number): number;
  /** Where it came in, 0 when unknown (IP_PKTINFO, IPV6_RECVPKTINFO; packet sockets always know). */
  interfaceIndex(i: number): number;
  /** From the packet info: 4 or 16 bytes, a view. */
  destination(i: number): Uint8Array | undefined;
  /**
   * Arrival on the clock of clock.ts in milliseconds: the kernel's with SO_TIMESTAMPNS, otherwise the time of receive().
   * The kernel stamps in real time, so the stamp is turned into an age and kept within the last minute. It begins to
   * stamp some milliseconds after the first socket of the host asked for it.
   */
  at(i: number): number;
}

const META_FIELDS = 8;
const NAME_SIZE = 128;
const DESTINATION_SIZE = 16;

/** One recvmmsg takes no more. */
export const MAX_BATCH = 64;

export class Slab implements Batch {
  count = 0;
  readonly buffer: ArrayBuffer;
  readonly size: number;
  readonly slotSize: number;
  readonly #meta: Float64Array;
  readonly #names: number;
  readonly #destinations: number;
  readonly #slots: number;

  constructor(size: number, slotSize: number) {
    this.size = size;
    this.slotSize = slotSize;
    this.#names = size * META_FIELDS * Float64Array.BYTES_PER_ELEMENT;
    this.#destinations = this.#names + size * NAME_SIZE;
    this.#slots = this.#destinations + size * DESTINATION_SIZE;
    this.buffer = new ArrayBuffer(this.#slots + size * slotSize);
    this.#meta = new Float64Array(this.buffer, 0, size * META_FIELDS);
  }

  bytes(i: number): Uint8Array {
    return new Uint8Array(this.buffer, this.#slots + i * this.slotSize, this.#field(i, 0));
  }

  truncated(i: number): boolean {
    return this.#field(i, 1) !== 0;
  }

  source(i: number): Uint8Array {
    return new Uint8Array(this.buffer, this.#names + i * NAME_SIZE, this.#field(i, 2));
  }

  ttl(i: number): number {
    return this.#field(i, 3);
  }

  interfaceIndex(i: number): number {
    return this.#field(i, 4);
  }

  destination(i: number): Uint8Array | undefined {
    const length = this.#field(i, 5);
    return length === 0 ? undefined : new Uint8Array(this.buffer, this.#destinations + i * DESTINATION_SIZE, length);
  }

  at(i: number): number {
    return this.#field(i, 6);
  }

  #field(i: number, field: number): number {
    if (!(i >= 0 && i < this.count)) throw new RangeError(`message ${i} of a batch of ${this.count}`);
    return this.#meta[i * META_FIELDS + field] ?? 0;
  }
}
