/** One packet of a capture or of a hex line, judged by the checks of RFC 9568 section 7.1 that need no configuration. */
import {
  type Advertisement,
  addressesOf,
  type DecodeOptions,
  decodeAdvertisement,
  headerLength,
  looksSigned,
  type Rejection,
  trailerLength,
} from "../vrrp/advertisement.ts";
import type { Key } from "../vrrp/hmac-trailer.ts";
import type { ChecksumForm, ChecksumReceive, VrrpVersion } from "../vrrp/parameters.ts";
import { allVrrpRouters4, allVrrpRouters6, type Family, formatAddress, type IpAddress } from "../wire/address.ts";
import { readUint8 } from "../wire/bytes.ts";
import {
  decodeIpv4,
  decodeIpv6,
  findUpperLayer,
  IPPROTO_VRRP,
  ipv4HeaderLength,
  ipv6HeaderLength,
  isExtension,
} from "../wire/ip.ts";
import { carriedPacket } from "../wire/link-layer.ts";
import { describeTrailer, type HmacAnswer, judgeTrailer } from "./decode-hmac.ts";

export interface Judgement {
  readonly version: VrrpVersion | "any";
  readonly checksum: ChecksumReceive;
  readonly firstLinkLocal: "strict" | "lenient";
  /** For packets that come without an IP header. */
  readonly source: IpAddress | undefined;
  readonly destination: IpAddress | undefined;
  /** With keys, packets are judged as by a router with auth_hmac in mode enforce, otherwise as by one without it. */
  readonly keys?: readonly Key[];
}

/** What is told about a packet. Null where a packet without IP header cannot know. */
export interface ValidAnswer {
  readonly valid: true;
  readonly version: VrrpVersion;
  readonly family: Family;
  readonly vrid: number;
  readonly priority: number;
  readonly interval_cs: number;
  readonly addresses: readonly string[];
  readonly source: string | null;
  readonly destination: string | null;
  readonly ttl: number | null;
  readonly checksum: ChecksumForm;
  readonly hmac?: HmacAnswer;
}

/** As much as could be read before or in spite of the error. */
export interface InvalidAnswer {
  readonly valid: false;
  readonly error: Rejection;
  readonly source: string | null;
  readonly destination?: string;
  readonly ttl?: number;
  readonly family?: Family;
  readonly version?: number;
  readonly vrid?: number;
  readonly priority?: number;
  /** Of a packet that is signed. */
  readonly hmac?: HmacAnswer;
}

export type Answer = ValidAnswer | InvalidAnswer;

/** "other": plainly no VRRP. "unsupported": a link type not known here. */
export function judgeFrame(linkType: number, frame: Uint8Array, how: Judgement): Answer | "other" | "unsupported" {
  const carried = carriedPacket(linkType, frame);
  if (carried === "other" || carried === "unsupported") return carried;
  if (carried === "malformed") return { valid: false, error: "ip", source: null };
  return judgePacket(carried.bytes, carried.family, how);
}

/** An IP packet. `claimed` is the family by the link layer; undefined when the version field decides. */
export function judgePacket(bytes: Uint8Array, claimed: Family | undefined, how: Judgement): Answer | "other" {
  const nibble = readUint8(bytes, 0) >> 4;
  if ((nibble !== 4 && nibble !== 6) || (claimed !== undefined && claimed !== nibble)) {
    return { valid: false, error: "ip", source: null };
  }
  return nibble === 4 ? judgeIpv4(bytes, how) : judgeIpv6(bytes, how);
}

function judgeIpv4(bytes: Uint8Array, how: Judgement): Answer | "other" {
  const packet = decodeIpv4(bytes);
  // Whatever else is wrong with the header: one that names another protocol is none of our business.
  if (bytes.length > 9 && readUint8(bytes, 9) !== IPPROTO_VRRP) return "other";
  if (packet === undefined || packet.fragment) {
    const whole = bytes.length >= ipv4HeaderLength;
    const envelope = { family: 4 as const, source: bytes.subarray(12, 16), destination: bytes.subarray(16, 20) };
    return whole ? rejected("ip", { ...envelope, ttl: readUint8(bytes, 8) }) : rejected("ip");
  }
  const { ttl, source, destination, payload } = packet;
  return judgeMessage(payload, { family: 4, source, destination, ttl }, how);
}

function judgeIpv6(bytes: Uint8Array, how: Judgement): Answer | "other" {
  const packet = decodeIpv6(bytes);
  if (packet === undefined) {
    if (bytes.length < ipv6HeaderLength) return rejected("ip");
    // Cut short it may still say that it is something else.
    const upper = findUpperLayer(bytes, bytes.length);
    if (upper !== undefined && !mayBeVrrp(upper.protocol)) return "other";
    const envelope = { family: 6 as const, source: bytes.subarray(8, 24), destination: bytes.subarray(24, 40) };
    return rejected("ip", { ...envelope, ttl: readUint8(bytes, 7) });
  }
  const { source, destination, hopLimit, payload } = packet;
  const envelope = { family: 6 as const, source, destination, ttl: hopLimit };
  if (!mayBeVrrp(packet.protocol)) return "other";
  return packet.fragment ? rejected("ip", envelope) : judgeMessage(payload, envelope, how);
}

