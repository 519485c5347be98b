/** The Internet checksum (RFC 1071) and the pseudo-headers in front of it. */
import type { IpAddress } from "./address.ts";

/**
 * The plain sum of 16-bit words, not folded, so that parts can be added: only the last part may have an odd length.
 * A trailing odd byte counts as the high half of a word.
 */
export function sumWords(bytes: Uint8Array, from = 0, to = bytes.length): number {
  let sum = 0;
  let at = from;
  for (; at + 1 < to; at += 2) sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  if (at < to) sum += (bytes[at] ?? 0) << 8;
  return sum;
}

/**
 * Folds the carries in. 0xffff over data that contains its checksum means that it verifies. Comparing with a computed
 * checksum instead would refuse 0xffff where 0x0000 is meant, and the two are the same number here (RFC 1071).
 */
export function fold(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded % 0x10000) + Math.floor(folded / 0x10000);
  return folded;
}

/** What goes into the checksum field of data whose field counted as zero. */
export function checksumOf(sum: number): number {
  return ~fold(sum) & 0xffff;
}

/**
 * The sum of a pseudo-header: 12 bytes for IPv4 (RFC 5798 section 5.2.8), 40 for IPv6 (RFC 8200 section 8.1).
 * Both add up the same numbers as long as the length fits 16 bits.
 */
export function sumPseudoHeader(source: IpAddress, destination: IpAddress, protocol: number, length: number): number {
  return sumWords(source) + sumWords(destination) + protocol + length;
}
