/** What a watch can follow: how each kind of object is identified, told apart, listed and heard of. */
import { equalAddresses } from "../wire/address.ts";
import { type AddressEntry, decodeAddress, listAddresses } from "./address.ts";
import * as k from "./constants.ts";
import { decodeLink, type Link, listLinks } from "./link.ts";
import { decodeNeighbor, listNeighbors, type Neighbor } from "./neighbor.ts";
import { type Route, sameNextHops } from "./route.ts";
import { decodeConcerned, listRoutes, type RouteFilter, type RouteSelection, selectAll } from "./route-requests.ts";
import { decodeRule, listRules, type Prefix, type Rule } from "./rule.ts";
import { type Difference, Table } from "./table.ts";
import type { Subject } from "./tracked.ts";

type Emit<T> = (difference: Difference<T>) => void;

/** Short and unique, not for reading. */
function bytesKey(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? "" : String.fromCharCode(...bytes);
}

export function equalBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && equalAddresses(a, b));
}

export function sameLink(a: Link, b: Link): boolean {
  return (
    a.name === b.name &&
    a.flags === b.flags &&
    a.mtu === b.mtu &&
    a.type === b.type &&
    a.kind === b.kind &&
    a.mode === b.mode &&
    a.alias === b.alias &&
    a.group === b.group &&
    a.master === b.master &&
    a.parent === b.parent &&
    equalBytes(a.mac, b.mac)
  );
}

/** The kernel keeps several IPv4 addresses apart by prefix and far end too, but has an IPv6 address once a link. */
export function addressKey({ family, index, address, prefixLength, peer }: AddressEntry): string {
  const own = `${index} ${bytesKey(address)}`;
  return family === 6 ? own : `${own}/${prefixLength} ${bytesKey(peer)}`;
}

/** Lifetimes count down and are renewed all the time: only that an address is there for ever or not is told, by flags. */
export function sameAddress(a: AddressEntry, b: AddressEntry): boolean {
  return (
    a.flags === b.flags &&
    a.prefixLength === b.prefixLength &&
    a.scope === b.scope &&
    a.protocol === b.protocol &&
    a.label === b.label &&
    a.metric === b.metric &&
    equalBytes(a.broadcast, b.broadcast) &&
    equalBytes(a.peer, b.peer)
  );
}

/** Keyed by index, grouped by name. */
export function linkSubject(emit: Emit<Link>): Subject<Link, number, string> {
  return {
    table: new Table({ key: (link) => link.index, group: (link) => link.name, same: sameLink }),
    newType: k.RTM_NEWLINK,
    deleteType: k.RTM_DELLINK,
    groups: [k.RTNLGRP_LINK],
    decode: decodeLink,
    list: listLinks,
    emit,
  };
}

/** Grouped by the index of the link. */
export function addressSubject(emit: Emit<AddressEntry>): Subject<AddressEntry, string, number> {
  return {
    table: new Table({ key: addressKey, group: (entry) => entry.index, same: sameAddress }),
    newType: k.RTM_NEWADDR,
    deleteType: k.RTM_DELADDR,
    groups: [k.RTNLGRP_IPV4_IFADDR, k.RTNLGRP_IPV6_IFADDR],
    decode: decodeAddress,
    list: (connection) => listAddresses(connection),
    emit,
  };
}

/** What the kernel takes for the same route when it replaces one. */
export function routePlace(route: Route): string {
  const { family, destination, prefixLength, source, table, tos, metric } = route;
  const from = source === undefined ? "" : `${bytesKey(source.address)}/${source.prefixLength}`;
  return `${family} ${table} ${tos} ${metric} ${prefixLength} ${bytesKey(destination)} ${from}`;
}

/** Routes of one group may stand beside each other, told apart by where they lead. */
export function routeKey(route: Route): string {
  const hops = route.nextHops.map(({ gateway, index }) => `${index} ${bytesKey(gateway)}`);
  return `${routePlace(route)} ${route.type} ${route.nextHopId ?? ""} ${hops.join()}`;
}

export function sameRoute(a: Route, b: Route): boolean {
  return (
    a.protocol === b.protocol &&
    a.scope === b.scope &&
    a.mtu === b.mtu &&
    equalBytes(a.preferredSource, b.preferredSource) &&
    sameNextHops(a.nextHops, b.nextHops)
  );
}

/**
 * Grouped by what the kernel takes for the same route. An event does not name the route that a replacement displaced,
 * and tells of single hops of an IPv6 route as if they were routes: if that concerns a group we have, the table is
 * dumped again.
 */
export function routeSubject(filter: RouteFilter | RouteSelection, emit: Emit<Route>): Subject<Route, string, string> {
  const selection = "wanted" in filter ? filter : selectAll(filter);
  const table = new Table({ key: routeKey, group: routePlace, same: sameRoute });
  return {
    table,
    newType: k.RTM_NEWROUTE,
    deleteType: k.RTM_DELROUTE,
    groups: [k.RTNLGRP_IPV4_ROUTE, k.RTNLGRP_IPV6_ROUTE],
    decode: (payload) => decodeConcerned(payload, selection.concerns),
    async list(connection) {
      const lists: Route[] = [];
      for (const one of selection.tables()) lists.push(...(await listRoutes(connection, one, selection)));
      return lists;
    },
    unclear(route, type, flags) {
      if (table.inGroup(routePlace(route)).length === 0) return false;
      if (type === k.RTM_DELROUTE) return !table.entries.has(routeKey(route));
      return route.family === 6 || (flags & k.NLM_F_REPLACE) !== 0;
    },
    wanted: selection.wanted,
    emit,
  };
}

/** Everything that tells a rule from another one but who put it there. */
export function rulePlace(rule: Rule): string {
  const { family, priority, from, to, tos, mark, inputInterface = "", outputInterface = "" } = rule;
  const prefix = (part: Prefix | undefined) => (part ? `${bytesKey(part.address)}/${part.prefixLength}` : "");
  const selector = `${prefix(from)} ${prefix(to)} ${tos} ${mark?.value}/${mark?.mask} ${inputInterface} ${outputInterface}`;
  const { action, table, invert, suppressPrefixLength, target, more } = rule;
  return `${family} ${priority} ${selector} ${action} ${table} ${invert} ${suppressPrefixLength} ${target} ${more}`;
}

/** Events of rules are a reason to look, no more: the kernel allows the same rule twice. */
export function ruleSubject(emit: Emit<Rule>): Subject<Rule, string, string> {
  return {
    table: new Table({
      key: (rule) => `${rule.protocol} ${rulePlace(rule)}`,
      group: rulePlace,
      same: () => true,
    }),
    newType: k.RTM_NEWRULE,
    deleteType: k.RTM_DELRULE,
    groups: [k.RTNLGRP_IPV4_RULE, k.RTNLGRP_IPV6_RULE],
    decode: decodeRule,
    list: (connection) => listRules(connection),
    unclear: () => true,
    emit,
  };
}

/** Grouped by the index of the link. */
export function neighborSubject(emit: Emit<Neighbor>): Subject<Neighbor, string, number> {
  return {
    table: new Table({
      key: ({ index, address }) => `${index} ${bytesKey(address)}`,
      group: ({ index }) => index,
      same: (a, b) => a.state === b.state && a.flags === b.flags && equalBytes(a.mac, b.mac),
    }),
    newType: k.RTM_NEWNEIGH,
    deleteType: k.RTM_DELNEIGH,
    groups: [k.RTNLGRP_NEIGH],
    decode: decodeNeighbor,
    list: (connection) => listNeighbors(connection),
    emit,
  };
}
