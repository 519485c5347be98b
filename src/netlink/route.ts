/** Routes (rtnetlink(7), linux/rtnetlink.h): unicast with one or several next hops, and the refusing kinds. */
import { AF_INET, AF_INET6 } from "../socket/constants.ts";
import { equalAddresses, type Family, familyOf, type IpAddress } from "../wire/address.ts";
import { AttributeReader, BodyWriter } from "./attributes.ts";
import * as k from "./constants.ts";
import { addressLength, familyFrom, familyNumber } from "./family.ts";
import { readI32, readU16, readU32 } from "./host-order.ts";

export interface NextHop {
  /** Of the other family too: an IPv4 route by way of an IPv6 router. */
  readonly gateway?: IpAddress;
  /** Index of the link; 0 lets the kernel find it by the gateway. */
  readonly index: number;
  /** 1 to 256 */
  readonly weight: number;
  /** Take the gateway to be on the link although no address says so. */
  readonly onlink: boolean;
}

export interface Route {
  readonly family: Family;
  /** All zeros with prefix length 0 for the default route. */
  readonly destination: IpAddress;
  readonly prefixLength: number;
  /** IPv6 only: the route is for packets from there. */
  readonly source?: { readonly address: IpAddress; readonly prefixLength: number };
  readonly table: number;
  /** RTPROT_…, who put it there. */
  readonly protocol: number;
  /** RT_SCOPE_… */
  readonly scope: number;
  /** RTN_… */
  readonly type: number;
  readonly tos: number;
  /** Priority; the kernel makes an IPv6 route's 1024 if none is given. */
  readonly metric: number;
  readonly preferredSource?: IpAddress;
  readonly mtu?: number;
  /** None for the refusing kinds. */
  readonly nextHops: readonly NextHop[];
  /** A nexthop object of the kernel that stands for the hops. */
  readonly nextHopId?: number;
}

/** What must be said of a route; the rest is a unicast route of the main table put there by an administrator. */
export type NewRoute = Pick<Route, "family" | "destination" | "prefixLength"> & Partial<Route>;

/** struct rtmsg: u8 family, destination length, source length, tos, table, protocol, scope, type; u32 flags */
export const RTMSG = 12;
/** struct rtnexthop: u16 length, u8 flags, u8 weight - 1, i32 index */
const RTNEXTHOP = 8;

/** Undefined for other families, and for what is only a cached result of a lookup. */
export function decodeRoute(payload: Uint8Array): Route | undefined {
  const family = familyFrom(payload[0] ?? 0);
  if (payload.length < RTMSG || family === undefined) return undefined;
  const flags = readU32(payload, 8);
  if ((flags & k.RTM_F_CLONED) !== 0) return undefined;
  const length = addressLength(family);
  let destination: IpAddress = new Uint8Array(length);
  let source: IpAddress | undefined;
  let table = payload[4] ?? 0;
  let metric = 0;
  let preferredSource: IpAddress | undefined;
  let mtu: number | undefined;
  let gateway: IpAddress | undefined;
  let index = 0;
  let several: readonly NextHop[] | undefined;
  let nextHopId: number | undefined;
  const reader = new AttributeReader(payload, RTMSG);
  while (reader.next()) {
    switch (reader.type) {
      case k.RTA_DST:
        destination = reader.bytes(length);
        break;
      case k.RTA_SRC:
        source = reader.bytes(length);
        break;
      case k.RTA_TABLE:
        table = reader.u32();
        break;
      case k.RTA_PRIORITY:
        metric = reader.u32();
        break;
      case k.RTA_PREFSRC:
        preferredSource = reader.bytes(length);
        break;
      case k.RTA_METRICS:
        mtu = decodeMtu(reader.nested());
        break;
      case k.RTA_GATEWAY:
        gateway = reader.bytes(length);
        break;
      case k.RTA_VIA:
        gateway = decodeVia(reader.bytes());
        break;
      case k.RTA_OIF:
        index = reader.u32();
        break;
      case k.RTA_MULTIPATH:
        several = decodeNextHops(reader.view(), length);
        break;
      case k.RTA_NH_ID:
        nextHopId = reader.u32();
        break;
    }
  }
  if (reader.bad) return undefined;
  const onlink = (flags & k.RTNH_F_ONLINK) !== 0;
  const one = gateway === undefined && index === 0 ? [] : [{ ...(gateway && { gateway }), index, weight: 1, onlink }];
  return {
    family,
    destination,
    prefixLength: payload[1] ?? 0,
    ...(source !== undefined && { source: { address: source, prefixLength: payload[2] ?? 0 } }),
    table,
    protocol: payload[5] ?? 0,
    scope: payload[6] ?? 0,
    type: payload[7] ?? 0,
    tos: payload[3] ?? 0,
    metric,
    ...(preferredSource !== undefined && { preferredSource }),
    ...(mtu !== undefined && { mtu }),
    nextHops: several ?? one,
    ...(nextHopId !== undefined && { nextHopId }),
  };
}

function decodeMtu(reader: AttributeReader): number | undefined {
  let mtu: number | undefined;
  while (reader.next()) {
    if (reader.type === k.RTAX_MTU) mtu = reader.u32();
  }
  return mtu;
}

/** struct rtvia: u16 family, address */
function decodeVia(via: Uint8Array): IpAddress | undefined {
  const family = familyFrom(readU16(via, 0));
  return family === undefined ? undefined : via.slice(2, 2 + addressLength(family));
}

