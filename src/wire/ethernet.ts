/** Ethernet frames: the header, VLAN tags, multicast destinations. */
import type { IpAddress } from "./address.ts";
import { readUint16, room, writeUint16 } from "./bytes.ts";

export const ETH_P_IP = 0x0800;
export const ETH_P_ARP = 0x0806;
export const ETH_P_8021Q = 0x8100;
export const ETH_P_IPV6 = 0x86dd;
export const ETH_P_8021AD = 0x88a8;
/** QinQ of before 802.1ad. */
export const ETH_P_QINQ1 = 0x9100;

export const ethernetHeaderLength = 14;
export const broadcastMac: Uint8Array = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff);

export interface Frame {
  /** Views, as the payload. */
  readonly destination: Uint8Array;
  readonly source: Uint8Array;
  /** Behind all VLAN tags. Below 0x600 it is a length (802.3). */
  readonly etherType: number;
  readonly payload: Uint8Array;
}

/** Undefined when the frame ends inside its header or tags. */
export function decodeEthernet(bytes: Uint8Array): Frame | undefined {
  if (bytes.length < ethernetHeaderLength) return undefined;
  const inner = skipTags(bytes, 12);
  if (inner === undefined) return undefined;
  return { destination: bytes.subarray(0, 6), source: bytes.subarray(6, 12), ...inner };
}

/** Reads the EtherType at `at`, then goes on behind each VLAN tag (4 bytes) to the one of the payload. */
export function skipTags(bytes: Uint8Array, at: number): Pick<Frame, "etherType" | "payload"> | undefined {
  for (let typeAt = at; typeAt + 2 <= bytes.length; typeAt += 4) {
    const etherType = readUint16(bytes, typeAt);
    if (etherType !== ETH_P_8021Q && etherType !== ETH_P_8021AD && etherType !== ETH_P_QINQ1) {
      return { etherType, payload: bytes.subarray(typeAt + 2) };
    }
  }
  return undefined;
}

/** Writes 14 bytes. */
export function encodeEthernetHeader(
  into: Uint8Array,
  destination: Uint8Array,
  source: Uint8Array,
  etherType: number,
): void {
  const header = room(ethernetHeaderLength, into);
  header.set(destination, 0);
  header.set(source, 6);
  writeUint16(header, 12, etherType);
}

/** An IP datagram to a multicast group, in a frame from `source`. */
export function encodeMulticastFrame(source: Uint8Array, group: IpAddress, datagram: Uint8Array): Uint8Array {
  const frame = new Uint8Array(ethernetHeaderLength + datagram.length);
  encodeEthernetHeader(frame, multicastMac(group), source, group.length === 4 ? ETH_P_IP : ETH_P_IPV6);
  frame.set(datagram, ethernetHeaderLength);
  return frame;
}

/** The MAC address a multicast group is sent to (RFC 1112 section 6.4, RFC 2464 section 7). */
export function multicastMac(group: IpAddress): Uint8Array {
  const mac = new Uint8Array(6);
  if (group.length === 4) {
    mac.set([0x01, 0x00, 0x5e]);
    mac.set(group.subarray(1), 3);
    mac[3] = (mac[3] ?? 0) & 0x7f;
  } else {
    mac.set([0x33, 0x33]);
    mac.set(group.subarray(12), 2);
  }
  return mac;
}
