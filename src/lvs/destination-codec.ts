/** Destinations (IPVS_CMD_ATTR_DEST): the real servers of a service. */
import { AttributeReader, type BodyWriter } from "../netlink/attributes.ts";
import { addressLength, familyFrom, familyNumber } from "../netlink/family.ts";
import { GENERIC_HEADER } from "../netlink/generic.ts";
import { writeU32 } from "../netlink/host-order.ts";
import { type Family, formatAddress } from "../wire/address.ts";
import * as k from "./constants.ts";
import type { Tunnel, TunnelChecksum } from "./parameters.ts";
import { addressBytes, readPort } from "./service-codec.ts";
import { type DestinationSettings, type KernelDestination, noTraffic } from "./table.ts";
import { decodeTraffic } from "./traffic-codec.ts";

type Forwarding = DestinationSettings["forwarding"];
type Identity = Pick<DestinationSettings, "family" | "address" | "port">;

const methods: Readonly<Record<Forwarding["method"], number>> = {
  nat: k.IP_VS_CONN_F_MASQ,
  local: k.IP_VS_CONN_F_LOCALNODE,
  tun: k.IP_VS_CONN_F_TUNNEL,
  dr: k.IP_VS_CONN_F_DROUTE,
  bypass: k.IP_VS_CONN_F_BYPASS,
};
const tunnelTypes: Readonly<Record<Tunnel["type"], number>> = {
  ipip: k.IP_VS_CONN_F_TUNNEL_TYPE_IPIP,
  gue: k.IP_VS_CONN_F_TUNNEL_TYPE_GUE,
  gre: k.IP_VS_CONN_F_TUNNEL_TYPE_GRE,
};
const checksums: Readonly<Record<TunnelChecksum, number>> = {
  nocsum: k.IP_VS_TUNNEL_ENCAP_FLAG_NOCSUM,
  csum: k.IP_VS_TUNNEL_ENCAP_FLAG_CSUM,
  remcsum: k.IP_VS_TUNNEL_ENCAP_FLAG_REMCSUM,
};

function writeIdentity(writer: BodyWriter, { family, address, port }: Identity): void {
  writer.u16(k.IPVS_DEST_ATTR_ADDR_FAMILY, familyNumber(family));
  writer.bytes(k.IPVS_DEST_ATTR_ADDR, addressBytes(family, address));
  writer.u16be(k.IPVS_DEST_ATTR_PORT, port);
}

export function writeDestinationIdentity(writer: BodyWriter, identity: Identity): void {
  writer.nested(k.IPVS_CMD_ATTR_DEST, () => writeIdentity(writer, identity));
}

/** All of a destination: setting it replaces everything, and a tunnel that is not described becomes ipip. */
export function writeDestination(writer: BodyWriter, settings: DestinationSettings): void {
  const { forwarding, weight, upperThreshold, lowerThreshold } = settings;
  writer.nested(k.IPVS_CMD_ATTR_DEST, () => {
    writeIdentity(writer, settings);
    writer.u32(k.IPVS_DEST_ATTR_FWD_METHOD, methods[forwarding.method]);
    writer.u32(k.IPVS_DEST_ATTR_WEIGHT, weight);
    writer.u32(k.IPVS_DEST_ATTR_U_THRESH, upperThreshold);
    writer.u32(k.IPVS_DEST_ATTR_L_THRESH, lowerThreshold);
    if (forwarding.method === "tun") writeTunnel(writer, forwarding.tunnel);
  });
}

/** An attribute of two or four bytes, header and padding included, and of an address. */
const small = 8;

/**
 * The body of one server's command as the model for the next: a service has hundreds of servers that differ in address,
 * port, weight and thresholds alone, and a copy costs a fifth of writing it again.
 */
export class DestinationModel {
  readonly #body: Uint8Array;
  readonly #settings: DestinationSettings;
  /** Where the value of the address begins, and of the port behind it. */
  readonly #address: number;
  readonly #port: number;

  /** `start`: where writeDestination() began. */
  constructor(body: Uint8Array, start: number, settings: DestinationSettings) {
    this.#body = body.slice();
    this.#settings = settings;
    // Behind the header of the nest, the family, and a header.
    this.#address = start + 4 + small + 4;
    this.#port = this.#address + addressLength(settings.family) + 4;
  }

  /** For servers of the same command to the same service. */
  fits({ family, forwarding }: DestinationSettings): boolean {
    const { method } = this.#settings.forwarding;
    return family === this.#settings.family && forwarding.method === method && method !== "tun";
  }

  get length(): number {
    return this.#body.length;
  }

