/** `type: route`: a route is there, and a gateway of it answers when asked for its link-layer address. */
import { Connection } from "../netlink/connection.ts";
import { NTF_USE, NUD_FAILED, NUD_INCOMPLETE, NUD_NONE, RTN_UNICAST } from "../netlink/constants.ts";
import { listLinks } from "../netlink/link.ts";
import { addNeighbor, listNeighbors, type Neighbor } from "../netlink/neighbor.ts";
import type { NextHop, Route } from "../netlink/route.ts";
import { listRoutes } from "../netlink/route-requests.ts";
import { equalAddresses, type Family, formatAddress, parseAddress } from "../wire/address.ts";
import { type CheckType, type Outcome, whyAborted } from "./check-type.ts";

export interface RouteParameters {
  readonly type: "route";
  readonly family: Family;
  /** All zeros with prefix length 0 for the default route. */
  readonly destination: string;
  readonly prefixLength: number;
  readonly table: number;
  /** The route must lead there. */
  readonly gateway?: string;
  readonly interface?: string;
  /** Whether a gateway must be reachable. */
  readonly reachable: boolean;
}

/** While the kernel asks for a gateway it is looked again after so many milliseconds, each time longer. */
const firstLook = 10;
const longestLook = 250;

export const route: CheckType<RouteParameters> = {
  async probe(parameters, signal): Promise<Outcome> {
    const connection = Connection.open();
    try {
      const { table, family } = parameters;
      const links = new Map((await listLinks(connection)).map(({ index, name }) => [index, name]));
      const found = findHops(parameters, await listRoutes(connection, { table, family }), (index) => links.get(index));
      if (typeof found === "string") return { ok: false, reason: found };
      const nameOf = ({ index }: NextHop) => links.get(index) ?? `interface ${index}`;
      if (!parameters.reachable) return { ok: true, reason: describeFound(parameters, found, nameOf) };
      return await reach(connection, parameters, found, nameOf, signal);
    } finally {
      connection.close();
    }
  },
};

/** The hops of the best matching route that lead where they must, or what is missing. */
export function findHops(
  parameters: RouteParameters,
  routes: readonly Route[],
  nameOf: (index: number) => string | undefined,
): readonly NextHop[] | string {
  const destination = parseAddress(parameters.destination);
  const gateway = parameters.gateway === undefined ? undefined : parseAddress(parameters.gateway);
  const matching = routes
    .filter(
      (entry) =>
        entry.type === RTN_UNICAST &&
        entry.prefixLength === parameters.prefixLength &&
        destination !== undefined &&
        equalAddresses(entry.destination, destination),
    )
    .toSorted((a, b) => a.metric - b.metric);
  const [best] = matching;
  if (best === undefined) return `there is no ${describe(parameters)}`;
  const hops = best.nextHops.filter(
    (hop) =>
      (gateway === undefined || (hop.gateway !== undefined && equalAddresses(hop.gateway, gateway))) &&
      (parameters.interface === undefined || nameOf(hop.index) === parameters.interface),
  );
  if (hops.length > 0) return hops;
  const wanted = [
    ...(parameters.gateway === undefined ? [] : [`via ${parameters.gateway}`]),
    ...(parameters.interface === undefined ? [] : [`through ${parameters.interface}`]),
  ];
  return `${describe(parameters)} does not lead ${wanted.join(" ")}`;
}

/** Whether the kernel knows that a neighbour is there; undefined while it does not know yet. */
export function isReachable(neighbor: Pick<Neighbor, "state"> | undefined): boolean | undefined {
  if (neighbor === undefined || neighbor.state === NUD_NONE || neighbor.state === NUD_INCOMPLETE) return undefined;
  // Stale is known from before: being asked to use it, the kernel finds out.
  return neighbor.state !== NUD_FAILED;
}

async function reach(
  connection: Connection,
  parameters: RouteParameters,
  hops: readonly NextHop[],
  nameOf: (hop: NextHop) => string,
  signal: AbortSignal,
): Promise<Outcome> {
  const what = describe(parameters);
  // A hop without gateway leads to the network itself.
  const asked = hops.filter((hop) => hop.gateway !== undefined);
  if (asked.length < hops.length) return { ok: true, reason: describeFound(parameters, hops, nameOf) };
  for (const { gateway, index } of asked) {
    if (gateway === undefined) continue;
    await addNeighbor(connection, { index, address: gateway, flags: NTF_USE, state: NUD_NONE }, { replace: true });
  }
  for (let pause = firstLook; ; pause = Math.min(pause * 2, longestLook)) {
    const neighbors = await listNeighbors(connection);
    const states = asked.map((hop) => ({ hop, reachable: isReachable(neighborOf(hop, neighbors)) }));
    const good = states.find(({ reachable }) => reachable === true);
    if (good !== undefined) return { ok: true, reason: describeFound(parameters, [good.hop], nameOf) };
    const names = asked.map((hop) => describeHop(hop, nameOf)).join(", ");
    if (states.every(({ reachable }) => reachable === false)) {
      return { ok: false, reason: `${what}: ${names} does not answer` };
    }
    if (!(await waited(pause, signal))) return { ok: false, reason: `${what}: ${names}: ${whyAborted(signal)}` };
  }
}

function neighborOf(hop: NextHop, neighbors: readonly Neighbor[]): Neighbor | undefined {
  const { gateway } = hop;
  return neighbors.find(
    ({ index, address }) => index === hop.index && gateway !== undefined && equalAddresses(address, gateway),
  );
}

/** False when there is no time left. */
function waited(pause: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const end = (more: boolean): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      resolve(more);
    };
    const onAbort = (): void => end(false);
    const timer = setTimeout(() => end(true), pause);
    signal.addEventListener("abort", onAbort);
  });
}

function describe({ family, destination, prefixLength, table }: RouteParameters): string {
  const what = prefixLength === 0 ? `IPv${family} default route` : `route ${destination}/${prefixLength}`;
  return table === 254 ? what : `${what} in table ${table}`;
}

function describeFound(
  parameters: RouteParameters,
  hops: readonly NextHop[],
  nameOf: (hop: NextHop) => string,
): string {
  return `${describe(parameters)} ${hops.map((hop) => describeHop(hop, nameOf)).join(", ")}`;
}

function describeHop(hop: NextHop, nameOf: (hop: NextHop) => string): string {
  const via = hop.gateway === undefined ? "" : `via ${formatAddress(hop.gateway)} `;
  return `${via}through ${nameOf(hop)}`;
}
