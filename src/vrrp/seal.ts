/** Signs the prepared datagrams of one advertisement in place: each time anew, for the stamp is part of it. */
import type { IpAddress } from "../wire/address.ts";
import { writeUint16 } from "../wire/bytes.ts";
import { checksumOf, sumPseudoHeader, sumWords } from "../wire/checksum.ts";
import { IPPROTO_VRRP, ipv4HeaderLength, ipv6HeaderLength } from "../wire/ip.ts";
import { trailerLength } from "./advertisement.ts";
import type { Authenticator } from "./authenticator.ts";

export interface Prepared {
  /** With room for the trailer at its end. */
  readonly bytes: Uint8Array;
  readonly destination: IpAddress;
}

const checksumAt = 6;

export function seal(datagrams: readonly Prepared[], source: IpAddress, authenticator: Authenticator): void {
  const headerLength = source.length === 4 ? ipv4HeaderLength : ipv6HeaderLength;
  let trailer: Uint8Array | undefined;
  for (const { bytes, destination } of datagrams) {
    const pdu = bytes.subarray(headerLength);
    const start = pdu.length - trailerLength;
    if (trailer === undefined) authenticator.sign(pdu, source);
    // The destination is not signed: the copies for other peers carry the same stamp and code.
    else pdu.set(trailer, start);
    trailer ??= pdu.subarray(start);
    // Over IPv6 the checksum covers the payload to its end (RFC 8200 section 8.1), over IPv4 the message alone.
    if (source.length === 4) continue;
    writeUint16(pdu, checksumAt, 0);
    const pseudo = sumPseudoHeader(source, destination, IPPROTO_VRRP, pdu.length);
    writeUint16(pdu, checksumAt, checksumOf(pseudo + sumWords(pdu)));
  }
}