  /** Fills in `bytes`, which is as long as the model. */
  write(bytes: Uint8Array, settings: DestinationSettings): void {
    const { family, address, port, weight, upperThreshold, lowerThreshold } = settings;
    bytes.set(this.#body);
    bytes.set(addressBytes(family, address), this.#address);
    bytes[this.#port] = port >> 8;
    bytes[this.#port + 1] = port;
    // Behind the port, the method.
    const weightAt = this.#port + 2 * small;
    writeU32(bytes, weightAt, weight);
    writeU32(bytes, weightAt + small, upperThreshold);
    writeU32(bytes, weightAt + 2 * small, lowerThreshold);
  }
}

function writeTunnel(writer: BodyWriter, tunnel: Tunnel): void {
  writer.u8(k.IPVS_DEST_ATTR_TUN_TYPE, tunnelTypes[tunnel.type]);
  writer.u16be(k.IPVS_DEST_ATTR_TUN_PORT, tunnel.type === "gue" ? tunnel.port : 0);
  writer.u16(k.IPVS_DEST_ATTR_TUN_FLAGS, tunnel.type === "ipip" ? 0 : checksums[tunnel.checksum]);
}

/** `family` is the service's, which counts on kernels before 3.18: they do not say it. */
export function decodeDestination(payload: Uint8Array, family: Family): KernelDestination | undefined {
  const outer = new AttributeReader(payload, GENERIC_HEADER);
  let destination: KernelDestination | undefined;
  while (outer.next()) {
    if (outer.type === k.IPVS_CMD_ATTR_DEST) destination = readDestination(outer.nested(), family);
  }
  return outer.bad ? undefined : destination;
}

function readDestination(reader: AttributeReader, serviceFamily: Family): KernelDestination | undefined {
  let family: Family | undefined = serviceFamily;
  let address: Uint8Array = new Uint8Array();
  let port = 0;
  let method = 0;
  let weight = 0;
  let upperThreshold = 0;
  let lowerThreshold = 0;
  let active = 0;
  let inactive = 0;
  let persistent = 0;
  let tunnelType = 0;
  let tunnelPort = 0;
  let tunnelFlags = 0;
  let counters: AttributeReader | undefined;
  let wideCounters: AttributeReader | undefined;
  while (reader.next()) {
    switch (reader.type) {
      case k.IPVS_DEST_ATTR_ADDR_FAMILY:
        family = familyFrom(reader.u16());
        break;
      case k.IPVS_DEST_ATTR_ADDR:
        address = reader.bytes();
        break;
      case k.IPVS_DEST_ATTR_PORT:
        port = readPort(reader);
        break;
      case k.IPVS_DEST_ATTR_FWD_METHOD:
        method = reader.u32();
        break;
      case k.IPVS_DEST_ATTR_WEIGHT:
        weight = reader.u32();
        break;
      case k.IPVS_DEST_ATTR_U_THRESH:
        upperThreshold = reader.u32();
        break;
      case k.IPVS_DEST_ATTR_L_THRESH:
        lowerThreshold = reader.u32();
        break;
      case k.IPVS_DEST_ATTR_ACTIVE_CONNS:
        active = reader.u32();
        break;
      case k.IPVS_DEST_ATTR_INACT_CONNS:
        inactive = reader.u32();
        break;
      case k.IPVS_DEST_ATTR_PERSIST_CONNS:
        persistent = reader.u32();
        break;
      case k.IPVS_DEST_ATTR_TUN_TYPE:
        tunnelType = reader.u8();
        break;
      case k.IPVS_DEST_ATTR_TUN_PORT:
        tunnelPort = readPort(reader);
        break;
      case k.IPVS_DEST_ATTR_TUN_FLAGS:
        tunnelFlags = reader.u16();
        break;
      case k.IPVS_DEST_ATTR_STATS:
        counters = reader.nested();
        break;
      case k.IPVS_DEST_ATTR_STATS64:
        wideCounters = reader.nested();
        break;
    }
  }
  const length = family === undefined ? 0 : addressLength(family);
  if (family === undefined || address.length < length) return undefined;
  const stats = wideCounters ?? counters;
  return {
    settings: {
      family,
      address: formatAddress(address.subarray(0, length)),
      port,
      forwarding: forwarding(method, tunnelType, tunnelPort, tunnelFlags),
      weight,
      upperThreshold,
      lowerThreshold,
    },
    active,
    inactive,
    persistent,
    traffic: stats === undefined ? noTraffic : decodeTraffic(stats),
  };
}

/** The kernel stores methods and tunnels that it does not know; it then forwards nowhere, and as ipip. */
function forwarding(method: number, tunnelType: number, port: number, flags: number): Forwarding {
  switch (method) {
    case k.IP_VS_CONN_F_MASQ:
      return { method: "nat" };
    case k.IP_VS_CONN_F_LOCALNODE:
      return { method: "local" };
    case k.IP_VS_CONN_F_DROUTE:
      return { method: "dr" };
    case k.IP_VS_CONN_F_TUNNEL:
      return { method: "tun", tunnel: tunnel(tunnelType, port, flags) };
    default:
      return { method: "bypass" };
  }
}

function tunnel(type: number, port: number, flags: number): Tunnel {
  const checksum =
    (flags & k.IP_VS_TUNNEL_ENCAP_FLAG_REMCSUM) !== 0
      ? "remcsum"
      : (flags & k.IP_VS_TUNNEL_ENCAP_FLAG_CSUM) !== 0
        ? "csum"
        : "nocsum";
  switch (type) {
    case k.IP_VS_CONN_F_TUNNEL_TYPE_GUE:
      return { type: "gue", port, checksum };
    case k.IP_VS_CONN_F_TUNNEL_TYPE_GRE:
      return { type: "gre", checksum };
    default:
      return { type: "ipip" };
  }
}
