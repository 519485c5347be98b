/** The load balancer in the status: as it tells itself, or as far as is known without it. Pure. */
import type { LvsParameters, RealServerParameters, VirtualServerParameters } from "../lvs/parameters.ts";
import {
  type LvsStatus,
  type RealServerStatus,
  type SorryServerStatus,
  type TrafficStatus,
  trafficStatus,
  type VirtualServerStatus,
} from "../lvs/status.ts";
import { noTraffic } from "../lvs/table.ts";
import { serviceText } from "../lvs/text.ts";
import type { ChecksQuestion } from "./messages.ts";

const nothing: TrafficStatus = trafficStatus(noTraffic);

/** `told` is why nobody tells anything, where that is so. */
export function tellLvs(
  parameters: LvsParameters,
  asked: ChecksQuestion["virtualServers"],
  told: LvsStatus | string | undefined,
  since: string,
): LvsStatus {
  if (typeof told === "object") return told;
  const why = told ?? "the checks process does not know it yet";
  return silentLvs(parameters, asked, `${why}; the table of the kernel stays as it is`, since);
}

/** What is told while the table cannot be reached. */
export function silentLvs(
  { virtualServers }: LvsParameters,
  asked: ChecksQuestion["virtualServers"],
  why: string,
  since: string,
): LvsStatus {
  const wanted = virtualServers.filter(
    ({ name }) => asked === "all" || (typeof asked === "object" && asked.name === name),
  );
  return {
    virtual_servers: wanted.map((each) => silentVirtualServer(each, why, since)),
    unmanaged: [],
    drift: { found: 0, repaired: 0, last: null },
    errors: {},
    trouble: why,
    kernel: null,
    digests: {},
    sync_daemons: [],
    timeouts_s: null,
    settings: [],
    findings: [],
    problems: [],
  };
}

function silentVirtualServer(parameters: VirtualServerParameters, reason: string, since: string): VirtualServerStatus {
  const { name, services, scheduler, quorum, hysteresis, sorryServer, servers } = parameters;
  return {
    name,
    services: services.map((service) => ({ address: serviceText(service), present: false, traffic: nothing })),
    scheduler: scheduler.name,
    state: "unknown",
    reason,
    since,
    quorum: { required: quorum, hysteresis, weight_up: 0 },
    sorry_server: sorryServer === undefined ? null : silentSorry(sorryServer.name),
    panic: false,
    suspended: false,
    servers: servers.map((server) => silentServer(server, reason, since)),
    foreign: [],
  };
}

function silentSorry(name: string): SorryServerStatus {
  return { name, standing_in: false, kernel_weight: null, active_connections: 0, inactive_connections: 0, until: null };
}

function silentServer(server: RealServerParameters, reason: string, since: string): RealServerStatus {
  return {
    name: server.name,
    state: "unknown",
    reason,
    since,
    method: server.forwarding.method,
    configured_weight: server.weight,
    desired_weight: null,
    kernel_weight: null,
    weight_reason: null,
    active_connections: 0,
    inactive_connections: 0,
    persistent_connections: 0,
    traffic: nothing,
    checks: server.checks.map((name) => ({ name, up: null, reason })),
    admin: [],
    changes: [],
    hints: [],
  };
}
