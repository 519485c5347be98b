/** Addresses of links (rtnetlink(7), linux/if_addr.h). */
import { equalAddresses, type Family, type IpAddress } from "../wire/address.ts";
import { AttributeReader, BodyWriter } from "./attributes.ts";
import type { Connection } from "./connection.ts";
import * as k from "./constants.ts";
import { addressLength, familyFrom, familyNumber, formatPrefix } from "./family.ts";
import { readU32 } from "./host-order.ts";

// ifa_flags
export const IFA_F_SECONDARY = 0x01;
export const IFA_F_TEMPORARY = 0x01;
export const IFA_F_NODAD = 0x02;
export const IFA_F_OPTIMISTIC = 0x04;
export const IFA_F_DADFAILED = 0x08;
export const IFA_F_HOMEADDRESS = 0x10;
export const IFA_F_DEPRECATED = 0x20;
export const IFA_F_TENTATIVE = 0x40;
export const IFA_F_PERMANENT = 0x80;
export const IFA_F_MANAGETEMPADDR = 0x100;
export const IFA_F_NOPREFIXROUTE = 0x200;
export const IFA_F_MCAUTOJOIN = 0x400;
export const IFA_F_STABLE_PRIVACY = 0x800;

export interface AddressEntry {
  readonly family: Family;
  /** Index of the link. */
  readonly index: number;
  readonly address: IpAddress;
  /** The far end, if the address is one half of a pair; `prefixLength` is then that of the far end. */
  readonly peer?: IpAddress;
  readonly prefixLength: number;
  /** RT_SCOPE_… */
  readonly scope: number;
  /** IFA_F_… */
  readonly flags: number;
  /** IPv4 only; the kernel gives the link's name when none was asked for. */
  readonly label?: string;
  readonly broadcast?: IpAddress;
  /** IFA_PROTO, who put it there: 0 unknown, or a kernel before Linux 5.18. */
  readonly protocol: number;
  /** Of the route to the prefix. */
  readonly metric?: number;
  /** Seconds, from when this was read; Infinity for ever. */
  readonly validLifetime: number;
  readonly preferredLifetime: number;
}

/** What must be said of an address to add it; lifetimes default to for ever, everything else to nothing. */
export type NewAddress = Pick<AddressEntry, "family" | "index" | "address" | "prefixLength"> & Partial<AddressEntry>;

/** struct ifaddrmsg: u8 family, u8 prefix length, u8 flags, u8 scope, u32 index */
const IFADDRMSG = 8;
/** struct ifa_cacheinfo: u32 preferred, u32 valid, u32 created, u32 updated */
const FOREVER = 0xffffffff;

function lifetimeFrom(seconds: number): number {
  return seconds === FOREVER ? Number.POSITIVE_INFINITY : seconds;
}

function lifetimeNumber(seconds: number | undefined): number {
  return seconds === undefined || seconds >= FOREVER ? FOREVER : Math.ceil(seconds);
}

export function decodeAddress(payload: Uint8Array): AddressEntry | undefined {
  const family = familyFrom(payload[0] ?? 0);
  if (payload.length < IFADDRMSG || family === undefined) return undefined;
  const length = addressLength(family);
  let flags = payload[2] ?? 0;
  let ifaAddress: IpAddress | undefined;
  let local: IpAddress | undefined;
  let label: string | undefined;
  let broadcast: IpAddress | undefined;
  let protocol = 0;
  let metric: number | undefined;
  let preferredLifetime = Number.POSITIVE_INFINITY;
  let validLifetime = Number.POSITIVE_INFINITY;
  const reader = new AttributeReader(payload, IFADDRMSG);
  while (reader.next()) {
    switch (reader.type) {
      case k.IFA_ADDRESS:
        ifaAddress = reader.bytes(length);
        break;
      case k.IFA_LOCAL:
        local = reader.bytes(length);
        break;
      case k.IFA_LABEL:
        label = reader.text();
        break;
      case k.IFA_BROADCAST:
        broadcast = reader.bytes(length);
        break;
      case k.IFA_CACHEINFO: {
        const info = reader.view();
        preferredLifetime = lifetimeFrom(readU32(info, 0));
        validLifetime = lifetimeFrom(readU32(info, 4));
        break;
      }
      case k.IFA_FLAGS:
        flags = reader.u32();
        break;
      case k.IFA_RT_PRIORITY:
        metric = reader.u32();
        break;
      case k.IFA_PROTO:
        protocol = reader.u8();
        break;
    }
  }
  // IFA_ADDRESS is the far end if there is a pair, and then IFA_LOCAL is ours. IPv6 leaves IFA_LOCAL out otherwise.
  const address = local ?? ifaAddress;
  if (reader.bad || address === undefined) return undefined;
  const peer = ifaAddress === undefined || equalAddresses(address, ifaAddress) ? undefined : ifaAddress;
  return {
    family,
    index: readU32(payload, 4),
    address,
    ...(peer !== undefined && { peer }),
    prefixLength: payload[1] ?? 0,
    scope: payload[3] ?? 0,
    flags,
    ...(label !== undefined && { label }),
    ...(broadcast !== undefined && { broadcast }),
    protocol,
    ...(metric !== undefined && { metric }),
    validLifetime,
    preferredLifetime,
  };
}

