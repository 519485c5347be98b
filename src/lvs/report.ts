/** The status of the table, from what is remembered, wanted and was read last. Pure but for reading the mirror. */
import type { CheckVerdict } from "./assess.ts";
import { hints } from "./hints.ts";
import type { Leaving, ServerMemory } from "./memory.ts";
import { destinationText, type Mirror, type MirroredDestination, portIn, serverKey } from "./mirror.ts";
import type { AdminEntry, RealServerParameters, VirtualServerParameters } from "./parameters.ts";
import { forwardingText } from "./service-settings.ts";
import {
  type AdminStatus,
  type RealServerStatus,
  type ServiceStatus,
  trafficStatus,
  type VirtualServerStatus,
} from "./status.ts";
import type { Traffic } from "./table.ts";
import { serviceText } from "./text.ts";
import type { Unit } from "./unit.ts";
import { concerns } from "./weight.ts";

export interface Told {
  readonly mirror: Mirror;
  verdict(check: string): CheckVerdict | undefined;
  readonly admin: readonly AdminEntry[];
  readonly wall: number;
  suspended(instance: string | undefined): boolean;
  /** Milliseconds since 1970 as ISO 8601. */
  iso(wall: number): string;
}

export function reportUnit({ parameters, memory, decision }: Unit, told: Told): VirtualServerStatus {
  const { name, scheduler, sorryServer, hysteresis } = parameters;
  const services = parameters.services.map((service): ServiceStatus => {
    const known = told.mirror.get(service);
    return {
      address: serviceText(service),
      present: known?.settings !== undefined,
      traffic: trafficStatus(known?.traffic ?? noTraffic),
    };
  });
  const weights = new Map(decision?.placements.map(({ key, weight }) => [key, weight]));
  const context = { told, parameters, weights };
  return {
    name,
    services,
    scheduler: scheduler.name,
    state: memory?.state ?? "down",
    reason: memory?.reason ?? "the table has not been read yet",
    since: told.iso(memory?.since ?? told.wall),
    quorum: { required: decision?.required ?? parameters.quorum, hysteresis, weight_up: decision?.weightUp ?? 0 },
    sorry_server:
      sorryServer === undefined ? null : { name: sorryServer.name, standing_in: memory?.standingIn ?? false },
    panic: memory?.panic ?? false,
    suspended: told.suspended(parameters.suspendUnless),
    servers: [
      ...parameters.servers.map((server) => reportServer(server, memory?.servers.get(serverKey(server)), context)),
      ...[...(memory?.leaving ?? [])].map(([key, leaving]) => reportLeaving(key, leaving, context)),
    ],
    foreign: decision?.foreign ?? [],
  };
}

interface Context {
  readonly told: Told;
  readonly parameters: VirtualServerParameters;
  readonly weights: ReadonlyMap<string, number | null>;
}

function reportServer(
  server: RealServerParameters,
  memory: ServerMemory | undefined,
  context: Context,
): RealServerStatus {
  const { told, parameters } = context;
  return {
    name: server.name,
    state: memory?.state ?? "unknown",
    reason: memory?.reason ?? "no result yet",
    since: told.iso(memory?.since ?? told.wall),
    method: forwardingText(server.forwarding),
    configured_weight: server.weight,
    ...inTable(serverKey(server), server, context),
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

function reportLeaving(key: string, { settings, since, reason, memory }: Leaving, context: Context): RealServerStatus {
  const { told } = context;
  const changes = [...(memory?.changes ?? []), { at: since, state: "leaving" as const, reason }];
  return {
    name: key,
    state: "leaving",
    reason,
    since: told.iso(since),
    method: forwardingText(settings.forwarding),
    configured_weight: 0,
    ...inTable(key, settings, context),
    checks: [],
    admin: [],
    changes: changes.map((change) => ({ ...change, at: told.iso(change.at) })),
  };
}

type Place = Pick<RealServerParameters, "family" | "address" | "port">;

function inTable(key: string, { family, address, port }: Place, { told, parameters, weights }: Context) {
  const found = parameters.services.flatMap((service) => {
    const text = destinationText({ family, address, port: portIn(service, port) });
    return told.mirror.get(service)?.destinations.get(text) ?? [];
  });
  const traffic = found.map((each) => each.traffic ?? noTraffic).reduce(added, noTraffic);
  return {
    desired_weight: weights.get(key) ?? null,
    kernel_weight: found.length === 0 ? null : Math.max(...found.map(({ settings }) => settings.weight)),
    active_connections: total(found, "active"),
    inactive_connections: total(found, "inactive"),
    persistent_connections: total(found, "persistent"),
    traffic: trafficStatus(traffic),
    hints: hints(found),
  };
}

function total(found: readonly MirroredDestination[], what: "active" | "inactive" | "persistent"): number {
  return found.reduce((sum, { last }) => sum + (last?.[what] ?? 0), 0);
}

const noTraffic: Traffic = {
  connections: 0,
  packetsIn: 0,
  packetsOut: 0,
  bytesIn: 0,
  bytesOut: 0,
  connectionsPerSecond: 0,
  packetsInPerSecond: 0,
  packetsOutPerSecond: 0,
  bytesInPerSecond: 0,
  bytesOutPerSecond: 0,
};

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
