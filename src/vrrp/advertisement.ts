/**
 * The VRRP advertisement (RFC 9568 section 5.2, RFC 3768 section 5.3), all fields big-endian:
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +-------+-------+---------------+---------------+---------------+
 *   |version| type 1|     VRID      |   priority    |  addresses n  |
 *   +-------+-------+---------------+---------------+---------------+
 *   | v3: 0000 | interval, 1/100 s  |           checksum            |
 *   | v2: auth type | interval, s   |                               |
 *   +-------------------------------+-------------------------------+
 *   | n addresses of 4 or 16 bytes; v2: then 8 bytes of authentication data, always |
 */
import type { Family, IpAddress } from "../wire/address.ts";
import { readUint8, readUint16, room, writeUint16 } from "../wire/bytes.ts";
import { checksumOf, fold, sumPseudoHeader, sumWords } from "../wire/checksum.ts";
import { IPPROTO_VRRP } from "../wire/ip.ts";
import type { ChecksumForm, ChecksumReceive, Milliseconds, VrrpVersion } from "./parameters.ts";

/** Why a packet was discarded. In the order of the checks: the first that fails is the one reported. */
export type Rejection =
  | "ip"
  | "ttl"
  | "short"
  | "version"
  | "type"
  | "count_zero"
  | "long"
  | "checksum"
  | "vrid_zero"
  | "interval_zero"
  | "first_not_link_local"
  | "destination"
  | "source"
  | "vrid_unknown"
  | "owner"
  | "hmac_missing"
  | "hmac_malformed"
  | "hmac_unknown_key"
  | "hmac_stale"
  | "hmac_invalid"
  | "hmac_replay"
  | "auth_type"
  | "auth_data"
  | "interval_mismatch"
  | "address_list";

export const headerLength = 8;
export const authenticationLength = 8;
/** Of the authentication that may follow a message: hmac-trailer.ts. */
export const trailerLength = 28;
const at = {
  versionType: 0,
  vrid: 1,
  priority: 2,
  count: 3,
  authenticationType: 4,
  interval: 4,
  seconds: 5,
  checksum: 6,
};
const advertisementType = 1;
const largestInterval = 0x0fff;

export interface Advertisement {
  readonly version: VrrpVersion;
  readonly vrid: number;
  readonly priority: number;
  readonly interval: Milliseconds;
  /** 1..255 */
  readonly count: number;
  /** The list as on the wire; a view of the packet, as the authentication data is. */
  readonly addressBytes: Uint8Array;
  readonly checksumForm: ChecksumForm;
  /** v2; 0 in v3. */
  readonly authenticationType: number;
  /** v2: 8 bytes whatever the type, unchecked. */
  readonly authenticationData: Uint8Array | undefined;
  /** The 28 bytes of authentication behind the message, unchecked; only where they are expected. */
  readonly trailer?: Uint8Array;
}

export interface DecodeOptions {
  /** Of the IP header that carried it. */
  readonly family: Family;
  readonly version: VrrpVersion | "any";
  /** Asked for v3 over IPv4 only; the others have one form. */
  readonly checksum: ChecksumReceive;
  readonly firstLinkLocal: "strict" | "lenient";
  /** As on the wire, for the pseudo-header. */
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** An authentication trailer may follow the message; otherwise it is "long". */
  readonly trailer?: boolean;
}

/**
 * The checks that need nothing but the packet, from "short" to "first_not_link_local". Never throws.
 * `pdu` ends where the IP length says. TTL before, VRID and authentication after are the caller's.
 */
export function decodeAdvertisement(pdu: Uint8Array, options: DecodeOptions): Advertisement | Rejection {
  if (pdu.length < headerLength) return "short";
  const first = readUint8(pdu, at.versionType);
  const version = acceptedVersion(first >> 4, options);
  if (version === undefined) return "version";
  if ((first & 0x0f) !== advertisementType) return "type";
  const count = readUint8(pdu, at.count);
  if (count === 0) return "count_zero";
  const listEnd = headerLength + count * (options.family === 4 ? 4 : 16);
  const length = version === 2 ? listEnd + authenticationLength : listEnd;
  if (pdu.length < length) return "short";
  const signed = options.trailer === true && pdu.length === length + trailerLength;
  if (pdu.length > length && !signed) return "long";
  const checksumForm = verifiedForm(pdu, length, version, options);
  if (checksumForm === undefined) return "checksum";
  const vrid = readUint8(pdu, at.vrid);
  if (vrid === 0) return "vrid_zero";
  // The reserved nibble in front of the interval is ignored on receipt (RFC 9568 section 5.2.6).
  const interval =
    version === 2 ? readUint8(pdu, at.seconds) * 1000 : (readUint16(pdu, at.interval) & largestInterval) * 10;
  if (interval === 0) return "interval_zero";
  if (options.family === 6 && options.firstLinkLocal === "strict" && !startsLinkLocal(pdu)) {
    return "first_not_link_local";
  }
  return {
    version,
    vrid,
    priority: readUint8(pdu, at.priority),
    interval,
    count,
    addressBytes: pdu.subarray(headerLength, listEnd),
    checksumForm,
    authenticationType: version === 2 ? readUint8(pdu, at.authenticationType) : 0,
    authenticationData: version === 2 ? pdu.subarray(listEnd, length) : undefined,
    ...(signed ? { trailer: pdu.subarray(length) } : {}),
  };
}

/** IPv6 is carried by version 3 only (RFC 3768 knows IPv4 alone). */
function acceptedVersion(version: number, options: DecodeOptions): VrrpVersion | undefined {
  if (options.version !== "any" && version !== options.version) return undefined;
  if (version === 2) return options.family === 4 ? 2 : undefined;
  return version === 3 ? 3 : undefined;
}

