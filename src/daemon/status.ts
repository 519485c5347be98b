/** The one status model: what the command line, the API, the metrics and the web page all read. */

import type { CheckStatus } from "../healthchecks/status.ts";
import type { LvsStatus, VirtualServerStatus } from "../lvs/status.ts";
import type { LatenessStatus } from "../socket/lateness.ts";
import { newCounters } from "../vrrp/counters.ts";
import type { GroupStatus } from "../vrrp/group-status.ts";
import type { InstanceParameters, VirtualAddress } from "../vrrp/parameters.ts";
import { routeText } from "../vrrp/route-entry.ts";
import type { StaticParameters } from "../vrrp/routing-parameters.ts";
import { ruleText } from "../vrrp/rule-entry.ts";
import type { InstanceStatus, InterfaceStatus, RoutingStatus, SettingStatus, StaticStatus } from "../vrrp/status.ts";
import type { Lateness } from "./messages.ts";
import type { NotifyStatus, NotifySubjectStatus } from "./notify-status.ts";
import type { ProcessStatus } from "./process-status.ts";
import type { VrrpReply } from "./vrrp-process.ts";

export interface StatusDocument {
  /** Of this shape. New fields may come without a new number. */
  readonly version: 1;
  readonly viprd: string;
  readonly router_id: string;
  readonly pid: number;
  /** ISO 8601, as all times here. */
  readonly started: string;
  readonly config: ConfigStatus;
  readonly processes: { readonly vrrp: ProcessStatus; readonly checks: ProcessStatus };
  readonly instances: readonly InstanceStatus[];
  /** Sync groups; none while the VRRP process does not run. */
  readonly groups: readonly GroupStatus[];
  readonly checks: readonly CheckReport[];
  /** How late runs of checks began since the checks process was started; null when it does not tell. */
  readonly checks_lateness: LatenessStatus | null;
  /** Of the load balancer, in file order; those that leave stand behind. */
  readonly virtual_servers: readonly VirtualServerStatus[];
  /** The load balancer as a whole; null without virtual servers. */
  readonly lvs: Omit<LvsStatus, "virtual_servers"> | null;
  /** What is held whatever the roles are. */
  readonly statics: StaticStatus;
  /** Who was told of transitions, and what came of it. */
  readonly notify: NotifyStatus;
  /** Packets that belong to no instance. */
  readonly interfaces: readonly InterfaceStatus[];
  /** Kernel settings of the host that viprd changed and will put back. */
  readonly settings: readonly SettingStatus[];
  /** Null while the VRRP process does not run. */
  readonly vrrp: { readonly dropped: number; readonly lateness: Lateness } | null;
}

export interface CheckReport extends CheckStatus {
  /** Names of the instances that track it, "group NAME" of sync groups, and "virtual server NAME" of whose servers are up by it. */
  readonly used_by: readonly string[];
}

export interface ConfigStatus {
  readonly file: string;
  /** When the configuration in force was read. */
  readonly loaded_at: string;
  /** The last reload; null when there was none. */
  readonly reload: ReloadStatus | null;
}

export interface ReloadStatus {
  readonly at: string;
  readonly ok: boolean;
  /** What changed, or why nothing did. */
  readonly message: string;
  readonly problems: readonly string[];
  /** Settings that were changed in the file and wait for a restart of the daemon. */
  readonly needs_restart: readonly string[];
}

export interface SupervisorStatus {
  readonly viprd: string;
  readonly routerId: string;
  readonly pid: number;
  readonly started: string;
  readonly config: ConfigStatus;
  readonly process: ProcessStatus;
  readonly checksProcess: ProcessStatus;
  readonly instances: readonly InstanceParameters[];
  readonly checks: readonly CheckReport[];
  readonly checksLateness: LatenessStatus | null;
  readonly lvs: LvsStatus | undefined;
  readonly statics?: StaticParameters;
  readonly notify: NotifyStatus;
}

/** Whom the question is about; without both, nobody in particular and so everything. */
export interface StatusScope {
  readonly instance?: string;
  readonly virtualServer?: string;
}

/** Whether the scope leaves out what is about none of its two. */
export function isAbout(scope: StatusScope): boolean {
  return scope.instance !== undefined || scope.virtualServer !== undefined;
}

