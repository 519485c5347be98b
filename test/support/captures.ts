/** Frames around packets, and capture files around frames, in every variant the readers know. */
import { type AdvertisementFields, encodeAdvertisement } from "../../src/vrrp/advertisement.ts";
import { encodeEthernetHeader, multicastMac } from "../../src/wire/ethernet.ts";
import { encodeIpv4Header, encodeIpv6Header } from "../../src/wire/ip.ts";

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The advertisement as an IP packet; `pdu` replaces its message, `ttl` its 255. */
export function ipPacket(fields: AdvertisementFields, pdu = encodeAdvertisement(fields), ttl = 255): Uint8Array {
  const { source, destination, family } = fields;
  const header = new Uint8Array(family === 4 ? 20 : 40);
  const payloadLength = pdu.length;
  if (family === 4) encodeIpv4Header(header, { source, destination, ttl, protocol: 112, tos: 0xc0, payloadLength });
  else
    encodeIpv6Header(header, { source, destination, hopLimit: ttl, protocol: 112, trafficClass: 0xc0, payloadLength });
  return joined(header, pdu);
}

export function ethernet(packet: Uint8Array, tags: Uint8Array = new Uint8Array(0)): Uint8Array {
  const isIpv4 = (packet[0] ?? 0) >> 4 === 4;
  const group = isIpv4 ? packet.subarray(16, 20) : packet.subarray(24, 40);
  const header = new Uint8Array(14);
  const mac = Uint8Array.of(0, 0, 0x5e, 0, isIpv4 ? 1 : 2, 51);
  encodeEthernetHeader(header, multicastMac(group), mac, isIpv4 ? 0x0800 : 0x86dd);
  return joined(header.subarray(0, 12), tags, header.subarray(12), packet);
}

export interface PcapOptions {
  readonly linkType?: number;
  readonly littleEndian?: boolean;
  readonly nanoseconds?: boolean;
  /** Of every packet: seconds since 1970 and their fraction in the file's unit. */
  readonly at?: readonly [number, number];
  /** Cut packets to so many bytes, as `tcpdump -s` does. */
  readonly snapLength?: number;
}

export function pcap(frames: readonly Uint8Array[], options: PcapOptions = {}): Uint8Array {
  const { linkType = 1, littleEndian = true, nanoseconds = false, snapLength = 65535 } = options;
  const [seconds, fraction] = options.at ?? [1_700_000_000, 0];
  const words = (...values: number[]) => uint32s(values, littleEndian);
  const header = joined(
    words(nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4),
    littleEndian ? Uint8Array.of(2, 0, 4, 0) : Uint8Array.of(0, 2, 0, 4),
    words(0, 0, snapLength, linkType),
  );
  const records = frames.map((frame) => {
    const kept = frame.subarray(0, snapLength);
    return joined(words(seconds, fraction, kept.length, frame.length), kept);
  });
  return joined(header, ...records);
}

export function pcapngBlock(type: number, body: Uint8Array, littleEndian = true): Uint8Array {
  const padded = joined(body, new Uint8Array(-body.length & 3));
  const length = padded.length + 12;
  return joined(uint32s([type, length], littleEndian), padded, uint32s([length], littleEndian));
}

/** Section, one interface, the packets as enhanced packet blocks. */
export function pcapng(frames: readonly Uint8Array[], linkType = 1, littleEndian = true): Uint8Array {
  const words = (...values: number[]) => uint32s(values, littleEndian);
  const version = littleEndian ? Uint8Array.of(1, 0, 0, 0) : Uint8Array.of(0, 1, 0, 0);
  const section = joined(words(0x1a2b3c4d), version, words(0xffffffff, 0xffffffff));
  const type = littleEndian
    ? Uint8Array.of(linkType & 255, linkType >> 8)
    : Uint8Array.of(linkType >> 8, linkType & 255);
  const blocks = frames.map((frame) => {
    const body = joined(words(0, 0, 0, frame.length, frame.length), frame);
    return pcapngBlock(6, body, littleEndian);
  });
  return joined(
    pcapngBlock(0x0a0d0d0a, section, littleEndian),
    pcapngBlock(1, joined(type, Uint8Array.of(0, 0), words(0)), littleEndian),
    ...blocks,
  );
}

export function uint32s(values: readonly number[], littleEndian: boolean): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) view.setUint32(i * 4, value, littleEndian);
  return bytes;
}
