/**
 * What the capture understands of a frame. Written apart from the codecs under test, so that it can contradict them:
 * offsets are those of RFC 9568 section 5.1, RFC 3768 section 5.1, RFC 826 and RFC 4861 section 4.4.
 */
import { formatAddress, formatMac } from "../../src/wire/address.ts";

interface Common {
  /** Kernel receive time at the switch port, wall clock in milliseconds with fractions. */
  readonly at: number;
  /** The node whose frame it is, and its interface, by the port it came in. */
  readonly node: string;
  readonly interface: string;
  readonly mac: string;
}

export type ChecksumKind = "message" | "pseudo_header" | "wrong";

export interface Advert extends Common {
  readonly kind: "advert";
  readonly family: 4 | 6;
  readonly source: string;
  readonly destination: string;
  readonly ttl: number;
  readonly version: number;
  readonly vrid: number;
  readonly priority: number;
  readonly intervalMs: number;
  readonly addresses: readonly string[];
  readonly checksum: ChecksumKind;
  /** Total length of the IP packet. */
  readonly length: number;
  /** The whole IP packet of an advertisement with an authentication trailer. */
  readonly signed?: Uint8Array;
}

/** Protocol 112, but not a well-formed advertisement. */
export interface Malformed extends Common {
  readonly kind: "malformed";
  readonly family: 4 | 6;
  readonly source: string;
  readonly ttl: number;
}

export interface Arp extends Common {
  readonly kind: "arp";
  readonly operation: "request" | "reply";
  readonly senderMac: string;
  readonly senderAddress: string;
  readonly targetAddress: string;
  readonly gratuitous: boolean;
}

export interface Neighbor extends Common {
  readonly kind: "advertisement6" | "solicitation6";
  readonly source: string;
  readonly destination: string;
  readonly target: string;
  readonly router: boolean;
  readonly solicited: boolean;
  readonly override: boolean;
  /** Link-layer address option. */
  readonly linkLayer: string | undefined;
}

export type Frame = Advert | Malformed | Arp | Neighbor;

export function onesSum(parts: readonly Uint8Array[]): number {
  let sum = 0;
  for (const part of parts) {
    for (let i = 0; i < part.length; i += 2) sum += ((part[i] ?? 0) << 8) | (part[i + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

export function pseudoHeader(source: Uint8Array, destination: Uint8Array, length: number): Uint8Array {
  const tail =
    source.length === 4 ? [0, 112, length >> 8, length & 255] : [0, 0, length >> 8, length & 255, 0, 0, 0, 112];
  return Uint8Array.of(...source, ...destination, ...tail);
}

/** `network` starts at the network header. */
export function parseFrame(common: Common, etherType: number, network: Uint8Array): Frame | undefined {
  if (etherType === 0x0806) return parseArp(common, network);
  if (etherType === 0x0800) return parseIpv4(common, network);
  if (etherType === 0x86dd) return parseIpv6(common, network);
  return undefined;
}

function parseArp(common: Common, b: Uint8Array): Arp | undefined {
  if (b.length < 28) return undefined;
  const senderAddress = formatAddress(b.subarray(14, 18));
  const targetAddress = formatAddress(b.subarray(24, 28));
  return {
    ...common,
    kind: "arp",
    operation: b[7] === 2 ? "reply" : "request",
    senderMac: formatMac(b.subarray(8, 14)),
    senderAddress,
    targetAddress,
    gratuitous: senderAddress === targetAddress,
  };
}

function parseIpv4(common: Common, b: Uint8Array): Frame | undefined {
  if (b.length < 20 || b[9] !== 112) return undefined;
  const header = ((b[0] ?? 0) & 15) * 4;
  const total = Math.min(((b[2] ?? 0) << 8) | (b[3] ?? 0), b.length);
  return parseVrrp(
    { ...common, family: 4 },
    b.subarray(12, 16),
    b.subarray(16, 20),
    b[8] ?? 0,
    b.subarray(header, total),
    b.subarray(0, total),
  );
}

function parseIpv6(common: Common, b: Uint8Array): Frame | undefined {
  if (b.length < 40) return undefined;
  const total = Math.min(40 + (((b[4] ?? 0) << 8) | (b[5] ?? 0)), b.length);
  const source = b.subarray(8, 24);
  const destination = b.subarray(24, 40);
  const payload = b.subarray(40, total);
  if (b[6] === 112)
    return parseVrrp({ ...common, family: 6 }, source, destination, b[7] ?? 0, payload, b.subarray(0, total));
  if (b[6] !== 58 || payload.length < 24 || (payload[0] !== 135 && payload[0] !== 136)) return undefined;
  const flags = payload[4] ?? 0;
  return {
    ...common,
    kind: payload[0] === 136 ? "advertisement6" : "solicitation6",
    source: formatAddress(source),
    destination: formatAddress(destination),
    target: formatAddress(payload.subarray(8, 24)),
    router: (flags & 0x80) !== 0,
    solicited: (flags & 0x40) !== 0,
    override: (flags & 0x20) !== 0,
    linkLayer: payload.length >= 32 ? formatMac(payload.subarray(26, 32)) : undefined,
  };
}

function parseVrrp(
  common: Common & { readonly family: 4 | 6 },
  source: Uint8Array,
  destination: Uint8Array,
  ttl: number,
  pdu: Uint8Array,
  packet: Uint8Array,
): Advert | Malformed {
  const version = (pdu[0] ?? 0) >> 4;
  const count = pdu[3] ?? 0;
  const size = common.family === 4 ? 4 : 16;
  const expected = 8 + count * size + (version === 2 ? 8 : 0);
  const from = formatAddress(source);
  const signed = pdu.length === expected + 28 && pdu[expected] === 1;
  if ((pdu.length !== expected && !signed) || ((pdu[0] ?? 0) & 15) !== 1 || (version !== 2 && version !== 3)) {
    return { ...common, kind: "malformed", source: from, ttl };
  }
  // Over IPv6 the kernel of a keepalived host sums the whole payload; over IPv4 the trailer is no part of the message.
  const summed = size === 16 ? pdu : pdu.subarray(0, expected);
  const message = onesSum([summed]) === 0xffff;
  const pseudo = onesSum([pseudoHeader(source, destination, summed.length), summed]) === 0xffff;
  const word = ((pdu[4] ?? 0) << 8) | (pdu[5] ?? 0);
  return {
    ...common,
    kind: "advert",
    source: from,
    destination: formatAddress(destination),
    ttl,
    version,
    vrid: pdu[1] ?? 0,
    priority: pdu[2] ?? 0,
    intervalMs: version === 2 ? (word & 255) * 1000 : (word & 0xfff) * 10,
    addresses: Array.from({ length: count }, (_, i) => formatAddress(pdu.subarray(8 + i * size, 8 + (i + 1) * size))),
    checksum: message ? "message" : pseudo ? "pseudo_header" : "wrong",
    length: packet.length,
    ...(signed ? { signed: new Uint8Array(packet) } : {}),
  };
}
