/** Echo messages of ICMP (RFC 792) and ICMPv6 (RFC 4443 section 4). */
import type { Family } from "./address.ts";
import { checksumOf, sumWords } from "./checksum.ts";

export const echoReplyType: Readonly<Record<Family, number>> = { 4: 0, 6: 129 };
const echoRequestType: Readonly<Record<Family, number>> = { 4: 8, 6: 128 };
const headerLength = 8;

export interface Echo {
  /** 16 bits. */
  readonly identifier: number;
  /** 16 bits. */
  readonly sequence: number;
  readonly data: Uint8Array;
}

/** The checksum of ICMPv6 covers addresses that only the kernel knows here: it fills in the field itself (RFC 3542 section 3.1). */
export function encodeEchoRequest(family: Family, { identifier, sequence, data }: Echo): Uint8Array {
  const bytes = new Uint8Array(headerLength + data.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = echoRequestType[family];
  view.setUint16(4, identifier);
  view.setUint16(6, sequence);
  bytes.set(data, headerLength);
  if (family === 4) view.setUint16(2, checksumOf(sumWords(bytes)));
  return bytes;
}

/** Of an ICMP message without its IP header; a view. Undefined for everything that is no echo reply. */
export function decodeEchoReply(family: Family, bytes: Uint8Array): Echo | undefined {
  if (bytes.length < headerLength || bytes[0] !== echoReplyType[family] || bytes[1] !== 0) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return { identifier: view.getUint16(4), sequence: view.getUint16(6), data: bytes.subarray(headerLength) };
}
