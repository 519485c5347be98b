/**
 * From a received datagram to an event of the state machine, or to the name of the check that refused it.
 * The order of the checks is the order of RFC 9568 section 7.1 as the rejection names list it; nothing here changes
 * state, so a refused packet can never postpone a timer.
 */
import { equalAddresses, type Family, type IpAddress } from "../wire/address.ts";
import { equalBytes, equalSecrets } from "../wire/bytes.ts";
import { type Advertisement, decodeAdvertisement, type Rejection } from "./advertisement.ts";
import type { ChecksumReceive, Milliseconds, VrrpVersion } from "./parameters.ts";

/** What a router expects of packets; addresses as bytes, prepared once. */
export interface Expectations {
  readonly family: Family;
  readonly version: VrrpVersion;
  readonly checksum: ChecksumReceive;
  readonly firstLinkLocal: "strict" | "lenient";
  readonly group: IpAddress;
  /** Not empty: unicast; only these senders count, and multicast does not. */
  readonly peers: readonly ExpectedPeer[];
  readonly ownAddress: IpAddress;
  readonly owner: boolean;
  readonly ownerConflict: "discard" | "process";
  /** Eight bytes, zero-filled; without it authentication type 0. */
  readonly password?: Uint8Array;
  readonly interval: Milliseconds;
  /** The advertised list as it goes on the wire. */
  readonly addressBytes: Uint8Array;
  readonly checkAddressList: boolean;
  /** An authentication trailer is expected, or at least understood. */
  readonly trailer: boolean;
}

export interface Authentication {
  /** Judges the trailer of a packet, or the lack of one. May remember what it has seen, and nothing else. */
  judge(datagram: Datagram, trailer: Uint8Array | undefined): Rejection | undefined;
}

export interface ExpectedPeer {
  readonly address: IpAddress;
  readonly minTtl: number;
  readonly maxTtl: number;
}

export interface Datagram {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** -1 when the kernel did not tell. */
  readonly ttl: number;
  readonly pdu: Uint8Array;
}

export interface Accepted {
  readonly advertisement: Advertisement;
  /** v3: worth a warning and a count, never a refusal. */
  readonly intervalDiffers: boolean;
  readonly addressListDiffers: boolean;
}

const unknownRouter = { version: "any", checksum: "either", firstLinkLocal: "lenient" } as const;

/** A packet for a VRID that is not configured here: the first thing wrong with it, at the latest its VRID. */
export function refuseUnknown(datagram: Datagram, family: Family): Rejection {
  if (datagram.ttl !== 255) return "ttl";
  const decoded = decodeAdvertisement(datagram.pdu, { ...unknownRouter, ...endpoints(datagram), family });
  return typeof decoded === "string" ? decoded : "vrid_unknown";
}

export function receive(
  datagram: Datagram,
  expected: Expectations,
  authentication?: Authentication,
): Accepted | Rejection {
  const peer = expected.peers.find(({ address }) => equalAddresses(address, datagram.source));
  if (!isTtlAccepted(datagram.ttl, peer)) return "ttl";
  const advertisement = decodeAdvertisement(datagram.pdu, {
    family: expected.family,
    version: expected.version,
    checksum: expected.checksum,
    firstLinkLocal: expected.firstLinkLocal,
    trailer: expected.trailer,
    ...endpoints(datagram),
  });
  if (typeof advertisement === "string") return advertisement;
  if (expected.peers.length === 0) {
    if (!equalAddresses(datagram.destination, expected.group)) return "destination";
  } else {
    if (!equalAddresses(datagram.destination, expected.ownAddress)) return "destination";
    if (peer === undefined) return "source";
  }
  if (expected.owner && expected.ownerConflict === "discard") return "owner";
  // After everything that is cheap, before anything that is learned from the packet.
  const unauthentic = authentication?.judge(datagram, advertisement.trailer);
  if (unauthentic !== undefined) return unauthentic;
  const intervalDiffers = advertisement.interval !== expected.interval;
  const addressListDiffers = !sameAddresses(advertisement.addressBytes, expected.addressBytes, expected.family);
  if (expected.version === 2) {
    const refused = checkVersion2(advertisement, expected);
    if (refused !== undefined) return refused;
    if (intervalDiffers) return "interval_mismatch";
    if (addressListDiffers && expected.checkAddressList && advertisement.priority !== 255) return "address_list";
  }
  return { advertisement, intervalDiffers, addressListDiffers };
}

/** RFC 5082: 255 is the only proof that the sender is on the link. Routed unicast peers name their own range. */
function isTtlAccepted(ttl: number, peer: ExpectedPeer | undefined): boolean {
  return peer === undefined ? ttl === 255 : ttl >= peer.minTtl && ttl <= peer.maxTtl;
}

// RFC 3768 section 7.1: authentication.
function checkVersion2(advertisement: Advertisement, expected: Expectations): Rejection | undefined {
  const wanted = expected.password === undefined ? 0 : 1;
  if (advertisement.authenticationType !== wanted) return "auth_type";
  if (expected.password === undefined) return undefined;
  const data = advertisement.authenticationData;
  return data !== undefined && equalSecrets(data, expected.password) ? undefined : "auth_data";
}

function endpoints(datagram: Datagram): { source: IpAddress; destination: IpAddress } {
  return { source: datagram.source, destination: datagram.destination };
}

/** Compared as sets: RFC 3768 section 7.1 asks for the same addresses, not for the same order. */
function sameAddresses(a: Uint8Array, b: Uint8Array, family: Family): boolean {
  if (a.length !== b.length) return false;
  if (equalBytes(a, b)) return true;
  const size = family === 4 ? 4 : 16;
  const keys = (list: Uint8Array) => {
    const result: string[] = [];
    for (let i = 0; i < list.length; i += size) result.push(list.subarray(i, i + size).join("."));
    return result.sort().join();
  };
  return keys(a) === keys(b);
}
