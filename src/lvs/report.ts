/** The status of the table, from what is remembered, wanted and was read last. Pure but for reading the mirror. */
import { advicesOf, type CheckVerdict } from "./assess.ts";
import { hints, outOfPlace } from "./hints.ts";
import type { Instant, Leaving, ServerMemory, VirtualServerMemory } from "./memory.ts";
import { destinationText, type Mirror, type MirroredDestination, portIn, serverKey } from "./mirror.ts";
import type { AdminEntry, RealServerParameters, SorryServerParameters, VirtualServerParameters } from "./parameters.ts";
import { forwardingText } from "./service-settings.ts";
import {
  type AdminStatus,
  type RealServerStatus,
  type ServiceStatus,
  type SorryServerStatus,
  type TableStatus,
  trafficStatus,
  type VirtualServerStatus,
} from "./status.ts";
import { noTraffic, type Traffic } from "./table.ts";
import { serviceText } from "./text.ts";
import type { Unit } from "./unit.ts";
import { adviceTexts, concerns } from "./weight.ts";

export interface Told {
  readonly mirror: Mirror;
  verdict(check: string): CheckVerdict | undefined;
  readonly admin: readonly AdminEntry[];
  readonly wall: number;
  readonly instant: Instant;
  suspended(instance: string | undefined): boolean;
  /** Milliseconds since 1970 as ISO 8601. */
  iso(wall: number): string;
  /** The services of the table, by name. */
  readonly listed: ReadonlyMap<string, unknown> | undefined;
  readonly drift: TableStatus["drift"];
  readonly errors: TableStatus["errors"];
  readonly trouble: TableStatus["trouble"];
}

export function reportTable(units: Iterable<Unit>, told: Told): TableStatus {
  const all = [...units];
  const ours = new Set(all.flatMap(({ parameters }) => parameters.services.map(serviceText)));
  return {
    virtual_servers: all
      .filter(({ parameters }) => parameters.probedBy === undefined)
      .map((unit) => reportUnit(unit, told)),
    unmanaged: [...(told.listed?.keys() ?? [])].filter((name) => !ours.has(name)),
    drift: told.drift,
    errors: told.errors,
    trouble: told.trouble,
  };
}

function reportUnit({ parameters, memory, decision }: Unit, told: Told): VirtualServerStatus {
  const { name, scheduler, sorryServer, hysteresis } = parameters;
  const services = parameters.services.map((service): ServiceStatus => {
    const known = told.mirror.get(service);
    return {
      address: serviceText(service),
      present: known?.settings !== undefined,
      traffic: trafficStatus(known?.traffic ?? noTraffic),
    };
  });
  const datagrams = parameters.services.every((service) => service.kind === "address" && service.protocol === "udp");
  const weights = new Map(
    decision?.placements.map(({ key, weight, datagramWeight }) => [key, datagrams ? datagramWeight : weight]),
  );
  const context = { told, parameters, weights, misplaced: misplacedIn(parameters, told.mirror) };
  return {
    name,
    services,
    scheduler: scheduler.name,
    ...stateOf(memory),
    since: told.iso(memory?.since ?? told.wall),
    quorum: { required: decision?.required ?? parameters.quorum, hysteresis, weight_up: decision?.weightUp ?? 0 },
    sorry_server: sorryServer === undefined ? null : reportSorry(sorryServer, memory, context),
    panic: memory?.panic ?? false,
    suspended: told.suspended(parameters.suspendUnless),
    servers: [
      ...parameters.servers.map((server) => reportServer(server, memory?.servers.get(serverKey(server)), context)),
      ...[...(memory?.leaving ?? [])].flatMap(([key, leaving]) => reportLeaving(key, leaving, context)),
    ],
    foreign: decision?.foreign ?? [],
  };
}

/** A standby whose checks are suspended, or one that has just started, is not down: nobody has asked its servers. */
function stateOf(memory: VirtualServerMemory | undefined): Pick<VirtualServerStatus, "state" | "reason"> {
  if (memory === undefined) return { state: "unknown", reason: "the table has not been read yet" };
  const { state, reason, quorum, standingIn } = memory;
  if (state === "down" && quorum === undefined && !standingIn)
    return { state: "unknown", reason: `${reason}: not all have a result yet` };
  return { state, reason };
}

interface Context {
  readonly told: Told;
  readonly parameters: VirtualServerParameters;
  readonly weights: ReadonlyMap<string, number | null>;
  /** Destinations of the first service: all have the same servers. */
  readonly misplaced: ReadonlySet<string>;
}

function misplacedIn({ scheduler, services, servers }: VirtualServerParameters, mirror: Mirror): ReadonlySet<string> {
  const [service] = services;
  if (service === undefined || (scheduler.name !== "mh" && scheduler.name !== "sh")) return new Set();
  const declared = servers.map((server) => destinationText({ ...server, port: portIn(service, server.port) }));
  return outOfPlace([...(mirror.get(service)?.destinations.keys() ?? [])], declared);
}

