/** What a watch can follow: how each kind of object is identified, told apart, listed and heard of. */
import { equalAddresses } from "../wire/address.ts";
import { type AddressEntry, decodeAddress, listAddresses } from "./address.ts";
import * as k from "./constants.ts";
import { decodeLink, type Link, listLinks } from "./link.ts";
import { type Difference, Table } from "./table.ts";
import type { Subject } from "./tracked.ts";

type Emit<T> = (difference: Difference<T>) => void;

/** Short and unique, not for reading. */
function bytesKey(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? "" : String.fromCharCode(...bytes);
}

export function equalBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && equalAddresses(a, b));
}

export function sameLink(a: Link, b: Link): boolean {
  return (
    a.name === b.name &&
    a.flags === b.flags &&
    a.mtu === b.mtu &&
    a.type === b.type &&
    a.kind === b.kind &&
    a.master === b.master &&
    a.parent === b.parent &&
    equalBytes(a.mac, b.mac)
  );
}

/** The kernel keeps several IPv4 addresses apart by prefix and far end too, but has an IPv6 address once a link. */
export function addressKey({ family, index, address, prefixLength, peer }: AddressEntry): string {
  const own = `${index} ${bytesKey(address)}`;
  return family === 6 ? own : `${own}/${prefixLength} ${bytesKey(peer)}`;
}

/** Lifetimes count down and are renewed all the time: only that an address is there for ever or not is told, by flags. */
export function sameAddress(a: AddressEntry, b: AddressEntry): boolean {
  return (
    a.flags === b.flags &&
    a.prefixLength === b.prefixLength &&
    a.scope === b.scope &&
    a.protocol === b.protocol &&
    a.label === b.label &&
    a.metric === b.metric &&
    equalBytes(a.broadcast, b.broadcast) &&
    equalBytes(a.peer, b.peer)
  );
}

/** Keyed by index, grouped by name. */
export function linkSubject(emit: Emit<Link>): Subject<Link, number, string> {
  return {
    table: new Table({ key: (link) => link.index, group: (link) => link.name, same: sameLink }),
    newType: k.RTM_NEWLINK,
    deleteType: k.RTM_DELLINK,
    groups: [k.RTNLGRP_LINK],
    decode: decodeLink,
    list: listLinks,
    emit,
  };
}

/** Grouped by the index of the link. */
export function addressSubject(emit: Emit<AddressEntry>): Subject<AddressEntry, string, number> {
  return {
    table: new Table({ key: addressKey, group: (entry) => entry.index, same: sameAddress }),
    newType: k.RTM_NEWADDR,
    deleteType: k.RTM_DELADDR,
    groups: [k.RTNLGRP_IPV4_IFADDR, k.RTNLGRP_IPV6_IFADDR],
    decode: decodeAddress,
    list: (connection) => listAddresses(connection),
    emit,
  };
}
