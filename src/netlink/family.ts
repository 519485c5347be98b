/** Address families as netlink numbers them, and prefixes as text. */
import { AF_INET, AF_INET6 } from "../socket/constants.ts";
import { type Family, formatAddress, type IpAddress } from "../wire/address.ts";

export const AF_UNSPEC = 0;

export function familyNumber(family: Family | undefined): number {
  return family === undefined ? AF_UNSPEC : family === 4 ? AF_INET : AF_INET6;
}

/** Undefined for families that are not ours (bridge, MPLS, multicast routing). */
export function familyFrom(number: number): Family | undefined {
  return number === AF_INET ? 4 : number === AF_INET6 ? 6 : undefined;
}

export function addressLength(family: Family): number {
  return family === 4 ? 4 : 16;
}

export function formatPrefix(address: IpAddress, prefixLength: number): string {
  return `${formatAddress(address)}/${prefixLength}`;
}