function reportServer(
  server: RealServerParameters,
  memory: ServerMemory | undefined,
  context: Context,
): RealServerStatus {
  const { told, parameters, misplaced } = context;
  const found = foundOf(server, context);
  const isMisplaced = ({ settings }: MirroredDestination) => misplaced.has(destinationText(settings));
  return {
    name: server.name,
    state: memory?.state ?? "unknown",
    reason: memory?.reason ?? "no result yet",
    since: told.iso(memory?.since ?? told.wall),
    method: forwardingText(server.forwarding),
    configured_weight: server.weight,
    ...inTable(serverKey(server), found, context),
    weight_reason: memory?.state === "up" ? weightReason(server, memory, context) : null,
    hints: [...hints(parameters, found), ...(found.some(isMisplaced) ? [misplacedText] : [])],
    checks: server.checks.map((name) => {
      const { up, reason } = told.verdict(name) ?? { up: null, reason: "no result yet" };
      return { name, up, reason };
    }),
    admin: told.admin
      .filter((entry) => concerns(entry, parameters.name, server) && (entry.until ?? told.wall + 1) > told.wall)
      .map((entry) => adminStatus(entry, told)),
    changes: (memory?.changes ?? []).map(({ at, state, reason }) => ({ at: told.iso(at), state, reason })),
  };
}

function weightReason(
  server: RealServerParameters,
  { slowSince }: ServerMemory,
  { told, parameters }: Context,
): string | null {
  const advices = advicesOf(server.checks, (check) => told.verdict(check));
  const left = slowSince === undefined ? 0 : slowSince + parameters.slowStart - told.instant;
  const reasons = [
    ...adviceTexts(server, parameters.name, { advices, admin: told.admin, wall: told.wall }),
    ...(left > 0 ? [`it came back and grows to its full weight for ${Math.ceil(left / 1000)} s more`] : []),
  ];
  return reasons.length === 0 ? null : reasons.join("; ");
}

function reportSorry(
  server: SorryServerParameters,
  memory: VirtualServerMemory | undefined,
  context: Context,
): SorryServerStatus {
  const found = foundOf(server, context);
  const { told } = context;
  const { sorryLeaves } = memory ?? {};
  const { kernel_weight, active_connections, inactive_connections } = inTable(serverKey(server), found, context);
  return {
    name: server.name,
    standing_in: memory?.standingIn ?? false,
    kernel_weight,
    active_connections,
    inactive_connections,
    // What has gone is remembered until the next decision, and is not told.
    until:
      sorryLeaves === undefined || memory?.standingIn === true || kernel_weight === null
        ? null
        : told.iso(told.wall + sorryLeaves.until - told.instant),
  };
}

const misplacedText =
  "is not at its place in the order of the file: a director that starts now has it there, and its hash may choose otherwise";

/** What has gone is remembered until the next look at the table, and is not told. */
function reportLeaving(key: string, { since, reason, memory }: Leaving, context: Context): readonly RealServerStatus[] {
  const { told, parameters } = context;
  const found = parameters.services.flatMap((service) => told.mirror.get(service)?.destinations.get(key) ?? []);
  const [first] = found;
  if (first === undefined) return [];
  const changes = [...(memory?.changes ?? []), { at: since, state: "leaving" as const, reason }];
  const status: RealServerStatus = {
    name: key,
    state: "leaving",
    reason,
    since: told.iso(since),
    method: forwardingText(first.settings.forwarding),
    configured_weight: 0,
    ...inTable(key, found, context),
    weight_reason: null,
    hints: [],
    checks: [],
    admin: [],
    changes: changes.map((change) => ({ ...change, at: told.iso(change.at) })),
  };
  return [status];
}

/** A declared server, in all services. */
function foundOf(
  { family, address, port }: Pick<RealServerParameters, "family" | "address" | "port">,
  { parameters, told }: Context,
): readonly MirroredDestination[] {
  return parameters.services.flatMap((service) => {
    const text = destinationText({ family, address, port: portIn(service, port) });
    return told.mirror.get(service)?.destinations.get(text) ?? [];
  });
}

function inTable(key: string, found: readonly MirroredDestination[], { weights }: Context) {
  const traffic = found.map((each) => each.traffic ?? noTraffic).reduce(added, noTraffic);
  return {
    desired_weight: weights.get(key) ?? null,
    kernel_weight: found.length === 0 ? null : Math.max(...found.map(({ settings }) => settings.weight)),
    active_connections: total(found, "active"),
    inactive_connections: total(found, "inactive"),
    persistent_connections: total(found, "persistent"),
    traffic: trafficStatus(traffic),
  };
}

function total(found: readonly MirroredDestination[], what: "active" | "inactive" | "persistent"): number {
  return found.reduce((sum, { last }) => sum + (last?.[what] ?? 0), 0);
}

function added(a: Traffic, b: Traffic): Traffic {
  return {
    connections: a.connections + b.connections,
    packetsIn: a.packetsIn + b.packetsIn,
    packetsOut: a.packetsOut + b.packetsOut,
    bytesIn: a.bytesIn + b.bytesIn,
    bytesOut: a.bytesOut + b.bytesOut,
    connectionsPerSecond: a.connectionsPerSecond + b.connectionsPerSecond,
    packetsInPerSecond: a.packetsInPerSecond + b.packetsInPerSecond,
    packetsOutPerSecond: a.packetsOutPerSecond + b.packetsOutPerSecond,
    bytesInPerSecond: a.bytesInPerSecond + b.bytesInPerSecond,
    bytesOutPerSecond: a.bytesOutPerSecond + b.bytesOutPerSecond,
  };
}

function adminStatus({ what, by, reason, since, until }: AdminEntry, { iso }: Told): AdminStatus {
  return {
    what: adminText(what),
    by,
    reason: reason ?? null,
    since: iso(since),
    until: until === undefined ? null : iso(until),
  };
}

function adminText(what: AdminEntry["what"]): string {
  switch (what.type) {
    case "drain":
    case "maintenance":
      return what.type;
    case "weight":
      return `weight ${what.weight}`;
    case "weight_percent":
      return `weight ${what.percent}%`;
  }
}
