/** Packets for codec tests: a valid one of each kind, and ways to damage it while its checksum stays right. */
import { type AdvertisementFields, type DecodeOptions, encodeAdvertisement } from "../../src/vrrp/advertisement.ts";
import { allVrrpRouters4, allVrrpRouters6, type IpAddress, parseAddress } from "../../src/wire/address.ts";
import { writeUint16 } from "../../src/wire/bytes.ts";
import { checksumOf, sumPseudoHeader, sumWords } from "../../src/wire/checksum.ts";

export function address(text: string): IpAddress {
  const bytes = parseAddress(text);
  if (bytes === undefined) throw new Error(`no address: ${text}`);
  return bytes;
}

export function addressList(...texts: string[]): Uint8Array {
  return Uint8Array.from(texts.flatMap((text) => [...address(text)]));
}

export const source4 = address("192.0.2.11");
export const source6 = address("fe80::11");

export const v2Fields: AdvertisementFields = {
  version: 2,
  family: 4,
  vrid: 51,
  priority: 100,
  interval: 1000,
  addressBytes: addressList("192.0.2.1"),
  checksumForm: "message",
  source: source4,
  destination: allVrrpRouters4,
};
export const v3Fields: AdvertisementFields = { ...v2Fields, version: 3 };
export const v6Fields: AdvertisementFields = {
  ...v3Fields,
  family: 6,
  addressBytes: addressList("fe80::1", "2001:db8::1"),
  checksumForm: "pseudo_header",
  source: source6,
  destination: allVrrpRouters6,
};

export const options4: DecodeOptions = {
  family: 4,
  version: "any",
  checksum: "either",
  firstLinkLocal: "strict",
  source: source4,
  destination: allVrrpRouters4,
};
export const options6: DecodeOptions = { ...options4, family: 6, source: source6, destination: allVrrpRouters6 };

/** The packet with some bytes replaced (offset → value) and the checksum made right again, message form for IPv4. */
export function altered(fields: AdvertisementFields, bytes: Readonly<Record<number, number>>): Uint8Array {
  const pdu = encodeAdvertisement(fields);
  for (const [at, value] of Object.entries(bytes)) pdu[Number(at)] = value;
  return resummed(pdu, fields);
}

export function resummed(pdu: Uint8Array, fields: AdvertisementFields): Uint8Array {
  writeUint16(pdu, 6, 0);
  const pseudo = fields.family === 6 ? sumPseudoHeader(fields.source, fields.destination, 112, pdu.length) : 0;
  writeUint16(pdu, 6, checksumOf(pseudo + sumWords(pdu)));
  return pdu;
}
