/** A kernel behind a netlink socket: a function from request to answers, and a queue that can overrun. */

import { NLM_F_MULTI, NLMSG_DONE, NLMSG_ERROR } from "../../src/netlink/constants.ts";
import { encodeMessage, MESSAGE_HEADER, MessageReader, messageLength } from "../../src/netlink/message.ts";
import type { Transport } from "../../src/netlink/transport.ts";

export interface Request {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly body: Uint8Array;
}

interface Datagram {
  readonly bytes: Uint8Array;
  readonly truncated: boolean;
  readonly sender: number;
}

export function message(type: number, flags: number, sequence: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(messageLength(body));
  encodeMessage(bytes, 0, type, flags, sequence, body);
  return bytes;
}

/** NLMSG_ERROR as the kernel writes it with extended acknowledgements: number, request header, text. */
export function answer(sequence: number, errno: number, text = ""): Uint8Array {
  const letters = new TextEncoder().encode(`${text}\0`);
  const attribute = text === "" ? 0 : (4 + letters.length + 3) & ~3;
  const body = new Uint8Array(4 + MESSAGE_HEADER + attribute);
  const view = new DataView(body.buffer);
  view.setInt32(0, -errno, true);
  view.setUint32(4, 1000, true);
  if (text !== "") {
    view.setUint16(20, 4 + letters.length, true);
    view.setUint16(22, 1, true);
    body.set(letters, 24);
  }
  return message(NLMSG_ERROR, text === "" ? 0x100 : 0x300, sequence, body);
}

/** One part of a dump: messages that carry these bodies. */
export function part(type: number, sequence: number, flags: number, ...bodies: Uint8Array[]): Uint8Array {
  const messages = bodies.map((body) => message(type, NLM_F_MULTI | flags, sequence, body));
  return Uint8Array.from(messages.flatMap((bytes) => [...bytes]));
}

export function done(sequence: number, errno = 0, flags = 0): Uint8Array {
  const body = new Uint8Array(4);
  new DataView(body.buffer).setInt32(0, -errno, true);
  return message(NLMSG_DONE, NLM_F_MULTI | flags, sequence, body);
}

export class FakeKernel implements Transport {
  readonly requests: Request[] = [];
  /** How many messages each sendto carried. */
  readonly sends: number[] = [];
  /** Negative: what sendto returns. */
  refuse = 0;
  closed = false;
  readonly #answer: (request: Request) => readonly Uint8Array[];
  readonly #queue: (Datagram | number)[] = [];
  #onReadable: () => void = () => {};
  #onError: (errno: number) => void = () => {};

  constructor(answerTo: (request: Request) => readonly Uint8Array[] = () => []) {
    this.#answer = answerTo;
  }

  send(bytes: Uint8Array): number {
    if (this.refuse < 0) return this.refuse;
    const reader = new MessageReader(bytes);
    const before = this.requests.length;
    while (reader.next()) {
      const { type, flags, sequence } = reader;
      const request = { type, flags, sequence, body: reader.payload().slice() };
      this.requests.push(request);
      this.put(...this.#answer(request));
    }
    this.sends.push(this.requests.length - before);
    return bytes.length;
  }

  put(...datagrams: readonly Uint8Array[]): void {
    for (const bytes of datagrams) this.#queue.push({ bytes, truncated: false, sender: 0 });
  }

  putFrom(sender: number, bytes: Uint8Array): void {
    this.#queue.push({ bytes, truncated: false, sender });
  }

  putTruncated(bytes: Uint8Array): void {
    this.#queue.push({ bytes, truncated: true, sender: 0 });
  }

  /** The next receive() says so, as after an overrun. */
  putError(errno: number): void {
    this.#queue.push(-errno);
  }

  receive(): ReturnType<Transport["receive"]> {
    const [first] = this.#queue;
    if (typeof first === "number") {
      this.#queue.shift();
      return first;
    }
    const end = this.#queue.slice(0, 16).findIndex((item) => typeof item === "number");
    const batch = this.#queue.splice(0, end < 0 ? 16 : end) as Datagram[];
    const source = (i: number): Uint8Array => {
      const sockaddr = new Uint8Array(12);
      sockaddr[4] = batch[i]?.sender ?? 0;
      return sockaddr;
    };
    return {
      count: batch.length,
      bytes: (i) => batch[i]?.bytes ?? new Uint8Array(),
      truncated: (i) => batch[i]?.truncated ?? false,
      source,
    };
  }

  watch(onReadable: () => void, onError?: (errno: number) => void): void {
    this.#onReadable = onReadable;
    this.#onError = onError ?? (() => {});
  }

  /** The event loop finds the socket readable until it is not. */
  turn(): void {
    for (let i = 0; i < 1000 && this.#queue.length > 0 && !this.closed; i++) this.#onReadable();
  }

  /** The event loop finds an error on the socket. */
  fail(errno: number): void {
    this.#onError(errno);
  }

  close(): void {
    this.closed = true;
  }
}

/** Lets promises go on. */
export async function microtasks(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}
