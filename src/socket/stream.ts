/**
 * Short TCP connections by the thousand: opened, perhaps asked something, and ended by a reset, so that no port is left
 * waiting. They cost a fraction of what Node's own do, and they can carry a mark for the firewall and for IPVS.
 */
import { addon } from "./addon.ts";
import { ErrorNumber, SystemError } from "./errno.ts";

export interface StreamOptions {
  /** A sockaddr. */
  readonly source?: Uint8Array | undefined;
  /** Of its packets, less than 2^31; needs CAP_NET_ADMIN. */
  readonly mark?: number | undefined;
}

export interface StreamHandlers {
  /** It is open: `send` may be called. Once. */
  opened(): void;
  /** What came, in memory that is only lent. */
  data(bytes: Uint8Array): void;
  /** Nothing more comes: 0 at an end in order, otherwise an errno. Once; the stream is closed already. */
  ended(errno: number): void;
}

const batch = 256;
/** Of one stream in one turn: another one has its turn, too. */
const mostReads = 4;

export class Stream {
  static #poll = -1;
  static readonly #events = new Int32Array(2 * batch);
  static readonly #owners: (Stream | undefined)[] = new Array<Stream | undefined>(batch);
  static readonly #open = new Map<number, Stream>();
  static readonly #buffer = new Uint8Array(64 * 1024);
  readonly #handlers: StreamHandlers;
  #descriptor: number;
  #connecting = true;

  /** Never throws: what is refused at once is told to `ended`, later. */
  constructor(sockaddr: Uint8Array, handlers: StreamHandlers, { source, mark = 0 }: StreamOptions = {}) {
    this.#handlers = handlers;
    this.#descriptor = addon().streamOpen(Stream.#watched(), sockaddr, source, mark);
    if (this.#descriptor >= 0) {
      Stream.#open.set(this.#descriptor, this);
      return;
    }
    const errno = -this.#descriptor;
    queueMicrotask(() => {
      if (this.#descriptor !== closed) this.#end(errno);
    });
  }

  /** How many are open or being opened. */
  static get count(): number {
    return Stream.#open.size;
  }

  /** What does not fit into the kernel's memory at once ends the stream: requests are short. Then answers are heard. */
  send(bytes: Uint8Array): void {
    const sent = addon().send(this.#descriptor, bytes, undefined);
    if (sent === bytes.length) this.#await();
    else this.#end(sent < 0 ? -sent : ErrorNumber.EAGAIN);
  }

  /** No handler is called afterwards. Idempotent. */
  close(): void {
    if (this.#descriptor >= 0) {
      Stream.#open.delete(this.#descriptor);
      addon().streamClose(Stream.#poll, this.#descriptor);
    }
    this.#descriptor = closed;
  }

  static #watched(): number {
    if (Stream.#poll >= 0) return Stream.#poll;
    const poll = addon().pollOpen();
    if (poll < 0) throw new SystemError("open a poll for streams", -poll);
    const result = addon().watch(poll, () => Stream.#dispatch(), undefined);
    if (result < 0) throw new SystemError("watch the poll for streams", -result);
    addon().unref(poll);
    Stream.#poll = poll;
    return poll;
  }

  static #dispatch(): void {
    const events = Stream.#events;
    const owners = Stream.#owners;
    const count = addon().streamEvents(Stream.#poll, events);
    // Found before any is told: what one does may close another, whose number a new one gets.
    for (let i = 0; i < count; i++) owners[i] = Stream.#open.get(events[2 * i] ?? -1);
    for (let i = 0; i < count; i++) {
      const owner = owners[i];
      if (owner !== undefined) owner.#onEvent(events[2 * i + 1] ?? 0);
      owners[i] = undefined;
    }
  }

  #onEvent(errno: number): void {
    if (this.#descriptor < 0) return;
    if (!this.#connecting) {
      this.#read(errno);
      return;
    }
    this.#connecting = false;
    if (errno === 0) this.#handlers.opened();
    else this.#end(errno);
  }

  /** What came before a reset is heard, too. */
  #read(errno: number): void {
    const buffer = Stream.#buffer;
    for (let reads = 0; reads < mostReads; reads++) {
      const length = addon().streamRead(this.#descriptor, buffer);
      if (length === -ErrorNumber.EAGAIN && errno === 0) break;
      if (length <= 0) {
        this.#end(errno === 0 && length < 0 ? -length : errno);
        return;
      }
      this.#handlers.data(buffer.subarray(0, length));
      if (this.#descriptor < 0) return;
    }
    this.#await();
  }

  #await(): void {
    const result = addon().streamAwait(Stream.#watched(), this.#descriptor);
    if (result < 0) this.#end(-result);
  }

  #end(errno: number): void {
    this.close();
    this.#handlers.ended(errno);
  }
}

/** No descriptor, and no errno either. */
const closed = Number.NEGATIVE_INFINITY;