/**
 * v2 sums the message, authentication data included (RFC 3768 section 5.3.8); v3 over IPv6 always has the pseudo-header.
 * v3 over IPv4: RFC 9568 sums the message alone, while most deployed RFC 5798 routers put a pseudo-header in front.
 * The two agree when the pseudo-header adds up to nothing; then the packet counts as the newer form.
 * A trailer is covered over IPv6 only, where the checksum is the one of the whole payload (RFC 8200 section 8.1).
 */
function verifiedForm(
  pdu: Uint8Array,
  messageLength: number,
  version: VrrpVersion,
  options: DecodeOptions,
): ChecksumForm | undefined {
  const covered = options.family === 6 ? pdu.length : messageLength;
  const sum = sumWords(pdu, 0, covered);
  const choice = options.family === 6 ? "pseudo_header" : version === 2 ? "message" : options.checksum;
  if (choice !== "pseudo_header" && fold(sum) === 0xffff) return "message";
  if (choice === "message") return undefined;
  const pseudo = sumPseudoHeader(options.source, options.destination, IPPROTO_VRRP, covered);
  return fold(sum + pseudo) === 0xffff ? "pseudo_header" : undefined;
}

/** fe80::/10, without taking the address out of the packet. */
function startsLinkLocal(pdu: Uint8Array): boolean {
  return (readUint16(pdu, headerLength) & 0xffc0) === 0xfe80;
}

/** Whether a well-formed trailer seems to follow the message, whose own length its header tells. */
export function looksSigned(pdu: Uint8Array, family: Family): boolean {
  const listEnd = headerLength + readUint8(pdu, at.count) * (family === 4 ? 4 : 16);
  const length = readUint8(pdu, at.versionType) >> 4 === 2 ? listEnd + authenticationLength : listEnd;
  return pdu.length === length + trailerLength && readUint8(pdu, length) === 1;
}

export interface AdvertisementFields {
  readonly version: VrrpVersion;
  readonly family: Family;
  readonly vrid: number;
  /** 0 gives the role up. */
  readonly priority: number;
  readonly interval: Milliseconds;
  /** In configured order, the same in every advertisement (RFC 9568 section 5.2.9). */
  readonly addressBytes: Uint8Array;
  /** v2 only; without it type 0. Data of up to 8 bytes, filled up with zeros. */
  readonly authentication?: { readonly type: number; readonly data: Uint8Array };
  /** Obeyed for v3 over IPv4 only; the others have one form. */
  readonly checksumForm: ChecksumForm;
  /** The addresses really used on the wire, for the pseudo-header. */
  readonly source: IpAddress;
  readonly destination: IpAddress;
}

/**
 * The bytes of an advertisement, in `into` when it is given. Fields that do not fit the wire are a bug of the caller,
 * the configuration has been checked: RangeError.
 */
export function encodeAdvertisement(fields: AdvertisementFields, into?: Uint8Array): Uint8Array {
  const { version, family, addressBytes } = fields;
  const count = addressBytes.length / (family === 4 ? 4 : 16);
  if (!Number.isInteger(count)) throw new RangeError(`address list of ${addressBytes.length} bytes`);
  inRange("address count", count, 1, 255);
  inRange("vrid", fields.vrid, 1, 255);
  inRange("priority", fields.priority, 0, 255);
  if (version === 2 && family === 6) throw new RangeError("VRRP version 2 has no IPv6");
  const listEnd = headerLength + addressBytes.length;
  const pdu = room(version === 2 ? listEnd + authenticationLength : listEnd, into);
  pdu[at.versionType] = (version << 4) | advertisementType;
  pdu[at.vrid] = fields.vrid;
  pdu[at.priority] = fields.priority;
  pdu[at.count] = count;
  pdu.set(addressBytes, headerLength);
  if (version === 2) {
    const { type, data } = fields.authentication ?? { type: 0, data: noData };
    inRange("authentication data length", data.length, 0, authenticationLength);
    pdu[at.authenticationType] = type;
    pdu[at.seconds] = inRange("interval in seconds", Math.round(fields.interval / 1000), 1, 255);
    pdu.fill(0, listEnd);
    pdu.set(data, listEnd);
  } else {
    const centiseconds = inRange("interval in centiseconds", Math.round(fields.interval / 10), 1, largestInterval);
    writeUint16(pdu, at.interval, centiseconds);
  }
  writeUint16(pdu, at.checksum, 0);
  const withPseudoHeader = family === 6 || (version === 3 && fields.checksumForm === "pseudo_header");
  const pseudo = withPseudoHeader ? sumPseudoHeader(fields.source, fields.destination, IPPROTO_VRRP, pdu.length) : 0;
  writeUint16(pdu, at.checksum, checksumOf(pseudo + sumWords(pdu)));
  return pdu;
}

const noData = new Uint8Array(0);

function inRange(what: string, value: number, least: number, most: number): number {
  if (value >= least && value <= most) return value;
  throw new RangeError(`${what} ${value}: not within ${least}..${most}`);
}

/** The addresses one by one, copied out of the packet. */
export function addressesOf(advertisement: Pick<Advertisement, "addressBytes">, family: Family): IpAddress[] {
  const size = family === 4 ? 4 : 16;
  const { addressBytes } = advertisement;
  const count = addressBytes.length / size;
  // Not slice(): of a Buffer that is a view.
  return Array.from({ length: count }, (_, i) => new Uint8Array(addressBytes.subarray(i * size, (i + 1) * size)));
}
