/** Adds, renews and deletes addresses through netlink: done when the call returns, refusals come later. */
import { type AddressEntry, encodeDeleteAddress, encodeNewAddress } from "../netlink/address.ts";
import type { Connection, NetlinkError, Request } from "../netlink/connection.ts";
import { NLM_F_CREATE, NLM_F_REPLACE, RTM_DELADDR, RTM_NEWADDR } from "../netlink/constants.ts";
import { equalAddresses, formatAddress } from "../wire/address.ts";
import type { AddressRequests, Refusal } from "./host.ts";
import type { Milliseconds } from "./parameters.ts";

type Failed = (entry: AddressEntry, error: Refusal) => void;

/** Requests in one system call: the kernel obeys them before it returns, and no advertisement may wait long for that. */
const portion = 8;
/** Renewals of many instances that come due together are collected for so long. */
const collecting: Milliseconds = 1;

export class KernelAddresses implements AddressRequests {
  readonly #connection: Connection;
  readonly #nameOf: (index: number) => string;
  readonly #scheduleFlush: (after: Milliseconds) => void;
  #renewals: { readonly entry: AddressEntry; readonly request: Request }[] = [];
  #deletions: Request[] | undefined;
  /** Renewals send the same bytes again and again. */
  readonly #bodies = new WeakMap<AddressEntry, Uint8Array>();

  /** `nameOf` an interface, for messages. After `scheduleFlush` was called, flush() is to be called as soon as that. */
  constructor(connection: Connection, nameOf: (index: number) => string, scheduleFlush: (after: Milliseconds) => void) {
    this.#connection = connection;
    this.#nameOf = nameOf;
    this.#scheduleFlush = scheduleFlush;
  }

  add(entry: AddressEntry, done: (error?: Refusal) => void): void {
    this.#connection.postMany([this.#newAddress("add", entry, done)]);
  }

  renew(entries: readonly AddressEntry[], failed: Failed): void {
    if (this.#renewals.length === 0) this.#scheduleFlush(collecting);
    for (const entry of entries) {
      this.#renewals.push({
        entry,
        request: this.#newAddress("renew", entry, (error) => error && failed(entry, error)),
      });
    }
  }

  /** One portion of the renewals. */
  flush(): void {
    this.#connection.postMany(this.#renewals.splice(0, portion).map(({ request }) => request));
    if (this.#renewals.length > 0) this.#scheduleFlush(0);
  }

  delete(entry: AddressEntry, done: (error?: Refusal) => void): void {
    // A renewal that came after the deletion would put the address back.
    this.#renewals = this.#renewals.filter((renewal) => !isSame(renewal.entry, entry));
    const request: Request = {
      operation: () => `delete address ${this.describe(entry)}`,
      type: RTM_DELADDR,
      flags: 0,
      body: encodeDeleteAddress(entry),
      done: (error) => done(error !== undefined && isGone(error) ? undefined : error),
    };
    if (this.#deletions === undefined) this.#connection.postMany([request]);
    else this.#deletions.push(request);
  }

  /** Runs `work`; the deletions that it asks for are made together when it returns. */
  deletingTogether(work: () => void): void {
    const deletions: Request[] = [];
    this.#deletions = deletions;
    try {
      work();
    } finally {
      this.#deletions = undefined;
      this.#connection.postMany(deletions);
    }
  }

  describe(entry: AddressEntry): string {
    return `${formatAddress(entry.address)}/${entry.prefixLength} on ${this.#nameOf(entry.index)}`;
  }

  #bodyOf(entry: AddressEntry): Uint8Array {
    const known = this.#bodies.get(entry) ?? encodeNewAddress(entry);
    this.#bodies.set(entry, known);
    return known;
  }

  #newAddress(verb: string, entry: AddressEntry, done: (error?: NetlinkError) => void): Request {
    return {
      operation: () => `${verb} address ${this.describe(entry)}`,
      type: RTM_NEWADDR,
      flags: NLM_F_CREATE | NLM_F_REPLACE,
      body: this.#bodyOf(entry),
      done,
    };
  }
}

/** Already so: the address or its interface is gone. */
function isGone(error: NetlinkError): boolean {
  return error.code === "EADDRNOTAVAIL" || error.code === "ENODEV";
}

function isSame(a: AddressEntry, b: AddressEntry): boolean {
  return a.index === b.index && a.prefixLength === b.prefixLength && equalAddresses(a.address, b.address);
}
