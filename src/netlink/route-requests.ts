/** Asks the kernel for routes, adds and deletes them. */

import type { Family } from "../wire/address.ts";
import { BodyWriter } from "./attributes.ts";
import type { Connection } from "./connection.ts";
import * as k from "./constants.ts";
import { NetlinkError } from "./error.ts";
import { familyFrom, familyNumber, formatPrefix } from "./family.ts";
import { decodeRoute, encodeDeleteRoute, encodeNewRoute, type NewRoute, type Route, RTMSG } from "./route.ts";

/** What the kernel leaves out of a dump if it can. */
export interface RouteFilter {
  readonly family?: Family;
  readonly protocol?: number;
  readonly table?: number;
}

/** A part of the routes that no one filter describes. */
export interface RouteSelection {
  /** What is to be listed, asked before each dump. */
  tables(): readonly RouteFilter[];
  /** Of what is listed or heard of. */
  wanted(route: Route): boolean;
  /** Whether a route can be wanted, by the shape of it: a host may have a million others, which are not decoded. */
  concerns(shape: RouteShape): boolean;
}

/** The part of a message that is read without decoding it. Used again for the next one. */
export interface RouteShape {
  family: Family | undefined;
  prefixLength: number;
  tos: number;
}

const shape: RouteShape = { family: undefined, prefixLength: 0, tos: 0 };

export function decodeConcerned(payload: Uint8Array, concerns: RouteSelection["concerns"]): Route | undefined {
  shape.family = familyFrom(payload[0] ?? 0);
  shape.prefixLength = payload[1] ?? 0;
  shape.tos = payload[3] ?? 0;
  return concerns(shape) ? decodeRoute(payload) : undefined;
}

export function selectAll(filter: RouteFilter): RouteSelection {
  return { tables: () => [filter], wanted: (route) => matchesFilter(route, filter), concerns: () => true };
}

export function matchesFilter(route: Route, filter: RouteFilter): boolean {
  const { family, protocol, table } = filter;
  return (
    (family === undefined || route.family === family) &&
    (protocol === undefined || route.protocol === protocol) &&
    (table === undefined || route.table === table)
  );
}

export function encodeListRoutes(filter: RouteFilter = {}): Uint8Array {
  const writer = new BodyWriter(RTMSG);
  writer.setU8(0, familyNumber(filter.family));
  writer.setU8(5, filter.protocol ?? 0);
  if (filter.table !== undefined) writer.u32(k.RTA_TABLE, filter.table);
  return writer.finish();
}

export async function listRoutes(
  connection: Connection,
  filter: RouteFilter = {},
  { wanted, concerns }: RouteSelection = selectAll(filter),
): Promise<Route[]> {
  const decode = (payload: Uint8Array): Route | undefined => {
    const route = decodeConcerned(payload, concerns);
    return route !== undefined && matchesFilter(route, filter) && wanted(route) ? route : undefined;
  };
  try {
    return await connection.dumpWith("list routes", k.RTM_GETROUTE, encodeListRoutes(filter), decode);
  } catch (error) {
    // A table exists from its first route on.
    if (filter.table !== undefined && error instanceof NetlinkError && error.code === "ENOENT") return [];
    throw error;
  }
}

export function describeRoute({ destination, prefixLength, table }: NewRoute): string {
  const what = prefixLength === 0 ? "default" : formatPrefix(destination, prefixLength);
  return table === undefined || table === k.RT_TABLE_MAIN ? `route ${what}` : `route ${what} in table ${table}`;
}

/** With `replace` the first route to the same prefix with the same metric gives way. */
export function addRoute(connection: Connection, route: NewRoute, { replace = false } = {}): Promise<void> {
  const flags = k.NLM_F_CREATE | (replace ? k.NLM_F_REPLACE : k.NLM_F_EXCL);
  return connection.request(() => `add ${describeRoute(route)}`, k.RTM_NEWROUTE, flags, encodeNewRoute(route));
}

export function deleteRoute(connection: Connection, route: NewRoute): Promise<void> {
  return connection.request(() => `delete ${describeRoute(route)}`, k.RTM_DELROUTE, 0, encodeDeleteRoute(route));
}
