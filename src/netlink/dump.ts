/** Dumps of one connection: one at a time, others wait in line (the kernel answers EBUSY to a second one). */
import { ErrorNumber } from "../socket/errno.ts";
import { NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NLMSG_DONE, NLMSG_ERROR } from "./constants.ts";
import { NetlinkError, type Operation, operationText } from "./error.ts";
import { decodeAnswer } from "./message.ts";

export interface DumpRequest {
  readonly operation: Operation;
  readonly type: number;
  readonly body: Uint8Array;
}

interface Dump extends DumpRequest {
  readonly visit: (payload: Uint8Array) => void;
  /** Forgets what was visited, before another attempt. */
  readonly reset: () => void;
  readonly resolve: () => void;
  readonly reject: (error: NetlinkError) => void;
  attempts: number;
  sequence: number;
  interrupted: boolean;
  /** Why the entries are not all there. */
  incomplete: string | undefined;
}

const maxAttempts = 8;
const maxWaiting = 64;
const maxEntries = 4_000_000;

export class DumpQueue {
  readonly #send: (request: DumpRequest, flags: number) => number;
  readonly #waiting: Dump[] = [];
  #current: Dump | undefined;

  /** `send` gives the sequence number used, or a negative errno. */
  constructor(send: (request: DumpRequest, flags: number) => number) {
    this.#send = send;
  }

  get busy(): boolean {
    return this.#current !== undefined;
  }

  add<T>(
    operation: Operation,
    type: number,
    body: Uint8Array,
    decode: (payload: Uint8Array) => T | undefined,
  ): Promise<T[]> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length >= maxWaiting) {
        reject(new NetlinkError(operationText(operation), ErrorNumber.ENOBUFS, "too many dumps waiting"));
        return;
      }
      let entries: T[] = [];
      const visit = (payload: Uint8Array): void => {
        const entry = decode(payload);
        if (entry === undefined) return;
        if (entries.length < maxEntries) entries.push(entry);
        else if (this.#current !== undefined) this.#current.incomplete = `more than ${maxEntries} entries`;
      };
      const state = { attempts: 0, sequence: 0, interrupted: false, incomplete: undefined };
      const reset = (): void => {
        entries = [];
      };
      this.#waiting.push({ operation, type, body, visit, reset, resolve: () => resolve(entries), reject, ...state });
      this.#startNext();
    });
  }

  accepts(sequence: number): boolean {
    return this.#current !== undefined && this.#current.sequence === sequence;
  }

  /** A message of the dump that runs. */
  message(type: number, flags: number, payload: Uint8Array): void {
    const dump = this.#current;
    if (dump === undefined) return;
    if ((flags & NLM_F_DUMP_INTR) !== 0) dump.interrupted = true;
    if (type !== NLMSG_DONE && type !== NLMSG_ERROR) {
      if (!dump.interrupted) dump.visit(payload);
      return;
    }
    const { errno, text } = decodeAnswer(payload, type, flags);
    if (errno !== 0) this.#end(errno, text);
    else if (dump.incomplete !== undefined) this.#end(ErrorNumber.EMSGSIZE, dump.incomplete);
    else if (!dump.interrupted) this.#end(0);
    else if (dump.attempts < maxAttempts) this.#start(dump);
    else this.#end(ErrorNumber.EINTR, `the table changed during each of ${maxAttempts} attempts`);
  }

  /** A datagram was longer than its slot. Of all answers only parts of dumps can be. */
  truncated(): void {
    if (this.#current !== undefined) this.#current.incomplete = "an entry is larger than the receive buffer";
  }

  failAll(errno: number, text: string): void {
    for (const dump of this.#waiting.splice(0))
      dump.reject(new NetlinkError(operationText(dump.operation), errno, text));
    if (this.#current !== undefined) this.#end(errno, text);
  }

  #startNext(): void {
    if (this.#current !== undefined) return;
    const dump = this.#waiting.shift();
    if (dump !== undefined) this.#start(dump);
  }

  #start(dump: Dump): void {
    this.#current = dump;
    dump.attempts += 1;
    dump.interrupted = false;
    dump.incomplete = undefined;
    dump.reset();
    const result = this.#send(dump, NLM_F_REQUEST | NLM_F_DUMP);
    if (result < 0) this.#end(-result);
    else dump.sequence = result;
  }

  #end(errno: number, text = ""): void {
    const dump = this.#current;
    this.#current = undefined;
    if (errno === 0) dump?.resolve();
    else dump?.reject(new NetlinkError(operationText(dump.operation), errno, text));
    this.#startNext();
  }
}
