/**
 * IPv6 neighbour solicitation and advertisement (RFC 4861 sections 4.3 and 4.4), as whole frames:
 *
 *   0 Ethernet  14 IPv6  54 type, code, checksum  58 flags  62 target (16)  78 option: type, length 1, MAC  86 end
 */
import type { IpAddress } from "./address.ts";
import { readUint8, room, writeUint16, writeUint32 } from "./bytes.ts";
import { checksumOf, fold, sumPseudoHeader, sumWords } from "./checksum.ts";
import { decodeEthernet, ETH_P_IPV6, encodeEthernetHeader, ethernetHeaderLength, multicastMac } from "./ethernet.ts";
import { decodeIpv6, encodeIpv6Header, IPPROTO_ICMPV6, ipv6HeaderLength } from "./ip.ts";

const solicitationType = 135;
const advertisementType = 136;
const sourceLinkLayerOption = 1;
const targetLinkLayerOption = 2;

const routerFlag = 0x80;
const solicitedFlag = 0x40;
const overrideFlag = 0x20;

const messageAt = ethernetHeaderLength + ipv6HeaderLength;
const optionsAt = 24;
const messageLength = 32;
export const neighborFrameLength = messageAt + messageLength;

const allNodes: IpAddress = Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
const allNodesMac = multicastMac(allNodes);

/**
 * "This address is at this MAC", to all nodes (RFC 9568 section 6.4.2, RFC 4861 section 7.2.6).
 * R is set whatever the forwarding sysctl says: hosts drop a default router that advertises itself without it.
 */
export function encodeUnsolicitedAdvertisement(mac: Uint8Array, address: IpAddress, into?: Uint8Array): Uint8Array {
  const frame = room(neighborFrameLength, into);
  encodeEthernetHeader(frame, allNodesMac, mac, ETH_P_IPV6);
  encodeIpv6Header(frame.subarray(ethernetHeaderLength), {
    source: address,
    destination: allNodes,
    hopLimit: 255,
    protocol: IPPROTO_ICMPV6,
    trafficClass: 0,
    payloadLength: messageLength,
  });
  const message = frame.subarray(messageAt);
  message[0] = advertisementType;
  message[1] = 0;
  writeUint16(message, 2, 0);
  writeUint32(message, 4, (routerFlag | overrideFlag) * 0x1000000);
  message.set(address, 8);
  message[optionsAt] = targetLinkLayerOption;
  message[optionsAt + 1] = 1;
  message.set(mac, optionsAt + 2);
  writeUint16(
    message,
    2,
    checksumOf(sumPseudoHeader(address, allNodes, IPPROTO_ICMPV6, messageLength) + sumWords(message)),
  );
  return frame;
}

/** "Who has this address?", to the group of those who might (RFC 4861 section 4.3). `source` is an address of our own. */
export function encodeSolicitation(mac: Uint8Array, source: IpAddress, target: IpAddress): Uint8Array {
  const frame = new Uint8Array(neighborFrameLength);
  const group = solicitedNode(target);
  encodeEthernetHeader(frame, multicastMac(group), mac, ETH_P_IPV6);
  encodeIpv6Header(frame.subarray(ethernetHeaderLength), {
    source,
    destination: group,
    hopLimit: 255,
    protocol: IPPROTO_ICMPV6,
    trafficClass: 0,
    payloadLength: messageLength,
  });
  const message = frame.subarray(messageAt);
  message[0] = solicitationType;
  message.set(target, 8);
  message[optionsAt] = sourceLinkLayerOption;
  message[optionsAt + 1] = 1;
  message.set(mac, optionsAt + 2);
  const sum = sumPseudoHeader(source, group, IPPROTO_ICMPV6, messageLength) + sumWords(message);
  writeUint16(message, 2, checksumOf(sum));
  return frame;
}

/** ff02::1:ff00:0/104 and the last 24 bits of the address (RFC 4291 section 2.7.1). */
function solicitedNode(address: IpAddress): IpAddress {
  const group = Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 0);
  group.set(address.subarray(13), 13);
  return group;
}

/** Target and MAC of a neighbour advertisement, from the ICMPv6 message alone; its checksum was verified by the kernel. */
export function decodeAdvertisementMessage(
  message: Uint8Array,
): { readonly target: IpAddress; readonly mac: Uint8Array | undefined } | undefined {
  if (message.length < optionsAt || message[0] !== advertisementType || message[1] !== 0) return undefined;
  const mac = findLinkLayer(message, targetLinkLayerOption);
  return mac === "malformed" ? undefined : { target: message.subarray(8, optionsAt), mac };
}

export interface Neighbor {
  readonly kind: "solicitation" | "advertisement";
  /** Flags of an advertisement; false in a solicitation. */
  readonly router: boolean;
  readonly solicited: boolean;
  readonly override: boolean;
  /** Views. */
  readonly frameSource: Uint8Array;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly target: IpAddress;
  /** The source (solicitation) or target (advertisement) link-layer address option. */
  readonly mac: Uint8Array | undefined;
}

/** Undefined for every other frame and for what RFC 4861 section 7.1 says to discard. */
export function decodeNeighbor(frame: Uint8Array): Neighbor | undefined {
  const ethernet = decodeEthernet(frame);
  if (ethernet === undefined || ethernet.etherType !== ETH_P_IPV6) return undefined;
  const packet = decodeIpv6(ethernet.payload);
  if (packet === undefined || packet.protocol !== IPPROTO_ICMPV6 || packet.fragment) return undefined;
  const { source, destination, payload } = packet;
  const type = readUint8(payload, 0);
  if (packet.hopLimit !== 255 || payload.length < optionsAt) return undefined;
  if ((type !== solicitationType && type !== advertisementType) || readUint8(payload, 1) !== 0) return undefined;
  const sum = sumPseudoHeader(source, destination, IPPROTO_ICMPV6, payload.length) + sumWords(payload);
  if (fold(sum) !== 0xffff) return undefined;
  const advertisement = type === advertisementType;
  const mac = findLinkLayer(payload, advertisement ? targetLinkLayerOption : sourceLinkLayerOption);
  if (mac === "malformed") return undefined;
  const flags = advertisement ? readUint8(payload, 4) : 0;
  return {
    kind: advertisement ? "advertisement" : "solicitation",
    router: (flags & routerFlag) !== 0,
    solicited: (flags & solicitedFlag) !== 0,
    override: (flags & overrideFlag) !== 0,
    frameSource: ethernet.source,
    source,
    destination,
    target: payload.subarray(8, optionsAt),
    mac,
  };
}

/** Options are type, length in units of 8 bytes, value. A length of 0 makes the whole packet invalid. */
function findLinkLayer(message: Uint8Array, option: number): Uint8Array | "malformed" | undefined {
  let found: Uint8Array | undefined;
  for (let at = optionsAt; at < message.length; ) {
    const length = readUint8(message, at + 1) * 8;
    if (length === 0 || at + length > message.length) return "malformed";
    if (readUint8(message, at) === option) found ??= message.subarray(at + 2, at + 8);
    at += length;
  }
  return found;
}
