/**
 * Adds, renews and deletes addresses through netlink. Additions and deletions are done when the call returns, refusals
 * come later. Renewals go on all the time that a router is active, and the kernel may hold them up for a second while
 * network namespaces or devices elsewhere on the host go away: another thread sends them, so that no advertisement waits.
 */
import { type AddressEntry, encodeDeleteAddress, encodeNewAddress } from "../netlink/address.ts";
import type { Connection, NetlinkError, Request } from "../netlink/connection.ts";
import { NLM_F_CREATE, NLM_F_REPLACE, RTM_DELADDR, RTM_NEWADDR } from "../netlink/constants.ts";
import { equalAddresses, formatAddress } from "../wire/address.ts";
import { equalBytes } from "../wire/bytes.ts";
import type { AddressRequests, Refusal } from "./host.ts";
import type { Milliseconds } from "./parameters.ts";

type Failed = (entry: AddressEntry, error: Refusal) => void;

/** Renewals in one system call, and so under way at most: a deletion among them is made twice. */
const portion = 32;
/** Renewals of many instances that come due together are collected for so long. */
const collecting: Milliseconds = 1;

/** A renewal that has been handed over and not been answered. */
interface UnderWay {
  readonly entry: AddressEntry;
  /** The address was deleted meanwhile: deletes what the renewal may have put back. */
  deletion: Request | undefined;
  /** It was added meanwhile with another lifetime: gives it that again, which the renewal may have changed. */
  addition: Request | undefined;
}

export class KernelAddresses implements AddressRequests {
  readonly #connection: Connection;
  readonly #aside: Connection;
  readonly #nameOf: (index: number) => string;
  readonly #scheduleFlush: (after: Milliseconds) => void;
  #renewals: { readonly entry: AddressEntry; readonly request: Request }[] = [];
  #underWay: UnderWay[] = [];
  #unanswered = 0;
  #deletions: Request[] | undefined;
  /** Renewals send the same bytes again and again. */
  readonly #bodies = new WeakMap<AddressEntry, Uint8Array>();

  /**
   * `aside` sends from another thread. `nameOf` an interface, for messages. After `scheduleFlush` was called, flush() is to
   * be called as soon as that.
   */
  constructor(
    connection: Connection,
    aside: Connection,
    nameOf: (index: number) => string,
    scheduleFlush: (after: Milliseconds) => void,
  ) {
    this.#connection = connection;
    this.#aside = aside;
    this.#nameOf = nameOf;
    this.#scheduleFlush = scheduleFlush;
  }

  add(entry: AddressEntry, done: (error?: Refusal) => void): void {
    const request = this.#newAddress("add", entry, done);
    // A renewal that came after the addition would have the former lifetime.
    this.#renewals = this.#renewals.filter((renewal) => !isSame(renewal.entry, entry));
    const renewal = this.#renewalOf(entry);
    if (renewal !== undefined) {
      renewal.deletion?.done?.();
      renewal.deletion = undefined;
      const again = { ...request, done: (error?: NetlinkError) => error && done(error) };
      renewal.addition = equalBytes(this.#bodyOf(renewal.entry), request.body) ? undefined : again;
    }
    this.#connection.postMany([request]);
  }

  renew(entries: readonly AddressEntry[], failed: Failed): void {
    if (this.#renewals.length === 0 && this.#underWay.length === 0) this.#scheduleFlush(collecting);
    for (const entry of entries) {
      this.#renewals.push({
        entry,
        request: this.#newAddress("renew", entry, (error) => {
          // One that lost against a deletion was not wanted any more.
          if (error !== undefined && this.#renewalOf(entry)?.deletion === undefined) failed(entry, error);
          this.#answered();
        }),
      });
    }
  }

  /** Hands over one portion of the renewals; the next follows when it has been answered. */
  flush(): void {
    if (this.#underWay.length > 0) return;
    const handed = this.#renewals.splice(0, portion);
    this.#underWay = handed.map(({ entry }) => ({ entry, deletion: undefined, addition: undefined }));
    this.#unanswered = handed.length;
    this.#aside.postMany(handed.map(({ request }) => request));
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
    const renewal = this.#renewalOf(entry);
    const first = renewal === undefined ? request : { ...request, done: () => {} };
    if (renewal !== undefined) {
      renewal.deletion?.done?.();
      renewal.deletion = request;
      renewal.addition = undefined;
    }
    if (this.#deletions === undefined) this.#connection.postMany([first]);
    else this.#deletions.push(first);
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

  /** Resolves when every request has been answered. */
  async settle(): Promise<void> {
    await this.#aside.settle();
    await this.#connection.settle();
  }

  describe(entry: AddressEntry): string {
    return `${formatAddress(entry.address)}/${entry.prefixLength} on ${this.#nameOf(entry.index)}`;
  }

  #renewalOf(entry: AddressEntry): UnderWay | undefined {
    return this.#underWay.find((renewal) => isSame(renewal.entry, entry));
  }

  #answered(): void {
    this.#unanswered--;
    if (this.#unanswered > 0) return;
    const corrections = this.#underWay.flatMap(({ deletion, addition }) => deletion ?? addition ?? []);
    this.#underWay = [];
    this.#connection.postMany(corrections);
    if (this.#renewals.length > 0) this.#scheduleFlush(0);
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
