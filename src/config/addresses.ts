/** Questions about addresses that the configuration asks: may this one be virtual, what is its broadcast address. */
import {
  type Family,
  familyOf,
  formatAddress,
  type IpAddress,
  isLinkLocal,
  isMulticast,
  parseAddress,
} from "../wire/address.ts";

export function canonicalAddress(bytes: IpAddress): string {
  return formatAddress(bytes);
}

/** Text that was checked before; the family shows in the colons. */
export function familyOfText(address: string): Family {
  return address.includes(":") ? 6 : 4;
}

export function isLinkLocalText(address: string): boolean {
  const bytes = parseAddress(address);
  return bytes !== undefined && isLinkLocal(bytes);
}

/** Why no host can have this address; undefined when one can. */
export function unusable(bytes: IpAddress): string | undefined {
  if (isMulticast(bytes)) return "a multicast address";
  if (familyOf(bytes) === 4) {
    if (bytes[0] === 0) return "an unspecified address";
    if (bytes[0] === 127) return "a loopback address";
    if (bytes.every((byte) => byte === 255)) return "the broadcast address of every network";
    return undefined;
  }
  if (bytes.every((byte) => byte === 0)) return "the unspecified address";
  if (bytes.every((byte, i) => byte === (i === 15 ? 1 : 0))) return "the loopback address";
  if (bytes.every((byte, i) => i >= 12 || byte === (i >= 10 ? 255 : 0))) return "an IPv4 address in IPv6 form";
  return undefined;
}

/** The first and the last address of an IPv4 prefix belong to no host; prefixes of 31 and 32 have neither (RFC 3021). */
export function edgeOfPrefix(bytes: IpAddress, prefixLength: number): string | undefined {
  if (bytes.length !== 4 || prefixLength > 30) return undefined;
  if (equals(bytes, withHostBits(bytes, prefixLength, 0))) return "the network address";
  return equals(bytes, withHostBits(bytes, prefixLength, 1)) ? "the broadcast address" : undefined;
}

/** What `brd +` (all host bits one) and `brd -` (all zero) mean. */
export function broadcastOf(address: string, prefixLength: number, sign: "+" | "-"): string {
  const bytes = parseAddress(address) ?? new Uint8Array(4);
  return formatAddress(withHostBits(bytes, prefixLength, sign === "+" ? 1 : 0));
}

/** The address with everything behind the prefix length zero. */
export function networkOf(address: string, prefixLength: number): string {
  const bytes = parseAddress(address) ?? new Uint8Array(4);
  return formatAddress(withHostBits(bytes, prefixLength, 0));
}

function withHostBits(bytes: IpAddress, prefixLength: number, bit: 0 | 1): Uint8Array {
  return bytes.map((byte, i) => {
    const hostBits = 0xff >> Math.min(8, Math.max(0, prefixLength - i * 8));
    return bit === 1 ? byte | hostBits : byte & ~hostBits;
  });
}

function equals(a: IpAddress, b: IpAddress): boolean {
  return a.every((byte, i) => byte === b[i]);
}