function begin(entry: NewAddress): BodyWriter {
  const writer = new BodyWriter(IFADDRMSG);
  writer.setU8(0, familyNumber(entry.family));
  writer.setU8(1, entry.prefixLength);
  writer.setU32(4, entry.index);
  writer.bytes(k.IFA_LOCAL, entry.address);
  writer.bytes(k.IFA_ADDRESS, entry.peer ?? entry.address);
  return writer;
}

/** The body of RTM_NEWADDR. It may be kept and sent again: nothing in it depends on when. */
export function encodeNewAddress(entry: NewAddress): Uint8Array {
  const writer = begin(entry);
  const { flags = 0, broadcast, label, protocol = 0, metric } = entry;
  writer.setU8(2, flags & 0xff);
  writer.setU8(3, entry.scope ?? 0);
  if (broadcast !== undefined) writer.bytes(k.IFA_BROADCAST, broadcast);
  if (label !== undefined) writer.text(k.IFA_LABEL, label);
  if (flags > 0xff) writer.u32(k.IFA_FLAGS, flags);
  if (metric !== undefined) writer.u32(k.IFA_RT_PRIORITY, metric);
  const valid = lifetimeNumber(entry.validLifetime);
  const preferred = Math.min(valid, lifetimeNumber(entry.preferredLifetime));
  if (preferred !== FOREVER || valid !== FOREVER) writer.u32(k.IFA_CACHEINFO, preferred, valid, 0, 0);
  if (protocol !== 0) writer.u8(k.IFA_PROTO, protocol);
  return writer.finish();
}

/** The body of RTM_DELADDR. */
export function encodeDeleteAddress(entry: NewAddress): Uint8Array {
  return begin(entry).finish();
}

/** Strict checking lets the kernel leave out other links; older kernels send them all. */
export function encodeListAddresses(family?: Family, index = 0): Uint8Array {
  const writer = new BodyWriter(IFADDRMSG);
  writer.setU8(0, familyNumber(family));
  writer.setU32(4, index);
  return writer.finish();
}

export function listAddresses(connection: Connection, family?: Family, index?: number): Promise<AddressEntry[]> {
  const decode = (payload: Uint8Array): AddressEntry | undefined => {
    const entry = decodeAddress(payload);
    if (family !== undefined && entry?.family !== family) return undefined;
    return index !== undefined && entry?.index !== index ? undefined : entry;
  };
  return connection.dumpWith("list addresses", k.RTM_GETADDR, encodeListAddresses(family, index), decode);
}

export interface AddressOptions {
  /** Also takes over an address that is there already, with its lifetimes set anew. */
  readonly replace?: boolean;
  /** The link's name, for errors only. */
  readonly device?: string;
}

export function addressFlags(replace: boolean): number {
  return k.NLM_F_CREATE | (replace ? k.NLM_F_REPLACE : k.NLM_F_EXCL);
}

export function addAddress(connection: Connection, entry: NewAddress, options: AddressOptions = {}): Promise<void> {
  const operation = () => `add address ${formatPrefix(entry.address, entry.prefixLength)} to ${where(entry, options)}`;
  return connection.request(operation, k.RTM_NEWADDR, addressFlags(options.replace === true), encodeNewAddress(entry));
}

export function deleteAddress(connection: Connection, entry: NewAddress, options: AddressOptions = {}): Promise<void> {
  const operation = () =>
    `delete address ${formatPrefix(entry.address, entry.prefixLength)} from ${where(entry, options)}`;
  return connection.request(operation, k.RTM_DELADDR, 0, encodeDeleteAddress(entry));
}

function where(entry: NewAddress, { device }: AddressOptions): string {
  return device ?? `link ${entry.index}`;
}
