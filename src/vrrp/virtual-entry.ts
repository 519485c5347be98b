/** A configured virtual address and the kernel's entry for it. */
import { type AddressEntry, IFA_F_NODAD, IFA_F_NOPREFIXROUTE, IFA_F_PERMANENT } from "../netlink/address.ts";
import { equalAddresses, parseAddress } from "../wire/address.ts";
import type { Milliseconds, VirtualAddress } from "./parameters.ts";

/** IFA_PROTO of our addresses: the number of the VRRP protocol. The kernel itself uses 1 to 3, keepalived 18. */
export const addressOwner = 112;

export function matches(address: VirtualAddress, entry: AddressEntry): boolean {
  return entry.prefixLength === address.prefixLength && isSameAddress(address, entry);
}

export function isSameAddress(address: VirtualAddress, entry: AddressEntry): boolean {
  const bytes = parseAddress(address.address);
  return bytes !== undefined && equalAddresses(bytes, entry.address);
}

export function keyOf(address: VirtualAddress): string {
  return `${address.address}/${address.prefixLength}%${address.device}`;
}

export function describe(address: VirtualAddress): string {
  return `address ${address.address}/${address.prefixLength} on ${address.device}`;
}

export function toEntry(virtual: VirtualAddress, index: number, lease: Milliseconds | undefined): AddressEntry {
  const address = parseAddress(virtual.address);
  if (address === undefined) throw new Error(`virtual address ${virtual.address} is not an IP address`);
  const family = address.length === 4 ? 4 : 6;
  const validLifetime = lease === undefined ? Number.POSITIVE_INFINITY : Math.ceil(lease / 1000);
  const broadcast = virtual.broadcast === undefined ? undefined : parseAddress(virtual.broadcast);
  return {
    family,
    index,
    address,
    prefixLength: virtual.prefixLength,
    scope: virtual.scope,
    flags:
      (virtual.noprefixroute ? IFA_F_NOPREFIXROUTE : 0) |
      (family === 6 && virtual.nodad ? IFA_F_NODAD : 0) |
      (lease === undefined ? IFA_F_PERMANENT : 0),
    ...(virtual.label === undefined ? {} : { label: virtual.label }),
    ...(broadcast === undefined ? {} : { broadcast }),
    ...(virtual.routeMetric === undefined ? {} : { metric: virtual.routeMetric }),
    protocol: addressOwner,
    validLifetime,
    // A /128 must not be chosen as the source of the host's own connections.
    preferredLifetime: family === 6 && virtual.prefixLength === 128 ? 0 : validLifetime,
  };
}

/** 0 to 1, the same for the same name. */
export function spread(name: string): number {
  let hash = 0;
  for (const character of name) hash = (hash * 31 + character.charCodeAt(0)) % 1009;
  return hash / 1009;
}