function mayBeVrrp(protocol: number): boolean {
  return protocol === IPPROTO_VRRP || isExtension(protocol);
}

interface Envelope {
  readonly family: Family;
  readonly source: IpAddress | undefined;
  readonly destination: IpAddress | undefined;
  readonly ttl: number | undefined;
}

function judgeMessage(pdu: Uint8Array, envelope: Envelope, how: Judgement): Answer {
  if (envelope.ttl !== undefined && envelope.ttl !== 255) return rejected("ttl", envelope, pdu);
  const decoded = decodeWith(pdu, envelope, how);
  if (typeof decoded === "string") {
    const hmac = looksSigned(pdu, envelope.family) ? { hmac: describeTrailer(pdu, null) } : {};
    return { ...rejected(decoded, envelope, pdu), ...hmac };
  }
  const { trailer } = decoded;
  const unauthentic = how.keys && judgeTrailer(pdu, trailer, envelope.source, how.keys);
  if (unauthentic !== undefined) {
    const verified = unauthentic === "hmac_invalid" ? false : null;
    const hmac = trailer === undefined ? {} : { hmac: describeTrailer(pdu, verified) };
    return { ...rejected(unauthentic, envelope, pdu), ...hmac };
  }
  // RFC 2338 section 5.3.6 knows 0, 1 and 2; the last was another protocol's header and is gone since RFC 3768.
  if (decoded.authenticationType > 2) return rejected("auth_type", envelope, pdu);
  return {
    valid: true,
    version: decoded.version,
    family: envelope.family,
    vrid: decoded.vrid,
    priority: decoded.priority,
    interval_cs: decoded.interval / 10,
    addresses: addressesOf(decoded, envelope.family).map(formatAddress),
    source: envelope.source === undefined ? null : formatAddress(envelope.source),
    destination: envelope.destination === undefined ? null : formatAddress(envelope.destination),
    ttl: envelope.ttl ?? null,
    checksum: decoded.checksumForm,
    ...(trailer === undefined ? {} : { hmac: describeTrailer(pdu, true) }),
  };
}

/** A message without IP header, as somebody may paste it from a log: no TTL to check, addresses only if given. */
export function judgeBareMessage(pdu: Uint8Array, how: Judgement): Answer {
  const known = how.source ?? how.destination;
  const family = known === undefined ? familyByLength(pdu) : known.length === 4 ? 4 : 6;
  const group = family === 4 ? allVrrpRouters4 : allVrrpRouters6;
  const destination = how.destination ?? (how.source === undefined ? undefined : group);
  return judgeMessage(pdu, { family, source: how.source, destination, ttl: undefined }, how);
}

/** Only version 3 with addresses of 16 bytes is of this length. */
function familyByLength(pdu: Uint8Array): Family {
  const count = readUint8(pdu, 3);
  const length = headerLength + count * 16;
  const fits = pdu.length === length || pdu.length === length + trailerLength;
  return count > 0 && readUint8(pdu, 0) >> 4 === 3 && fits ? 6 : 4;
}

const beforeChecksum: ReadonlySet<Rejection> = new Set(["short", "version", "type", "count_zero", "long"]);
const unknownAddress: IpAddress = new Uint8Array(0);

function decodeWith(pdu: Uint8Array, envelope: Envelope, how: Judgement): Advertisement | Rejection {
  const { family, source, destination } = envelope;
  const options: DecodeOptions = {
    family,
    version: how.version,
    checksum: how.checksum,
    firstLinkLocal: how.firstLinkLocal,
    source: source ?? unknownAddress,
    destination: destination ?? unknownAddress,
    trailer: how.keys !== undefined,
  };
  if (source !== undefined && destination !== undefined) return decodeAdvertisement(pdu, options);
  // Without addresses only the message itself can be summed; a form that needs them counts as failed.
  const decoded = decodeAdvertisement(pdu, { ...options, checksum: "message" });
  const needsAddresses = family === 6 || (how.checksum === "pseudo_header" && readUint8(pdu, 0) >> 4 === 3);
  if (!needsAddresses) return decoded;
  return typeof decoded === "string" && beforeChecksum.has(decoded) ? decoded : "checksum";
}

function rejected(error: Rejection, envelope?: Envelope, pdu?: Uint8Array): InvalidAnswer {
  const { source, destination, ttl, family } = envelope ?? {};
  const readable = pdu?.length ?? 0;
  return {
    valid: false,
    error,
    source: source === undefined ? null : formatAddress(source),
    ...(destination !== undefined && { destination: formatAddress(destination) }),
    ...(ttl !== undefined && { ttl }),
    ...(family !== undefined && { family }),
    ...(pdu !== undefined && readable > 0 && { version: readUint8(pdu, 0) >> 4 }),
    ...(pdu !== undefined && readable > 1 && { vrid: readUint8(pdu, 1) }),
    ...(pdu !== undefined && readable > 2 && { priority: readUint8(pdu, 2) }),
  };
}
