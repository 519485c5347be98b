/** Adds, renews and deletes addresses through netlink: done when the call returns, refusals come later. */
import { type AddressEntry, encodeDeleteAddress, encodeNewAddress } from "../netlink/address.ts";
import type { Connection, NetlinkError, Request } from "../netlink/connection.ts";
import { NLM_F_CREATE, NLM_F_REPLACE, RTM_DELADDR, RTM_NEWADDR } from "../netlink/constants.ts";
import { formatAddress } from "../wire/address.ts";
import type { AddressRequests, Refusal } from "./host.ts";

export class KernelAddresses implements AddressRequests {
  readonly #connection: Connection;
  readonly #nameOf: (index: number) => string;

  /** `nameOf` an interface, for messages. */
  constructor(connection: Connection, nameOf: (index: number) => string) {
    this.#connection = connection;
    this.#nameOf = nameOf;
  }

  add(entry: AddressEntry, done: (error?: Refusal) => void): void {
    this.#connection.postMany([this.#newAddress("add", entry, done)]);
  }

  renew(entries: readonly AddressEntry[], failed: (entry: AddressEntry, error: Refusal) => void): void {
    this.#connection.postMany(
      entries.map((entry) => this.#newAddress("renew", entry, (error) => error && failed(entry, error))),
    );
  }

  delete(entry: AddressEntry, done: (error?: Refusal) => void): void {
    const operation = () => `delete address ${this.describe(entry)}`;
    this.#connection.post(operation, RTM_DELADDR, 0, encodeDeleteAddress(entry), (error) =>
      done(error !== undefined && isGone(error) ? undefined : error),
    );
  }

  describe(entry: AddressEntry): string {
    return `${formatAddress(entry.address)}/${entry.prefixLength} on ${this.#nameOf(entry.index)}`;
  }

  #newAddress(verb: string, entry: AddressEntry, done: (error?: NetlinkError) => void): Request {
    return {
      operation: () => `${verb} address ${this.describe(entry)}`,
      type: RTM_NEWADDR,
      flags: NLM_F_CREATE | NLM_F_REPLACE,
      body: encodeNewAddress(entry),
      done,
    };
  }
}

/** Already so: the address or its interface is gone. */
function isGone(error: NetlinkError): boolean {
  return error.code === "EADDRNOTAVAIL" || error.code === "ENODEV";
}
