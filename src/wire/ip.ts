/** IPv4 (RFC 791) and IPv6 (RFC 8200) headers, as far as VRRP and its neighbours need them. */
import type { IpAddress } from "./address.ts";
import { readUint8, readUint16, room, writeUint16 } from "./bytes.ts";
import { checksumOf, sumWords } from "./checksum.ts";

export const IPPROTO_HOPOPTS = 0;
export const IPPROTO_ROUTING = 43;
export const IPPROTO_FRAGMENT = 44;
export const IPPROTO_ICMPV6 = 58;
export const IPPROTO_DSTOPTS = 60;
export const IPPROTO_VRRP = 112;

export const ipv4HeaderLength = 20;
export const ipv6HeaderLength = 40;

const dontFragment = 0x4000;
const moreFragments = 0x2000;
const offsetMask = 0x1fff;

export interface Ipv4Packet {
  /** With options: 20..60. */
  readonly headerLength: number;
  readonly totalLength: number;
  readonly ttl: number;
  readonly protocol: number;
  /** Views, as the payload. */
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** A part of a datagram; its payload means nothing by itself. */
  readonly fragment: boolean;
  /** From the end of the header to the total length: padding of the link is not in it. */
  readonly payload: Uint8Array;
}

/**
 * Takes apart a packet as a raw socket or a capture gives it; undefined when the header contradicts itself or the bytes.
 * The header checksum is not looked at: the kernel has done so, and a capture on the sending host often has none yet.
 */
export function decodeIpv4(bytes: Uint8Array): Ipv4Packet | undefined {
  if (bytes.length < ipv4HeaderLength || readUint8(bytes, 0) >> 4 !== 4) return undefined;
  const headerLength = (readUint8(bytes, 0) & 0x0f) * 4;
  const totalLength = readUint16(bytes, 2);
  if (headerLength < ipv4HeaderLength || totalLength < headerLength || totalLength > bytes.length) return undefined;
  return {
    headerLength,
    totalLength,
    ttl: readUint8(bytes, 8),
    protocol: readUint8(bytes, 9),
    source: bytes.subarray(12, 16),
    destination: bytes.subarray(16, 20),
    fragment: (readUint16(bytes, 6) & (moreFragments | offsetMask)) !== 0,
    payload: bytes.subarray(headerLength, totalLength),
  };
}

export interface Ipv4Fields {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly ttl: number;
  readonly protocol: number;
  /** The whole byte: DSCP and ECN. */
  readonly tos: number;
  readonly payloadLength: number;
}

/** Writes 20 bytes: no options, don't fragment, identification 0, checksum filled in. */
export function encodeIpv4Header(into: Uint8Array, fields: Ipv4Fields): void {
  const header = room(ipv4HeaderLength, into);
  header[0] = 0x45;
  header[1] = fields.tos;
  writeUint16(header, 2, ipv4HeaderLength + fields.payloadLength);
  writeUint16(header, 4, 0);
  writeUint16(header, 6, dontFragment);
  header[8] = fields.ttl;
  header[9] = fields.protocol;
  writeUint16(header, 10, 0);
  header.set(fields.source, 12);
  header.set(fields.destination, 16);
  writeUint16(header, 10, checksumOf(sumWords(header)));
}

export interface Ipv6Packet {
  readonly hopLimit: number;
  /** What the payload is, after the extension headers. */
  readonly protocol: number;
  /** Views, as the payload. */
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** A part of a datagram; its payload means nothing by itself. */
  readonly fragment: boolean;
  readonly payload: Uint8Array;
}

/** RFC 8200 section 4.1 lists at most seven in a row; a longer chain is no packet anybody sends. */
const mostExtensions = 8;

/** Takes apart a packet from its fixed header on; undefined when it contradicts itself or the bytes. */
export function decodeIpv6(bytes: Uint8Array): Ipv6Packet | undefined {
  if (bytes.length < ipv6HeaderLength || readUint8(bytes, 0) >> 4 !== 6) return undefined;
  const end = ipv6HeaderLength + readUint16(bytes, 4);
  if (end > bytes.length) return undefined;
  const upper = findUpperLayer(bytes, end);
  if (upper === undefined) return undefined;
  return {
    hopLimit: readUint8(bytes, 7),
    protocol: upper.protocol,
    source: bytes.subarray(8, 24),
    destination: bytes.subarray(24, 40),
    fragment: upper.fragment,
    payload: bytes.subarray(upper.at, end),
  };
}

interface UpperLayer {
  readonly protocol: number;
  readonly at: number;
  /** The walk ends at the header of a fragment: its protocol may be another extension. */
  readonly fragment: boolean;
}

/** Behind the extension headers of an IPv6 packet; undefined when the chain runs past `end` or does not end. */
export function findUpperLayer(bytes: Uint8Array, end: number): UpperLayer | undefined {
  let protocol = readUint8(bytes, 6);
  let at = ipv6HeaderLength;
  let fragment = false;
  for (let walked = 0; isExtension(protocol) && !fragment; walked++) {
    if (walked === mostExtensions || at + 8 > end) return undefined;
    const isFragmentHeader = protocol === IPPROTO_FRAGMENT;
    // An atomic fragment, offset 0 and nothing following, is a whole packet (RFC 6946).
    if (isFragmentHeader) fragment = (readUint16(bytes, at + 2) & 0xfff9) !== 0;
    protocol = readUint8(bytes, at);
    at += isFragmentHeader ? 8 : (readUint8(bytes, at + 1) + 1) * 8;
    if (at > end) return undefined;
  }
  return { protocol, at, fragment };
}

/** Hop-by-hop, routing, destination options, fragment: what may stand between the IPv6 header and VRRP. */
export function isExtension(protocol: number): boolean {
  return (
    protocol === IPPROTO_HOPOPTS ||
    protocol === IPPROTO_ROUTING ||
    protocol === IPPROTO_DSTOPTS ||
    protocol === IPPROTO_FRAGMENT
  );
}

export interface Ipv6Fields {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly hopLimit: number;
  readonly protocol: number;
  readonly trafficClass: number;
  readonly payloadLength: number;
}

/** Writes 40 bytes; flow label 0. */
export function encodeIpv6Header(into: Uint8Array, fields: Ipv6Fields): void {
  const header = room(ipv6HeaderLength, into);
  writeUint16(header, 0, 0x6000 | (fields.trafficClass << 4));
  writeUint16(header, 2, 0);
  writeUint16(header, 4, fields.payloadLength);
  header[6] = fields.protocol;
  header[7] = fields.hopLimit;
  header.set(fields.source, 8);
  header.set(fields.destination, 24);
}
