/**
 * A whole advertisement datagram, IP header included. The header is ours so that the source is the one the checksum and
 * the election use, whatever addresses the interface has gained: RFC 9568 sections 5.1.1 and 5.1.2.
 */
import { familyOf } from "../wire/address.ts";
import { encodeIpv4Header, encodeIpv6Header, IPPROTO_VRRP, ipv4HeaderLength, ipv6HeaderLength } from "../wire/ip.ts";
import { type AdvertisementFields, encodeAdvertisement } from "./advertisement.ts";

/** Class selector 6, network control. */
const trafficClass = 0xc0;

/** `room` more bytes are left free behind the message, and counted in the header. */
export function encodeDatagram(fields: AdvertisementFields, ttl: number, room = 0): Uint8Array {
  const pdu = encodeAdvertisement(fields);
  const { source, destination } = fields;
  const headerLength = familyOf(source) === 4 ? ipv4HeaderLength : ipv6HeaderLength;
  const payloadLength = pdu.length + room;
  const datagram = new Uint8Array(headerLength + payloadLength);
  datagram.set(pdu, headerLength);
  if (headerLength === ipv4HeaderLength) {
    encodeIpv4Header(datagram, {
      source,
      destination,
      ttl,
      protocol: IPPROTO_VRRP,
      tos: trafficClass,
      payloadLength,
    });
    return datagram;
  }
  encodeIpv6Header(datagram, {
    source,
    destination,
    hopLimit: ttl,
    protocol: IPPROTO_VRRP,
    trafficClass,
    payloadLength,
  });
  return datagram;
}
