/** Virtual servers in the words of the file: every server by itself, with all that counts for it. */
import type { CheckParameters } from "../healthchecks/parameters.ts";
import type {
  FailurePolicy,
  Forwarding,
  LvsParameters,
  RealServerParameters,
  ServiceAddress,
  SorryServerParameters,
  VirtualServerParameters,
} from "../lvs/parameters.ts";
import type { Config } from "./config.ts";
import { formatDuration } from "./duration.ts";
import { describeCheck } from "./health-check.ts";
import type { VirtualServerNotify } from "./lvs-notify.ts";
import { describeCommand, describeWebhooks } from "./notify.ts";

type Described = Readonly<Record<string, unknown>>;

/** Checks that a virtual server brought stand where they are used. */
export function isDeclaredCheck({ name }: CheckParameters): boolean {
  return !name.includes(" ");
}

/** For `global`. */
export function describeLvsGlobal(lvs: LvsParameters | undefined): Described {
  if (lvs === undefined) return {};
  const { timeouts, syncDaemon, settings, settingsProfile: profile, reconcileInterval } = lvs;
  const written = present({
    tcp: timeouts.tcp === undefined ? undefined : formatDuration(timeouts.tcp),
    tcpfin: timeouts.tcpFin === undefined ? undefined : formatDuration(timeouts.tcpFin),
    udp: timeouts.udp === undefined ? undefined : formatDuration(timeouts.udp),
  });
  return {
    lvs_timeouts: Object.keys(written).length === 0 ? undefined : written,
    lvs_sync_daemon:
      syncDaemon &&
      present({
        interface: syncDaemon.interface,
        instance: syncDaemon.instance,
        syncid: syncDaemon.syncId,
        maxlen: syncDaemon.maximumLength,
        group: syncDaemon.group,
        port: syncDaemon.port,
        ttl: syncDaemon.ttl,
      }),
    lvs_reconcile_interval: formatDuration(reconcileInterval),
    lvs_sysctl: Object.keys(settings).length === 0 ? profile : present({ profile, ...settings }),
  };
}

/** The sections of the file. */
export function describeLvs(config: Pick<Config, "lvs" | "lvsNotify" | "checks">, mask: string | undefined): Described {
  const servers = config.lvs?.virtualServers ?? [];
  if (servers.length === 0) return {};
  const checks = new Map(config.checks.filter((check) => !isDeclaredCheck(check)).map((check) => [check.name, check]));
  const told = new Map(config.lvsNotify?.map((notify) => [notify.virtualServer, notify]));
  const groups = servers.filter(({ services }) => services.length > 1);
  return {
    virtual_server_group:
      groups.length === 0
        ? undefined
        : Object.fromEntries(groups.map(({ name, services }) => [name, services.map(describeService)])),
    virtual_server: Object.fromEntries(
      servers.map((server) => [server.name, describeVirtualServer(server, checks, told.get(server.name), mask)]),
    ),
  };
}

function describeService(service: ServiceAddress): Described {
  if (service.kind === "address") return { address: service.address, port: service.port };
  return { fwmark: service.mark, ip_family: service.family === 4 ? "inet" : "inet6" };
}

function describeVirtualServer(
  server: VirtualServerParameters,
  checks: ReadonlyMap<string, CheckParameters>,
  notify: VirtualServerNotify | undefined,
  mask: string | undefined,
): Described {
  const { name, services, scheduler, persistence, sorryServer, flapDamping } = server;
  const [service] = services;
  const hashing = scheduler.name === "mh" || scheduler.name === "sh";
  const told = new Map(notify?.servers.map((each) => [each.name, each]));
  return present({
    ...(service === undefined || services.length > 1 ? { group: name } : describeService(service)),
    protocol: services.flatMap((each) => (each.kind === "address" ? each.protocol : []))[0],
    lvs_sched: scheduler.name,
    ...(hashing
      ? { [`${scheduler.name}_fallback`]: scheduler.fallback, [`${scheduler.name}_port`]: scheduler.port }
      : { sched_flags: scheduler.flags }),
    persistence_timeout: persistence && formatDuration(persistence.timeout),
    persistence_granularity: persistence?.prefixLength,
    persistence_engine: persistence?.engine,
    ops: server.onePacket,
    real_server: server.servers.map((real) => {
      const commands = told.get(real.name);
      return present({
        ...describeRealServer(real, checks, mask),
        notify_up: commands?.up && describeCommand(commands.up),
        notify_down: commands?.down && describeCommand(commands.down),
      });
    }),
    sorry_server: sorryServer && describeSorryServer(sorryServer),
    quorum: server.quorum,
    hysteresis: server.hysteresis,
    quorum_up: notify?.quorumUp && describeCommand(notify.quorumUp),
    quorum_down: notify?.quorumDown && describeCommand(notify.quorumDown),
    notify_webhook:
      notify === undefined || notify.webhooks.length === 0 ? undefined : describeWebhooks(notify.webhooks, mask),
    omega: server.omega,
    panic_threshold: `${server.panicThreshold}%`,
    slow_start: formatDuration(server.slowStart),
    drain_timeout: formatDuration(server.drainTimeout),
    flap_damping: flapDamping && { changes: flapDamping.changes, within: formatDuration(flapDamping.within) },
    on_drift: server.onDrift,
    on_stop: server.onStop,
    ha_suspend: server.suspendUnless ?? false,
  });
}

function describeRealServer(
  server: RealServerParameters,
  checks: ReadonlyMap<string, CheckParameters>,
  mask: string | undefined,
): Described {
  return {
    address: server.address,
    port: server.port,
    weight: server.weight,
    ...describeForwarding(server.forwarding),
    uthreshold: server.upperThreshold,
    lthreshold: server.lowerThreshold,
    check: server.checks.map((name) => {
      const check = checks.get(name);
      return check === undefined ? name : describeInline(check, mask);
    }),
    alpha: server.alpha,
    on_failure: describePolicy(server.onFailure),
  };
}

/** The port of a URL that goes with its scheme is not in the URL; without one, the server's would count. */
function describeInline(check: CheckParameters, mask: string | undefined): Described {
  const described = describeCheck(check, mask);
  if (check.type !== "http") return described;
  const { port, protocol } = new URL(check.url);
  return { ...described, port: port === "" ? (protocol === "https:" ? 443 : 80) : Number(port) };
}

function describePolicy(policy: FailurePolicy): unknown {
  if (policy.action !== "quiesce_then_remove") return policy.action;
  return { quiesce_then_remove: formatDuration(policy.after) };
}

function describeForwarding(forwarding: Forwarding): Described {
  const { method } = forwarding;
  return method === "tun" ? { lvs_method: method, tunnel: forwarding.tunnel } : { lvs_method: method };
}

function describeSorryServer({ address, port, forwarding, inhibit }: SorryServerParameters): Described {
  return present({ address, port, ...describeForwarding(forwarding), inhibit });
}

function present(values: Described): Described {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
