/**
 * A whole advertisement datagram, IP header included. The header is ours so that the source is the one the checksum and
 * the election use, whatever addresses the interface has gained: RFC 9568 sections 5.1.1 and 5.1.2.
 */
import { familyOf } from "../wire/address.ts";
import { encodeIpv4Header } from "../wire/ip.ts";
import { type AdvertisementFields, encodeAdvertisement } from "./advertisement.ts";

const protocolVrrp = 112;
/** Class selector 6, network control. */
const trafficClass = 0xc0;

export function encodeDatagram(fields: AdvertisementFields, ttl: number): Uint8Array {
  const pdu = encodeAdvertisement(fields);
  const { source, destination } = fields;
  const headerLength = familyOf(source) === 4 ? 20 : 40;
  const datagram = new Uint8Array(headerLength + pdu.length);
  datagram.set(pdu, headerLength);
  if (headerLength === 20) {
    encodeIpv4Header(datagram, {
      source,
      destination,
      ttl,
      protocol: protocolVrrp,
      tos: trafficClass,
      payloadLength: pdu.length,
    });
    return datagram;
  }
  const view = new DataView(datagram.buffer);
  view.setUint32(0, ((6 << 28) | (trafficClass << 20)) >>> 0);
  view.setUint16(4, pdu.length);
  datagram[6] = protocolVrrp;
  datagram[7] = ttl;
  datagram.set(source, 8);
  datagram.set(destination, 24);
  return datagram;
}
