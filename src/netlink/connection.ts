/**
 * Requests to the kernel over one netlink socket, and their answers. The kernel obeys inside sendto, so a request has been
 * done when post() returns; the acknowledgement that follows only says how it went. Multicast events never come here: a
 * dump mixed with events, or held up by them, is what overruns a receive queue.
 */
import { NETLINK_ROUTE } from "../socket/constants.ts";
import { ErrorNumber } from "../socket/errno.ts";
import { NLM_F_ACK, NLM_F_REQUEST, NLMSG_ERROR } from "./constants.ts";
import { DumpQueue, type DumpRequest } from "./dump.ts";
import { NetlinkError, type Operation, operationText } from "./error.ts";
import { decodeAnswer, encodeMessage, MessageReader, messageLength } from "./message.ts";
import { type Asked, PendingRequests } from "./pending.ts";
import { isFromKernel, openTransport, type Transport } from "./transport.ts";

export { NetlinkError, type Operation } from "./error.ts";

export interface Request extends Asked {
  /** RTM_… */
  readonly type: number;
  /** NLM_F_CREATE and the like; request and acknowledgement flags are added here. */
  readonly flags: number;
  readonly body: Uint8Array;
}

export interface ConnectionOptions {
  readonly protocol?: number;
  /** Silence of the kernel, in milliseconds, after which what waits for an answer fails. */
  readonly timeout?: number;
  /** Requests that one system call takes at most. */
  readonly perSend?: number;
  /** Failures of posts that have no `done`. Without it they are process warnings. */
  readonly onError?: (error: NetlinkError) => void;
}

const bytesPerSend = 32 * 1024;
const maxPending = 4096;
// Four parts of a dump are some two thousand entries and a few milliseconds; then others in the loop have their turn.
const batchSize = 4;
const receiveBuffer = 4 * 1024 * 1024;
const closed = "connection closed";

export class Connection {
  readonly #transport: Transport;
  readonly #timeout: number;
  readonly #perSend: number;
  readonly #pending: PendingRequests;
  readonly #dumps: DumpQueue;
  readonly #settled: (() => void)[] = [];
  #scratch = new Uint8Array(4096);
  #sequence = 0;
  #timer: NodeJS.Timeout | undefined;
  #heard = false;
  #closed = false;

  constructor(transport: Transport, options: ConnectionOptions = {}) {
    this.#transport = transport;
    this.#timeout = options.timeout ?? 5000;
    this.#perSend = options.perSend ?? 50;
    this.#pending = new PendingRequests(options.onError ?? ((error) => process.emitWarning(error)));
    this.#dumps = new DumpQueue((request, flags) => this.#sendDump(request, flags));
    transport.watch(
      () => this.#wake(),
      (errno) => {
        this.#failed(errno);
        this.#wake();
      },
    );
  }

  static open(options: ConnectionOptions = {}): Connection {
    const { protocol = NETLINK_ROUTE } = options;
    return new Connection(openTransport("netlink request socket", { protocol, receiveBuffer, batchSize }), options);
  }