/** Without a reply, every instance is told from the configuration, with the reason why nobody answers for it. */
export function assembleStatus(
  supervisor: SupervisorStatus,
  reply: VrrpReply | string,
  scope: StatusScope,
): StatusDocument {
  const { instance } = scope;
  const wanted = supervisor.instances.filter(({ name }) => !isAbout(scope) || name === instance);
  const told = new Map(typeof reply === "string" ? [] : reply.instances.map((status) => [status.name, status]));
  const why = typeof reply === "string" ? reply : "the vrrp process does not know it yet";
  return {
    version: 1,
    viprd: supervisor.viprd,
    router_id: supervisor.routerId,
    pid: supervisor.pid,
    started: supervisor.started,
    config: supervisor.config,
    processes: { vrrp: supervisor.process, checks: supervisor.checksProcess },
    // In the order of the file.
    instances: wanted.map(
      (parameters) => told.get(parameters.name) ?? silent(parameters, why, supervisor.process.since),
    ),
    groups: typeof reply === "string" ? [] : reply.groups,
    checks: supervisor.checks,
    checks_lateness: supervisor.checksLateness,
    ...balancing(supervisor.lvs),
    statics: typeof reply === "string" ? silentStatics(supervisor.statics) : reply.statics,
    notify: isAbout(scope) ? notifyOf(scope, supervisor.notify) : supervisor.notify,
    interfaces: typeof reply === "string" ? [] : reply.interfaces,
    settings: typeof reply === "string" ? [] : reply.settings,
    vrrp: typeof reply === "string" ? null : { dropped: reply.dropped, lateness: reply.lateness },
  };
}

function balancing(told: LvsStatus | undefined): Pick<StatusDocument, "virtual_servers" | "lvs"> {
  if (told === undefined) return { virtual_servers: [], lvs: null };
  const { virtual_servers, ...lvs } = told;
  return { virtual_servers, lvs };
}

function notifyOf(scope: StatusScope, notify: NotifyStatus): NotifyStatus {
  const subjects = notify.subjects.filter((subject) => isSubjectOf(scope, subject));
  return { ...notify, subjects };
}

function isSubjectOf({ instance, virtualServer }: StatusScope, { kind, name }: NotifySubjectStatus): boolean {
  switch (kind) {
    case "instance":
      return name === instance;
    case "virtual_server":
      return name === virtualServer;
    case "real_server":
      return virtualServer !== undefined && name.endsWith(` of ${virtualServer}`);
    case "group":
      return false;
  }
}

function silent(parameters: InstanceParameters, why: string, since: string): InstanceStatus {
  const { name, vrid, version, priority, preempt } = parameters;
  const address = (advertised: boolean) => (virtual: VirtualAddress) => ({
    address: `${virtual.address}/${virtual.prefixLength}`,
    device: virtual.device,
    advertised,
    present: false,
    lease_s: parameters.lease === undefined ? null : parameters.lease / 1000,
  });
  return {
    name,
    interface: parameters.interface,
    sync_group: null,
    vrid,
    version,
    families: parameters.families.map((family) => (family === 4 ? "ipv4" : "ipv6")),
    state: "initialize",
    reasons: [why],
    since,
    priority: { base: priority, effective: priority, parts: [] },
    tracking: [],
    advert_int_ms: parameters.advertisementInterval,
    preempt,
    active_router: null,
    addresses: [...parameters.virtualAddresses.map(address(true)), ...parameters.excludedAddresses.map(address(false))],
    virtual_macs: [],
    ...silentRouting(parameters),
    routers: [],
    counters: newCounters(),
    split_brains: [],
    duplicates: [],
    transitions: [],
  };
}

function silentRouting({ routes = [], rules = [] }: Partial<Pick<StaticParameters, "routes" | "rules">>) {
  const absent = (text: string): RoutingStatus => ({ text, present: false, foreign: false, error: null });
  return {
    routes: routes.map((route) => absent(routeText(route))),
    rules: rules.map((rule) => absent(ruleText(rule))),
  };
}

function silentStatics(statics: StaticParameters | undefined): StaticStatus {
  const addresses = (statics?.addresses ?? []).map(({ address, prefixLength, device }) => ({
    address: `${address}/${prefixLength}`,
    device,
    present: false,
    lease_s: statics?.lease === undefined ? null : statics.lease / 1000,
  }));
  return { addresses, ...silentRouting(statics ?? {}) };
}
