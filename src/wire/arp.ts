/**
 * ARP for IPv4 over Ethernet (RFC 826), as whole frames:
 *
 *   0 destination  6 source  12 08 06 | 14 hardware 1  16 protocol 08 00  18 lengths 6, 4  20 operation
 *   22 sender hardware  28 sender protocol  32 target hardware  38 target protocol  42 end (the link pads to 60)
 */
import type { IpAddress } from "./address.ts";
import { readUint16, readUint32, room, writeUint16, writeUint32 } from "./bytes.ts";
import { broadcastMac, decodeEthernet, ETH_P_ARP, encodeEthernetHeader, ethernetHeaderLength } from "./ethernet.ts";

export const ARPOP_REQUEST = 1;
export const ARPOP_REPLY = 2;

export const arpFrameLength = 42;
const arpLength = arpFrameLength - ethernetHeaderLength;
/** Hardware type Ethernet, protocol IPv4. */
const ethernetIpv4 = 0x0001_0800;
const lengths = 0x0604;
const noMac = new Uint8Array(6);
const noAddress = new Uint8Array(4);

export interface Arp {
  readonly operation: number;
  /** Views. The first two are of the Ethernet header. */
  readonly destination: Uint8Array;
  readonly source: Uint8Array;
  readonly senderMac: Uint8Array;
  readonly senderAddress: IpAddress;
  readonly targetMac: Uint8Array;
  readonly targetAddress: IpAddress;
}

export function encodeArp(arp: Arp, into?: Uint8Array): Uint8Array {
  const frame = room(arpFrameLength, into);
  encodeEthernetHeader(frame, arp.destination, arp.source, ETH_P_ARP);
  writeUint32(frame, 14, ethernetIpv4);
  writeUint16(frame, 18, lengths);
  writeUint16(frame, 20, arp.operation);
  frame.set(arp.senderMac, 22);
  frame.set(arp.senderAddress, 28);
  frame.set(arp.targetMac, 32);
  frame.set(arp.targetAddress, 38);
  return frame;
}

/**
 * "This address is at this MAC", to everybody (RFC 9568 section 6.4.2). In the request form, which every stack takes;
 * the target hardware address is all ones as other VRRP routers send it, receivers ignore it (RFC 826, RFC 5227).
 */
export function encodeGratuitousArp(mac: Uint8Array, address: IpAddress, into?: Uint8Array): Uint8Array {
  const arp: Arp = {
    operation: ARPOP_REQUEST,
    destination: broadcastMac,
    source: mac,
    senderMac: mac,
    senderAddress: address,
    targetMac: broadcastMac,
    targetAddress: address,
  };
  return encodeArp(arp, into);
}

/** "Has anybody this address?", which teaches nobody anything (RFC 5227 section 2.1.1). */
export function encodeArpProbe(mac: Uint8Array, address: IpAddress, into?: Uint8Array): Uint8Array {
  const arp: Arp = {
    operation: ARPOP_REQUEST,
    destination: broadcastMac,
    source: mac,
    senderMac: mac,
    senderAddress: noAddress,
    targetMac: noMac,
    targetAddress: address,
  };
  return encodeArp(arp, into);
}

/** Undefined for everything but ARP of IPv4 over Ethernet. VLAN tags are stepped over. */
export function decodeArp(frame: Uint8Array): Arp | undefined {
  const ethernet = decodeEthernet(frame);
  if (ethernet === undefined || ethernet.etherType !== ETH_P_ARP) return undefined;
  const { destination, source, payload } = ethernet;
  if (payload.length < arpLength) return undefined;
  if (readUint32(payload, 0) !== ethernetIpv4 || readUint16(payload, 4) !== lengths) return undefined;
  return {
    operation: readUint16(payload, 6),
    destination,
    source,
    senderMac: payload.subarray(8, 14),
    senderAddress: payload.subarray(14, 18),
    targetMac: payload.subarray(18, 24),
    targetAddress: payload.subarray(24, 28),
  };
}