  /** One request, answered with success or a rejection (NetlinkError). */
  request(operation: Operation, type: number, flags: number, body: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.post(operation, type, flags, body, (error) => (error === undefined ? resolve() : reject(error)));
      this.#drainSoon();
    });
  }

  /** One request whose answer is one message: its payload, a copy. */
  get(operation: Operation, type: number, body: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const done = (error?: NetlinkError, reply?: Uint8Array): void => {
        if (error !== undefined) reject(error);
        else if (reply !== undefined) resolve(reply);
        else reject(new NetlinkError(operationText(operation), ErrorNumber.ENODATA, "an answer without content"));
      };
      this.#send([{ operation, type, flags: 0, body, done }]);
      this.#drainSoon();
    });
  }

  /**
   * Sends at once: the kernel has acted when this returns. `done` is called later, never from inside. Any number may
   * be posted without waiting.
   */
  post(
    operation: Operation,
    type: number,
    flags: number,
    body: Uint8Array,
    done?: (error?: NetlinkError) => void,
  ): void {
    this.#send([{ operation, type, flags, body, ...(done && { done }) }]);
  }

  /**
   * As post(), many requests a system call, in order; a refused one does not stop those behind it. All have been
   * done on return, so callers with thousands hand them over in portions and let the loop run in between.
   */
  postMany(requests: readonly Request[]): void {
    let portion: Request[] = [];
    let length = 0;
    for (const request of requests) {
      length += messageLength(request.body);
      if (portion.length === this.#perSend || (length > bytesPerSend && portion.length > 0)) {
        this.#send(portion);
        portion = [];
        length = messageLength(request.body);
      }
      portion.push(request);
    }
    if (portion.length > 0) this.#send(portion);
  }

  /**
   * All entries of one kind, decoded as they come in (`decode` copies what it keeps; undefined leaves one out).
   * One dump runs at a time, others wait in line. A dump that the kernel marks as inconsistent is taken again.
   */
  dumpWith<T>(
    operation: Operation,
    type: number,
    body: Uint8Array,
    decode: (payload: Uint8Array) => T | undefined,
  ): Promise<T[]> {
    if (this.#closed) return Promise.reject(new NetlinkError(operationText(operation), ErrorNumber.ECANCELED, closed));
    return this.#dumps.add(operation, type, body, decode);
  }

  /** As dumpWith(): the payloads, copied. */
  dump(operation: Operation, type: number, body: Uint8Array): Promise<Uint8Array[]> {
    return this.dumpWith(operation, type, body, (payload) => payload.slice());
  }

  /** Resolves when every request sent so far has been answered and its `done` called. Never rejects. */
  settle(): Promise<void> {
    return new Promise((resolve) => {
      this.#settled.push(resolve);
      this.#drainSoon();
    });
  }

  /** Idempotent. What still waits for an answer fails with ECANCELED. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#transport.close();
    this.#failAll(ErrorNumber.ECANCELED, closed);
    this.#reportSoon();
  }

  #send(requests: readonly Request[]): void {
    if (this.#pending.size + requests.length > maxPending) this.#drain(maxPending / batchSize);
    const full = this.#pending.size + requests.length > maxPending;
    if (this.#closed || full) {
      const errno = full ? ErrorNumber.ENOBUFS : ErrorNumber.ECANCELED;
      const text = full ? "too many requests unanswered" : closed;
      for (const request of requests) this.#pending.finish(request, errno, text);
      this.#reportSoon();
      return;
    }
    const sent: number[] = [];
    let length = 0;
    for (const [i, request] of requests.entries()) {
      // Only the last one asks for an acknowledgement: refusals are always answered, in order, so silence is success.
      const quiet = i < requests.length - 1;
      const flags = request.flags | NLM_F_REQUEST | (quiet ? 0 : NLM_F_ACK);
      const sequence = this.#nextSequence();
      this.#reserve(length, request.body);
      length = encodeMessage(this.#scratch, length, request.type, flags, sequence, request.body);
      this.#pending.add(sequence, request, quiet);
      sent.push(sequence);
    }
    this.#startTimer();
    const result = this.#transport.send(this.#scratch.subarray(0, length));
    if (result >= 0) return;
    this.#pending.fail(sent, -result);
    this.#reportSoon();
  }

  #sendDump(request: DumpRequest, flags: number): number {
    const sequence = this.#nextSequence();
    this.#reserve(0, request.body);
    const length = encodeMessage(this.#scratch, 0, request.type, flags, sequence, request.body);
    this.#startTimer();
    const result = this.#transport.send(this.#scratch.subarray(0, length));
    return result < 0 ? result : sequence;
  }

  #nextSequence(): number {
    // 0 is what the kernel's own events carry.
    this.#sequence = (this.#sequence % 0xffffffff) + 1;
    return this.#sequence;
  }

  #reserve(used: number, body: Uint8Array): void {
    const needed = used + messageLength(body);
    if (needed <= this.#scratch.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#scratch.length * 2));
    grown.set(this.#scratch.subarray(0, used));
    this.#scratch = grown;
  }

  /** Reads answers that are there already, outside the caller's stack but without waiting for a turn of the loop. */
  #drainSoon(): void {
    queueMicrotask(() => this.#wake());
  }

  #wake(): void {
    this.#drain(1);
    this.#report();
  }

  #drain(limit: number): void {
    // After an overrun only an empty queue tells which answers are missing, so it is read to its end at once.
    for (let i = 0; (i < limit || (this.#pending.lossy && i < maxPending)) && !this.#closed; i++) {
      const batch = this.#transport.receive();
      if (typeof batch === "number") {
        if (-batch === ErrorNumber.EAGAIN || -batch === ErrorNumber.EINTR) return;
        this.#failed(-batch);
        if (-batch === ErrorNumber.ENOBUFS) continue;
        return;
      }
      if (batch.count === 0) {
        this.#pending.drained();
        return;
      }
      this.#heard = true;
      for (let j = 0; j < batch.count; j++) {
        if (!isFromKernel(batch.source(j))) continue;
        if (batch.truncated(j)) this.#dumps.truncated();
        this.#datagram(batch.bytes(j));
      }
    }
  }

  #datagram(bytes: Uint8Array): void {
    const reader = new MessageReader(bytes);
    while (reader.next()) {
      const { type, sequence, flags } = reader;
      if (this.#dumps.accepts(sequence)) this.#dumps.message(type, flags, reader.payload());
      else if (type === NLMSG_ERROR) {
        const { errno, text } = decodeAnswer(reader.payload(), type, flags);
        this.#pending.answered(sequence, errno, text);
      } else this.#pending.replied(sequence, reader.payload());
    }
  }

  #reportSoon(): void {
    queueMicrotask(() => this.#report());
  }

  #report(): void {
    this.#pending.report();
    if (!this.#pending.settled) return;
    for (const resolve of this.#settled.splice(0)) resolve();
  }

  #failAll(errno: number, text: string): void {
    this.#pending.failAll(errno, text);
    this.#dumps.failAll(errno, text);
  }

  #failed(errno: number): void {
    if (errno === ErrorNumber.ENOBUFS) this.#pending.overrun();
    else this.#failAll(errno, "receiving the answer failed");
  }

  #startTimer(): void {
    if (this.#timer !== undefined) return;
    this.#heard = false;
    this.#timer = setTimeout(() => this.#expire(), this.#timeout).unref();
  }

  #expire(): void {
    // After a suspended process wakes up, timers come first and the answers are still unread. Meanwhile the timer counts
    // as running: a dump that begins while they are read would make what was heard forgotten.
    this.#drain(1);
    this.#timer = undefined;
    if (this.#pending.size > 0 || this.#dumps.busy) {
      if (!this.#heard) this.#failAll(ErrorNumber.ETIMEDOUT, `no answer from the kernel within ${this.#timeout} ms`);
      else this.#startTimer();
    }
    this.#report();
  }
}
