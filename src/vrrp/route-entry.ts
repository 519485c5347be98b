/** A configured route and the kernel's. */
import * as k from "../netlink/constants.ts";
import { formatPrefix } from "../netlink/family.ts";
import type { NextHop, Route } from "../netlink/route.ts";
import { equalAddresses, formatAddress, type IpAddress, parseAddress } from "../wire/address.ts";
import type { NextHopParameters, RouteParameters, RouteType } from "./routing-parameters.ts";
import { addressOwner } from "./virtual-entry.ts";

/** RTA_PROTOCOL and FRA_PROTOCOL of ours, the number of the VRRP protocol, as for addresses. iproute2 has no name for it. */
export const routingOwner = addressOwner;

const typeNumbers: Readonly<Record<RouteType, number>> = {
  unicast: k.RTN_UNICAST,
  blackhole: k.RTN_BLACKHOLE,
  unreachable: k.RTN_UNREACHABLE,
  prohibit: k.RTN_PROHIBIT,
  throw: k.RTN_THROW,
};

/** The kernel's form; or the name of the interface that does not exist. */
export function toRoute(route: RouteParameters, indexOf: (name: string) => number | undefined): Route | string {
  const hops: NextHop[] = [];
  for (const { gateway, device, weight, onlink } of route.nextHops) {
    const index = device === undefined ? 0 : indexOf(device);
    if (index === undefined) return device ?? "";
    hops.push({ ...(gateway === undefined ? {} : { gateway: bytesOf(gateway) }), index, weight, onlink });
  }
  const { preferredSource, mtu } = route;
  return {
    family: route.family,
    destination: bytesOf(route.destination),
    prefixLength: route.prefixLength,
    table: route.table,
    protocol: route.protocol ?? routingOwner,
    scope: route.scope,
    type: typeNumbers[route.type],
    tos: route.tos,
    metric: route.metric,
    ...(preferredSource === undefined ? {} : { preferredSource: bytesOf(preferredSource) }),
    ...(mtu === undefined ? {} : { mtu }),
    nextHops: hops,
  };
}

function bytesOf(text: string): IpAddress {
  const bytes = parseAddress(text);
  if (bytes === undefined) throw new Error(`${text} is not an IP address`);
  return bytes;
}

/** Whether the kernel's route does what the wanted one would, whoever put it there. Both stand at the same place. */
export function isSameRoute(wanted: Route, there: Route): boolean {
  if (wanted.type !== there.type || there.nextHopId !== undefined) return false;
  if (wanted.scope !== there.scope || wanted.mtu !== there.mtu) return false;
  const { preferredSource: source } = wanted;
  if ((source === undefined) !== (there.preferredSource === undefined)) return false;
  if (source && there.preferredSource && !equalAddresses(source, there.preferredSource)) return false;
  // The kernel puts a refusing route of IPv6 on the loopback interface.
  if (wanted.type !== k.RTN_UNICAST) return true;
  // IPv6 keeps several hops in an order of its own.
  return (
    wanted.nextHops.length === there.nextHops.length &&
    wanted.nextHops.every((hop) => there.nextHops.some((other) => isSameHop(hop, other)))
  );
}

function isSameHop(wanted: NextHop, there: NextHop): boolean {
  if (wanted.index !== 0 && wanted.index !== there.index) return false;
  if (wanted.weight !== there.weight || wanted.onlink !== there.onlink) return false;
  if (wanted.gateway === undefined || there.gateway === undefined) return wanted.gateway === there.gateway;
  return equalAddresses(wanted.gateway, there.gateway);
}

/** In the words of ip. */
export function routeText(route: RouteParameters): string {
  const { type, destination, prefixLength, nextHops, preferredSource, table, metric, family } = route;
  const several = nextHops.length > 1;
  return [
    ...(type === "unicast" ? [] : [type]),
    prefixLength === 0 ? "default" : `${destination}/${prefixLength}`,
    ...nextHops.map((hop) => `${several ? "nexthop " : ""}${hopText(hop)}`),
    ...(preferredSource === undefined ? [] : [`src ${preferredSource}`]),
    ...(table === k.RT_TABLE_MAIN ? [] : [`table ${table}`]),
    ...(metric === (family === 4 ? 0 : 1024) ? [] : [`metric ${metric}`]),
  ].join(" ");
}

function hopText({ gateway, device, weight, onlink }: NextHopParameters): string {
  return [
    ...(gateway === undefined ? [] : [`via ${gateway}`]),
    ...(device === undefined ? [] : [`dev ${device}`]),
    ...(weight === 1 ? [] : [`weight ${weight}`]),
    ...(onlink ? ["onlink"] : []),
  ].join(" ");
}

/** Names that iproute2 gives to the programs that are met most. */
const protocols: Readonly<Record<number, string>> = {
  2: "kernel",
  3: "boot",
  4: "static",
  11: "zebra",
  12: "bird",
  16: "dhcp",
  18: "keepalived",
  112: "viprd",
  186: "bgp",
  188: "ospf",
};

/** A route of somebody else, for a message. */
export function describeStranger({ protocol, nextHops, type, destination, prefixLength }: Route): string {
  const gateways = nextHops.flatMap(({ gateway }) => (gateway === undefined ? [] : [`via ${formatAddress(gateway)}`]));
  const kind = Object.keys(typeNumbers).find((name) => typeNumbers[name as RouteType] === type) ?? `type ${type}`;
  const where = type === k.RTN_UNICAST ? gateways.join(" and ") || "on a link" : kind;
  return `${formatPrefix(destination, prefixLength)} ${where}, protocol ${protocols[protocol] ?? protocol}`;
}