function decodeNextHops(bytes: Uint8Array, length: number): NextHop[] {
  const hops: NextHop[] = [];
  for (let at = 0; at + RTNEXTHOP <= bytes.length; ) {
    const size = readU16(bytes, at);
    if (size < RTNEXTHOP || at + size > bytes.length) break;
    let gateway: IpAddress | undefined;
    const reader = new AttributeReader(bytes, at + RTNEXTHOP, at + size);
    while (reader.next()) {
      if (reader.type === k.RTA_GATEWAY) gateway = reader.bytes(length);
      else if (reader.type === k.RTA_VIA) gateway = decodeVia(reader.bytes());
    }
    hops.push({
      ...(gateway !== undefined && { gateway }),
      index: readI32(bytes, at + 4),
      weight: (bytes[at + 3] ?? 0) + 1,
      onlink: ((bytes[at + 2] ?? 0) & k.RTNH_F_ONLINK) !== 0,
    });
    at += (size + 3) & ~3;
  }
  return hops;
}

function encodeGateway(writer: BodyWriter, family: Family, gateway: IpAddress): void {
  if (familyOf(gateway) === family) {
    writer.bytes(k.RTA_GATEWAY, gateway);
    return;
  }
  const via = new Uint8Array(2 + gateway.length);
  via[0] = familyOf(gateway) === 4 ? AF_INET : AF_INET6;
  via.set(gateway, 2);
  writer.bytes(k.RTA_VIA, via);
}

/** The widest scope the route can have, as ip chooses it: a route without a gateway reaches no further than the link. */
function defaultScope({ family, type = k.RTN_UNICAST, nextHops = [], nextHopId }: NewRoute): number {
  if (family === 6) return k.RT_SCOPE_UNIVERSE;
  if (type === k.RTN_LOCAL) return k.RT_SCOPE_HOST;
  const direct = nextHops.length === 1 && nextHops[0]?.gateway === undefined && nextHopId === undefined;
  return type === k.RTN_UNICAST && direct ? k.RT_SCOPE_LINK : k.RT_SCOPE_UNIVERSE;
}

/** The body of RTM_NEWROUTE. */
export function encodeNewRoute(route: NewRoute): Uint8Array {
  return encode(route, {
    protocol: route.protocol ?? k.RTPROT_STATIC,
    scope: route.scope ?? defaultScope(route),
    type: route.type ?? k.RTN_UNICAST,
  });
}

/** The body of RTM_DELROUTE: what is not said matches anything. */
export function encodeDeleteRoute(route: NewRoute): Uint8Array {
  return encode(route, {
    protocol: route.protocol ?? k.RTPROT_UNSPEC,
    scope: route.scope ?? k.RT_SCOPE_NOWHERE,
    type: route.type ?? k.RTN_UNSPEC,
  });
}

function encode(route: NewRoute, { protocol, scope, type }: Pick<Route, "protocol" | "scope" | "type">): Uint8Array {
  const { family, destination, prefixLength, source, metric = 0, mtu, nextHops = [], nextHopId } = route;
  const { table = k.RT_TABLE_MAIN, tos = 0, preferredSource } = route;
  const writer = new BodyWriter(RTMSG);
  writer.setU8(0, familyNumber(family));
  writer.setU8(1, prefixLength);
  writer.setU8(2, source?.prefixLength ?? 0);
  writer.setU8(3, tos);
  writer.setU8(4, table < 256 ? table : k.RT_TABLE_UNSPEC);
  writer.setU8(5, protocol);
  writer.setU8(6, scope);
  writer.setU8(7, type);
  if (prefixLength > 0 || destination.some((byte) => byte !== 0)) writer.bytes(k.RTA_DST, destination);
  if (source !== undefined) writer.bytes(k.RTA_SRC, source.address);
  if (table >= 256) writer.u32(k.RTA_TABLE, table);
  if (preferredSource !== undefined) writer.bytes(k.RTA_PREFSRC, preferredSource);
  if (metric !== 0) writer.u32(k.RTA_PRIORITY, metric);
  if (mtu !== undefined) writer.nested(k.RTA_METRICS, () => writer.u32(k.RTAX_MTU, mtu));
  const [hop] = nextHops;
  if (nextHopId !== undefined) writer.u32(k.RTA_NH_ID, nextHopId);
  else if (nextHops.length > 1) writer.nested(k.RTA_MULTIPATH, () => encodeNextHops(writer, family, nextHops));
  else if (hop !== undefined) {
    writer.setU32(8, hop.onlink ? k.RTNH_F_ONLINK : 0);
    if (hop.gateway !== undefined) encodeGateway(writer, family, hop.gateway);
    if (hop.index !== 0) writer.u32(k.RTA_OIF, hop.index);
  }
  return writer.finish();
}

function encodeNextHops(writer: BodyWriter, family: Family, hops: readonly NextHop[]): void {
  for (const { gateway, index, weight, onlink } of hops) {
    const at = writer.structure(RTNEXTHOP);
    writer.setU8(at + 2, onlink ? k.RTNH_F_ONLINK : 0);
    writer.setU8(at + 3, weight - 1);
    writer.setU32(at + 4, index);
    if (gateway !== undefined) encodeGateway(writer, family, gateway);
    writer.setU16(at, writer.length - at);
  }
}

export function sameNextHops(a: readonly NextHop[], b: readonly NextHop[]): boolean {
  return a.length === b.length && a.every((hop, i) => sameNextHop(hop, b[i]));
}

function sameNextHop(a: NextHop, b: NextHop | undefined): boolean {
  if (b === undefined || a.index !== b.index || a.weight !== b.weight || a.onlink !== b.onlink) return false;
  if (a.gateway === undefined || b.gateway === undefined) return a.gateway === b.gateway;
  return equalAddresses(a.gateway, b.gateway);
}
