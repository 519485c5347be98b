/** Frames made by hand: right ones, forged ones and every kind of broken one. Independent of the codecs under test. */
import { formatAddress, isMulticast, parseAddress } from "../../src/wire/address.ts";
import { onesSum, pseudoHeader } from "./lab-frames.ts";

export interface Forged {
  readonly version?: number;
  readonly type?: number;
  readonly vrid?: number;
  readonly priority: number;
  /** Milliseconds. */
  readonly interval?: number;
  /** The interval field itself, when it should hold something no interval gives. */
  readonly intervalField?: number;
  readonly source: string;
  readonly destination?: string;
  readonly ttl?: number;
  readonly addresses?: readonly string[];
  /** The count field, when it should differ from the list. */
  readonly count?: number;
  readonly checksum?: "message" | "pseudo_header" | "wrong";
  readonly authenticationType?: number;
  readonly password?: string;
  /** Bytes to cut from the end (negative) or to add. */
  readonly resize?: number;
  readonly mac?: string;
  /** Needed for a unicast destination. */
  readonly destinationMac?: string;
}

export function bytesOf(address: string): Uint8Array {
  const bytes = parseAddress(address);
  if (bytes === undefined) throw new Error(`not an address: ${address}`);
  return bytes;
}

function macBytes(mac: string): number[] {
  return mac.split(":").map((part) => Number.parseInt(part, 16));
}

/** An Ethernet frame with an advertisement that is right wherever `fields` does not say otherwise. */
export function forge(fields: Forged): Uint8Array {
  const source = bytesOf(fields.source);
  const four = source.length === 4;
  const destination = bytesOf(fields.destination ?? (four ? "224.0.0.18" : "ff02::12"));
  const pdu = message(fields, source, destination);
  const network = [
    ...(four ? ipv4(fields, source, destination, pdu.length) : ipv6(fields, source, destination, pdu.length)),
    ...pdu,
  ];
  const group = four ? [1, 0, 0x5e, ...destination.subarray(1)] : [0x33, 0x33, ...destination.subarray(12)];
  if (four) group[3] = (group[3] ?? 0) & 0x7f;
  if (!isMulticast(destination) && fields.destinationMac === undefined) {
    throw new Error(`a unicast destination needs a MAC: ${formatAddress(destination)}`);
  }
  const to = fields.destinationMac === undefined ? group : macBytes(fields.destinationMac);
  const etherType = four ? [8, 0] : [0x86, 0xdd];
  const frame = [...to, ...macBytes(fields.mac ?? "02:00:00:00:01:64"), ...etherType, ...network];
  while (frame.length < 60) frame.push(0);
  return Uint8Array.from(frame);
}

function message(fields: Forged, source: Uint8Array, destination: Uint8Array): Uint8Array {
  const version = fields.version ?? 3;
  const list = (fields.addresses ?? (source.length === 4 ? ["192.0.2.1"] : ["fe80::51", "2001:db8::51"])).map(bytesOf);
  const interval = fields.interval ?? 1000;
  const word =
    fields.intervalField ??
    (version === 2 ? ((fields.authenticationType ?? 0) << 8) | (interval / 1000) : interval / 10);
  const head = [(version << 4) | (fields.type ?? 1), fields.vrid ?? 51, fields.priority, fields.count ?? list.length];
  const tail = version === 2 ? [...Buffer.from((fields.password ?? "").padEnd(8, "\0"))] : [];
  const whole = [...head, word >> 8, word & 255, 0, 0, ...list.flatMap((address) => [...address]), ...tail];
  const resize = fields.resize ?? 0;
  const pdu = Uint8Array.from(resize < 0 ? whole.slice(0, resize) : [...whole, ...new Array<number>(resize).fill(0)]);
  if (pdu.length < 8) return pdu;
  const withPseudo = source.length === 16 || fields.checksum === "pseudo_header";
  const sum = onesSum(withPseudo ? [pseudoHeader(source, destination, pdu.length), pdu] : [pdu]);
  const checksum = (~sum & 0xffff) ^ (fields.checksum === "wrong" ? 0x5555 : 0);
  pdu[6] = checksum >> 8;
  pdu[7] = checksum & 255;
  return pdu;
}

function ipv4(fields: Forged, source: Uint8Array, destination: Uint8Array, payload: number): Uint8Array {
  const total = 20 + payload;
  const header = Uint8Array.of(
    0x45,
    0xc0,
    total >> 8,
    total & 255,
    0,
    0,
    0,
    0,
    fields.ttl ?? 255,
    112,
    0,
    0,
    ...source,
    ...destination,
  );
  const sum = ~onesSum([header]) & 0xffff;
  header[10] = sum >> 8;
  header[11] = sum & 255;
  return header;
}

function ipv6(fields: Forged, source: Uint8Array, destination: Uint8Array, payload: number): Uint8Array {
  return Uint8Array.of(0x6c, 0, 0, 0, payload >> 8, payload & 255, 112, fields.ttl ?? 255, ...source, ...destination);
}

/** One frame for each rejection name that a sender can cause on a LAN; version 3 over IPv4, VRID 51, priority 254. */
export function malformed(source: string): Readonly<Record<string, Uint8Array>> {
  const base = { source, priority: 254 } as const;
  return {
    ttl: forge({ ...base, ttl: 254 }),
    short: forge({ ...base, resize: -5 }),
    version: forge({ ...base, version: 5 }),
    type: forge({ ...base, type: 2 }),
    count_zero: forge({ ...base, count: 0 }),
    long: forge({ ...base, resize: 4 }),
    checksum: forge({ ...base, checksum: "wrong" }),
    vrid_zero: forge({ ...base, vrid: 0 }),
    interval_zero: forge({ ...base, intervalField: 0xf000 }),
    vrid_unknown: forge({ ...base, vrid: 99 }),
  };
}

/** RFC 4861 section 4.2, with the sender's link-layer address. Lifetime in seconds. */
export function routerAdvertisement(mac: string, source: string, lifetime: number): Uint8Array {
  const [from, to] = [bytesOf(source), bytesOf("ff02::1")];
  const message = [134, 0, 0, 0, 64, 0, lifetime >> 8, lifetime & 255, ...Array(8).fill(0), 1, 1, ...macBytes(mac)];
  const pseudo = Uint8Array.of(...from, ...to, 0, 0, 0, message.length, 0, 0, 0, 58);
  const sum = ~onesSum([pseudo, Uint8Array.from(message)]) & 0xffff;
  message.splice(2, 2, sum >> 8, sum & 255);
  const header = [0x60, 0, 0, 0, 0, message.length, 58, 255, ...from, ...to];
  return Uint8Array.of(0x33, 0x33, 0, 0, 0, 1, ...macBytes(mac), 0x86, 0xdd, ...header, ...message);
}
