/**
 * The trailer that authenticates an advertisement (draft-cassen-vrrp-auth-hmac, keepalived from 2.4.2 on), behind the
 * message, in the IP length, big-endian:
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +---------------+---------------+---------------+---------------+
 *   |    type 1     |    key id     |           reserved 0          |
 *   +---------------+---------------+---------------+---------------+
 *   |                     seconds since 1970                        |
 *   +-------------------------------+-------------------------------+
 *   |            1/65536 s          |            counter            |
 *   +-------------------------------+-------------------------------+
 *   | HMAC-SHA256, its first 16 bytes                               |
 *
 * The code is computed over a pseudo-header { 4 or 6, version, VRID, 0, source in 16 bytes }, the message with zeros
 * for its checksum, the trailer up to the code, and 16 zero bytes for the code itself. The destination is no part of it:
 * one trailer serves for all unicast peers.
 */
import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from "node:crypto";
import type { IpAddress } from "../wire/address.ts";
import { readUint8, readUint16, readUint32, writeUint16, writeUint32 } from "../wire/bytes.ts";
import { trailerLength } from "./advertisement.ts";
import type { Sequence } from "./sequence.ts";

const macLength = 16;
const macStart = trailerLength - macLength;
const pseudoHeaderLength = 20;
const hmacSha256 = 1;
const at = { type: 0, keyId: 1, reserved: 2, seconds: 4, fraction: 8, mac: macStart };
/** Of the VRRP header. */
const checksumAt = 6;

export interface Key {
  readonly id: number;
  readonly secret: KeyObject;
}

export interface Trailer {
  readonly type: number;
  readonly keyId: number;
  readonly reserved: number;
  readonly sequence: Sequence;
  /** A view of the packet. */
  readonly mac: Uint8Array;
}

export function newKey(id: number, secret: Uint8Array): Key {
  return { id, secret: createSecretKey(secret) };
}

/** Tells two keys apart without telling what they are: eight hex digits. */
export function fingerprintOf({ secret }: Key): string {
  return createHmac("sha256", secret).update("viprd auth_hmac key fingerprint").digest("hex").slice(0, 8);
}

/** `bytes` are the 28 at the end of the packet. */
export function decodeTrailer(bytes: Uint8Array): Trailer {
  return {
    type: readUint8(bytes, at.type),
    keyId: readUint8(bytes, at.keyId),
    reserved: readUint16(bytes, at.reserved),
    sequence: { seconds: readUint32(bytes, at.seconds), fraction: readUint32(bytes, at.fraction) },
    mac: bytes.subarray(at.mac, trailerLength),
  };
}

/** The one type there is, and nothing in the bits that a later version may use. */
export function isWellFormed({ type, reserved }: Trailer): boolean {
  return type === hmacSha256 && reserved === 0;
}

/** Writes the trailer to the end of `pdu`, which is the message and 28 bytes behind it. */
export function sign(pdu: Uint8Array, source: IpAddress, key: Key, sequence: Sequence): void {
  const start = pdu.length - trailerLength;
  pdu[start + at.type] = hmacSha256;
  pdu[start + at.keyId] = key.id;
  writeUint16(pdu, start + at.reserved, 0);
  writeUint32(pdu, start + at.seconds, sequence.seconds);
  writeUint32(pdu, start + at.fraction, sequence.fraction);
  pdu.set(codeOf(pdu, source, key).subarray(0, macLength), start + at.mac);
}

/** Whether `key` made the code at the end of `pdu`. Takes the same time wherever a wrong code differs. */
export function isSignedBy(pdu: Uint8Array, source: IpAddress, key: Key): boolean {
  if (pdu.length < trailerLength) return false;
  const mac = pdu.subarray(pdu.length - macLength);
  return timingSafeEqual(codeOf(pdu, source, key).subarray(0, macLength), mac);
}

/** What is put together here is gone when the function returns: one piece of memory serves all packets. */
let scratch = new Uint8Array(2048);

function codeOf(pdu: Uint8Array, source: IpAddress, key: Key): Uint8Array {
  const length = pseudoHeaderLength + pdu.length;
  if (scratch.length < length) scratch = new Uint8Array(length);
  const input = scratch.subarray(0, length);
  input.fill(0, 0, pseudoHeaderLength);
  input[0] = source.length === 4 ? 4 : 6;
  input[1] = readUint8(pdu, 0) >> 4;
  input[2] = readUint8(pdu, 1);
  input.set(source, 4);
  input.set(pdu, pseudoHeaderLength);
  // Whoever carries the packet computes it last, so it cannot be part of what was signed.
  writeUint16(input, pseudoHeaderLength + checksumAt, 0);
  input.fill(0, length - macLength);
  return createHmac("sha256", key.secret).update(input).digest();
}
