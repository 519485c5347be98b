/** Services (IPVS_CMD_ATTR_SERVICE): what identifies one, how it is set up, what the kernel tells of it. */
import { AttributeReader, type BodyWriter } from "../netlink/attributes.ts";
import { addressLength, familyFrom, familyNumber } from "../netlink/family.ts";
import { GENERIC_HEADER } from "../netlink/generic.ts";
import { IPPROTO_TCP, IPPROTO_UDP } from "../socket/constants.ts";
import { type Family, formatAddress, type IpAddress, parseAddress } from "../wire/address.ts";
import * as k from "./constants.ts";
import type { Protocol, ServiceAddress } from "./parameters.ts";
import { type KernelService, noTraffic, type ServiceSettings } from "./table.ts";
import { decodeTraffic } from "./traffic-codec.ts";

const IPPROTO_SCTP = 132;
const protocolNumbers: Readonly<Record<Protocol, number>> = { tcp: IPPROTO_TCP, udp: IPPROTO_UDP, sctp: IPPROTO_SCTP };
const protocols: Readonly<Record<number, Protocol>> = { 6: "tcp", 17: "udp", 132: "sctp" };

/** The kernel takes any number of bytes and fills up with zeros, so there have to be exactly as many as the family has. */
export function addressBytes(family: Family, text: string): IpAddress {
  const bytes = parseAddress(text);
  if (bytes?.length !== addressLength(family)) throw new RangeError(`no IPv${family} address: ${text}`);
  return bytes;
}

export function readPort(reader: AttributeReader): number {
  const [high = 0, low = 0] = reader.bytes(2);
  return (high << 8) | low;
}

function writeIdentity(writer: BodyWriter, service: ServiceAddress): void {
  writer.u16(k.IPVS_SVC_ATTR_AF, familyNumber(service.family));
  if (service.kind === "mark") {
    writer.u32(k.IPVS_SVC_ATTR_FWMARK, service.mark);
    return;
  }
  writer.u16(k.IPVS_SVC_ATTR_PROTOCOL, protocolNumbers[service.protocol]);
  writer.bytes(k.IPVS_SVC_ATTR_ADDR, addressBytes(service.family, service.address));
  // Two bytes in network order: of four the kernel would read the first two.
  writer.u16be(k.IPVS_SVC_ATTR_PORT, service.port);
}

/** The service that a command is about. */
export function writeServiceIdentity(writer: BodyWriter, service: ServiceAddress): void {
  writer.nested(k.IPVS_CMD_ATTR_SERVICE, () => writeIdentity(writer, service));
}

/** All of a service: setting it replaces everything, and an engine that is not named is taken away. */
export function writeService(writer: BodyWriter, service: ServiceAddress, settings: ServiceSettings): void {
  const { scheduler, flags, timeout, netmask, engine } = settings;
  writer.nested(k.IPVS_CMD_ATTR_SERVICE, () => {
    writeIdentity(writer, service);
    writer.text(k.IPVS_SVC_ATTR_SCHED_NAME, scheduler);
    // The second number says which of the flags are meant; without it the former ones would stay.
    writer.u32(k.IPVS_SVC_ATTR_FLAGS, flags, 0xffffffff);
    writer.u32(k.IPVS_SVC_ATTR_TIMEOUT, timeout);
    if (service.family === 6) writer.u32(k.IPVS_SVC_ATTR_NETMASK, netmask);
    else writer.bytes(k.IPVS_SVC_ATTR_NETMASK, bigEndian(netmask));
    if (engine !== undefined) writer.text(k.IPVS_SVC_ATTR_PE_NAME, engine);
  });
}

function bigEndian(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

/** Undefined for what is no service of ours to see: another protocol, another family, bytes that do not fit. */
export function decodeService(payload: Uint8Array): KernelService | undefined {
  const outer = new AttributeReader(payload, GENERIC_HEADER);
  let service: KernelService | undefined;
  while (outer.next()) if (outer.type === k.IPVS_CMD_ATTR_SERVICE) service = readService(outer.nested());
  return outer.bad ? undefined : service;
}

function readService(reader: AttributeReader): KernelService | undefined {
  let family: Family | undefined;
  let protocol: Protocol | undefined;
  let address: Uint8Array = new Uint8Array();
  let port = 0;
  let mark = 0;
  let scheduler = "";
  let flags = 0;
  let timeout = 0;
  let netmask: Uint8Array = new Uint8Array(4);
  let engine: string | undefined;
  let counters: AttributeReader | undefined;
  let wideCounters: AttributeReader | undefined;
  while (reader.next()) {
    switch (reader.type) {
      case k.IPVS_SVC_ATTR_AF:
        family = familyFrom(reader.u16());
        break;
      case k.IPVS_SVC_ATTR_PROTOCOL:
        protocol = protocols[reader.u16()];
        break;
      case k.IPVS_SVC_ATTR_ADDR:
        address = reader.bytes();
        break;
      case k.IPVS_SVC_ATTR_PORT:
        port = readPort(reader);
        break;
      case k.IPVS_SVC_ATTR_FWMARK:
        mark = reader.u32();
        break;
      case k.IPVS_SVC_ATTR_SCHED_NAME:
        scheduler = reader.text();
        break;
      case k.IPVS_SVC_ATTR_FLAGS:
        flags = new DataView(reader.bytes(8).buffer).getUint32(0, true);
        break;
      case k.IPVS_SVC_ATTR_TIMEOUT:
        timeout = reader.u32();
        break;
      case k.IPVS_SVC_ATTR_NETMASK:
        netmask = reader.bytes(4);
        break;
      case k.IPVS_SVC_ATTR_PE_NAME:
        engine = reader.text();
        break;
      case k.IPVS_SVC_ATTR_STATS:
        counters = reader.nested();
        break;
      case k.IPVS_SVC_ATTR_STATS64:
        wideCounters = reader.nested();
        break;
    }
  }
  if (family === undefined) return undefined;
  const identity = mark > 0 ? ({ kind: "mark", family, mark } as const) : byAddress(family, protocol, address, port);
  if (identity === undefined) return undefined;
  const stats = wideCounters ?? counters;
  return {
    address: identity,
    settings: {
      scheduler,
      flags: flags & ~k.IP_VS_SVC_F_HASHED,
      timeout,
      netmask: new DataView(netmask.buffer).getUint32(0, family === 6),
      ...(engine !== undefined && { engine }),
    },
    traffic: stats === undefined ? noTraffic : decodeTraffic(stats),
  };
}

function byAddress(
  family: Family,
  protocol: Protocol | undefined,
  bytes: Uint8Array,
  port: number,
): ServiceAddress | undefined {
  const length = addressLength(family);
  if (protocol === undefined || bytes.length < length) return undefined;
  return { kind: "address", family, protocol, address: formatAddress(bytes.subarray(0, length)), port };
}
