/**
 * A kernel socket: bytes in, bytes out, readiness. Non-blocking and close-on-exec always; it lives until close(),
 * whatever the garbage collector thinks. Setting up throws SystemError; sending and receiving return a negative errno,
 * because there a refusal (EAGAIN, ENOBUFS, ENETUNREACH, EPERM from a firewall…) is everyday.
 */
import { addon } from "./addon.ts";
import { type Batch, MAX_BATCH, Slab } from "./batch.ts";
import { AF_NETLINK, AF_PACKET, SO_BINDTODEVICE, SOCK_RAW, SOL_SOCKET } from "./constants.ts";
import { ErrorNumber, SystemError } from "./errno.ts";

export type { Batch } from "./batch.ts";

export interface SocketOptions {
  /** Messages taken by one receive(), at most 64 (the default). */
  readonly batchSize?: number;
  /** Room for one message in bytes; what is longer is cut. Default 2048. */
  readonly slotSize?: number;
}

export class Socket {
  readonly #what: string;
  readonly #batchSize: number;
  readonly #slotSize: number;
  #descriptor: number;
  #slab: Slab | undefined;
  #pendingError = 0;

  private constructor(descriptor: number, what: string, batchSize: number, slotSize: number) {
    this.#descriptor = descriptor;
    this.#what = what;
    this.#batchSize = batchSize;
    this.#slotSize = slotSize;
  }

  /** `what` names the socket in errors: "raw socket for protocol 112". */
  static open(domain: number, type: number, protocol: number, what: string, options: SocketOptions = {}): Socket {
    const { batchSize = MAX_BATCH, slotSize = 2048 } = options;
    if (!Number.isInteger(batchSize) || batchSize < 1 || batchSize > MAX_BATCH) {
      throw new RangeError(`open ${what}: batchSize must be from 1 to ${MAX_BATCH}, got ${batchSize}`);
    }
    if (!Number.isInteger(slotSize) || slotSize < 1) throw new RangeError(`open ${what}: slotSize ${slotSize}`);
    const descriptor = addon().open(domain, type, protocol);
    if (descriptor < 0) {
      const privileged = domain === AF_PACKET || (type === SOCK_RAW && domain !== AF_NETLINK);
      throw new SystemError(`open ${what}`, -descriptor, privileged ? "needs CAP_NET_RAW" : undefined);
    }
    return new Socket(descriptor, what, batchSize, slotSize);
  }

  /** -1 once closed. */
  get descriptor(): number {
    return this.#descriptor;
  }

  get closed(): boolean {
    return this.#descriptor < 0;
  }

  bind(sockaddr: Uint8Array): void {
    this.#check("bind", addon().bind(this.#descriptor, sockaddr));
  }

  connect(sockaddr: Uint8Array): void {
    this.#check("connect", addon().connect(this.#descriptor, sockaddr));
  }

  /** The sockaddr the socket is bound to. */
  name(): Uint8Array {
    const into = new Uint8Array(128);
    return into.subarray(0, this.#check("name", addon().name(this.#descriptor, into)));
  }

  /** A number is passed as a C int. */
  setOption(level: number, name: number, value: number | Uint8Array): void {
    const bytes = typeof value === "number" ? new Uint8Array(Int32Array.of(value).buffer) : value;
    this.#check(`set option ${level}/${name} of`, addon().setOption(this.#descriptor, level, name, bytes));
  }

  /** The value's bytes, at most `length` of them. */
  getOption(level: number, name: number, length: number): Uint8Array {
    const into = new Uint8Array(length);
    const result = addon().getOption(this.#descriptor, level, name, into);
    return into.subarray(0, this.#check(`get option ${level}/${name} of`, result));
  }

  bindToDevice(name: string): void {
    const bytes = new TextEncoder().encode(name);
    const result = addon().setOption(this.#descriptor, SOL_SOCKET, SO_BINDTODEVICE, bytes);
    this.#check(`bind to device ${name}:`, result);
  }

  /** A classic BPF program as filter.ts builds it. What already waits in the queue is not filtered. */
  attachFilter(program: Uint8Array): void {
    this.#check("attach filter to", addon().attachFilter(this.#descriptor, program));
  }

  /** The number of bytes sent, or a negative errno. The kernel has taken (for netlink: obeyed) it on return. Never throws. */
  send(bytes: Uint8Array, destination?: Uint8Array): number {
    return addon().send(this.#descriptor, bytes, destination);
  }

  /**
   * As send(), on another thread, for requests that the kernel sleeps over. `done` is called later with the number of
   * bytes sent or a negative errno, also after close().
   */
  sendAside(bytes: Uint8Array, done: (result: number) => void): void {
    const result = addon().sendAside(this.#descriptor, bytes, done);
    if (result < 0) queueMicrotask(() => done(result));
  }

  /** What waits, at most batchSize messages (count 0: nothing), or a negative errno. Never throws. */
  receive(): Batch | number {
    if (this.#pendingError > 0) {
      const error = this.#pendingError;
      this.#pendingError = 0;
      return -error;
    }
    if (this.#descriptor < 0) return -ErrorNumber.EBADF;
    this.#slab ??= new Slab(this.#batchSize, this.#slotSize);
    const slab = this.#slab;
    const result = addon().receive(this.#descriptor, slab.buffer, slab.size, slab.slotSize);
    if (result < 0) return result;
    slab.count = result;
    return slab;
  }

  /**
   * Calls onReadable whenever something waits, again and again until it is received, and keeps the process alive until
   * close(). An error of the socket (ENOBUFS after an overrun, ENETDOWN when its interface goes) is given to onError;
   * without one, onReadable is called and the next receive() returns it. Either way the socket is watched on.
   */
  watch(onReadable: () => void, onError?: (errno: number) => void): void {
    const report = (errno: number): void => {
      this.#pendingError = errno;
      onReadable();
    };
    this.#check("watch", addon().watch(this.#descriptor, onReadable, onError ?? report));
  }

  /** Idempotent. Neither function given to watch() is called afterwards. */
  close(): void {
    if (this.#descriptor < 0) return;
    addon().close(this.#descriptor);
    this.#descriptor = -1;
    this.#slab = undefined;
  }

  #check(operation: string, result: number): number {
    if (result >= 0) return result;
    throw new SystemError(`${operation} ${this.#what}`, -result);
  }
}
