/** A host on the simulated LAN that is no router and sends whatever it is told. */
import type { AdvertisementFields } from "../../src/vrrp/advertisement.ts";
import { encodeDatagram } from "../../src/vrrp/datagram.ts";
import { encodeIpv4Header, IPPROTO_VRRP, ipv4HeaderLength } from "../../src/wire/ip.ts";
import { address, addressList, v2Fields, v3Fields, v6Fields } from "./packets.ts";
import type { Lab } from "./simulated-lab.ts";

export const forger = "192.0.2.100";

/** For the virtual router that every sample instance is. */
export const forged4: AdvertisementFields = { ...v3Fields, source: address(forger) };
export const forged2: AdvertisementFields = { ...v2Fields, source: address(forger) };
export const forged6: AdvertisementFields = {
  ...v6Fields,
  source: address("fe80::64"),
  addressBytes: addressList("fe80::51", "2001:db8::51"),
};

export function forge(lab: Lab, fields: AdvertisementFields, ttl = 255): void {
  lab.lan.sendDatagram("forger", fields.family, encodeDatagram(fields, ttl), fields.destination);
}

/** Any bytes as the payload of protocol 112 over IPv4, to the group. */
export function forgePayload(lab: Lab, pdu: Uint8Array, ttl = 255): void {
  const { source, destination } = forged4;
  const bytes = new Uint8Array(ipv4HeaderLength + pdu.length);
  bytes.set(pdu, ipv4HeaderLength);
  encodeIpv4Header(bytes, { source, destination, ttl, protocol: IPPROTO_VRRP, tos: 0xc0, payloadLength: pdu.length });
  lab.lan.sendDatagram("forger", 4, bytes, destination);
}
