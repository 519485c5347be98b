/** One virtual server: its services, how the kernel chooses, its servers and who stands in for them. */
import type {
  FailurePolicy,
  Persistence,
  SchedulerParameters,
  ServiceAddress,
  SorryServerParameters,
  VirtualServerParameters,
} from "../lvs/parameters.ts";
import { familyOfText } from "./addresses.ts";
import { checkTunnel, type MethodValues, resolveForwarding } from "./lvs-forwarding.ts";
import type { Path } from "./problem.ts";
import {
  checkServer,
  commonPort,
  type LocatedServer,
  type LooseVirtualServer,
  resolvePolicy,
  resolveServers,
  serverName,
} from "./real-servers.ts";
import type { Report } from "./report.ts";
import type { ServerChecks } from "./server-checks.ts";
import { type LocatedService, resolveServices, type ServiceRules } from "./service-addresses.ts";

export interface ResolvedVirtualServer {
  readonly parameters: VirtualServerParameters;
  readonly services: readonly LocatedService[];
  readonly servers: readonly LocatedServer[];
}

export interface VirtualServerRules extends Omit<ServiceRules, "family"> {
  readonly checks: ServerChecks;
  /** The instance named, or that has all these addresses; undefined when there is none, which the report says. */
  suspendUnless(services: readonly ServiceAddress[], given: boolean | string, at: Path): string | undefined;
}

const minute = 60_000;

/** Undefined when its services cannot be told for a mistake. */
export function resolveVirtualServer(
  name: string,
  values: LooseVirtualServer,
  rules: VirtualServerRules,
  path: Path,
  report: Report,
): ResolvedVirtualServer | undefined {
  const services = resolveServices(values, { ...rules, family: familyOfServers(values) }, path, report);
  const scheduler = resolveScheduler(values, path, report);
  checkTunnel(values.tunnel, [...path, "tunnel"], report);
  const given = resolvePolicy(values, path, report);
  const addresses = services?.map(({ service }) => service) ?? [];
  const persistence = resolvePersistence(values, addresses, path, report);
  const onFailure = given ?? usualPolicy(values, scheduler, persistence);
  // Mistakes in servers are told as well when the service is not known; then any port will do.
  const usualPort = services === undefined ? 1 : commonPort(addresses);
  const servers = resolveServers(
    values,
    { virtualServer: name, services: addresses, usualPort, onFailure, checks: rules.checks },
    path,
    report,
  );
  const sorryServer = resolveSorryServer(values, addresses, path, report);
  if (services === undefined) return undefined;
  const { ha_suspend: suspend = false, flap_damping: damping } = values;
  const instance = suspend === false ? undefined : rules.suspendUnless(addresses, suspend, [...path, "ha_suspend"]);
  const flapDamping =
    damping?.changes === undefined || damping.within === undefined
      ? undefined
      : { changes: damping.changes, within: damping.within };
  const parameters: VirtualServerParameters = {
    name,
    services: addresses,
    scheduler,
    ...(persistence === undefined ? {} : { persistence }),
    onePacket: values.ops ?? false,
    servers: servers.map(({ server }) => server),
    ...(sorryServer === undefined ? {} : { sorryServer }),
    quorum: values.quorum ?? 1,
    hysteresis: values.hysteresis ?? 0,
    omega: values.omega ?? false,
    panicThreshold: values.panic_threshold ?? 0,
    slowStart: values.slow_start ?? 0,
    drainTimeout: values.drain_timeout ?? 5 * minute,
    onDrift: values.on_drift ?? "repair",
    onStop: values.on_stop ?? "keep",
    ...(instance === undefined ? {} : { suspendUnless: instance }),
    ...(flapDamping === undefined ? {} : { flapDamping }),
  };
  return { parameters, services, servers };
}

/** Of a mark, which says nothing of a family itself. */
function familyOfServers({ real_server: servers = [] }: LooseVirtualServer): 4 | 6 {
  const families = servers.flatMap((entry) => entry?.address?.map((text) => familyOfText(text ?? "")) ?? []);
  return families.length > 0 && families.every((family) => family === 6) ? 6 : 4;
}

function resolveScheduler(values: LooseVirtualServer, path: Path, report: Report): SchedulerParameters {
  const { lvs_sched: name = "wlc" } = values;
  for (const own of ["mh", "sh"] as const) {
    if (name === own) continue;
    for (const key of [`${own}_fallback`, `${own}_port`] as const) {
      if (values[key] !== undefined) report.error([...path, key], `has no effect with lvs_sched: ${name}: remove it`);
    }
  }
  const hashing = name === "mh" || name === "sh";
  if (hashing && (values.sched_flags ?? []).length > 0) {
    report.error([...path, "sched_flags"], `write ${name}_fallback and ${name}_port: these are the flags of ${name}`);
  }
  const flags = [...new Set(values.sched_flags ?? [])].filter((flag) => flag === 1 || flag === 2 || flag === 3);
  return {
    name,
    fallback: hashing && (values[`${name}_fallback`] ?? true),
    port: hashing && (values[`${name}_port`] ?? false),
    flags: hashing ? [] : flags.toSorted(),
  };
}

function resolvePersistence(
  values: LooseVirtualServer,
  [service]: readonly ServiceAddress[],
  path: Path,
  report: Report,
): Persistence | undefined {
  const { persistence_timeout: timeout, persistence_granularity: granularity, persistence_engine: engine } = values;
  if (timeout === undefined) {
    for (const key of ["persistence_granularity", "persistence_engine"] as const) {
      // A timeout that could not be read has its message.
      if (values[key] === undefined || report.isGiven([...path, "persistence_timeout"])) continue;
      report.error([...path, key], "has no effect without persistence_timeout: write that, too");
    }
    return undefined;
  }
  // Of a service that is not known nothing is said.
  const family = service?.family ?? granularity?.family ?? 6;
  const [least, most] = family === 4 ? [0, 32] : [service === undefined ? 0 : 1, 128];
  const prefixLength = granularity?.prefixLength ?? most;
  const at: Path = [...path, "persistence_granularity"];
  if (granularity?.family !== undefined && granularity.family !== family) {
    report.error(
      at,
      `is an IPv${granularity.family} mask, and the service is IPv${family}: write a prefix length from ${least} to ${most}`,
    );
  } else if (prefixLength < least || prefixLength > most) {
    report.error(at, `expected ${least} to ${most} for an IPv${family} service, got ${prefixLength}`);
  }
  if (engine === "sip" && service?.kind === "address" && service.protocol !== "udp") {
    report.error([...path, "persistence_engine"], "sip reads UDP packets: write protocol: udp");
  }
  return { timeout, prefixLength, ...(engine === undefined ? {} : { engine }) };
}

/**
 * A server that fails hard must not keep clients, so it is taken out. UDP flows would otherwise stay with it as long as
 * they send, known clients of a persistent service would come back to it, and clients whose server a hash has chosen
 * would be refused. Where the hash looks further, weight 0 moves nobody else, which taking out does.
 */
function usualPolicy(
  { protocol = "tcp", ops = false }: LooseVirtualServer,
  { name, fallback }: SchedulerParameters,
  persistence: Persistence | undefined,
): FailurePolicy {
  const sticks = persistence !== undefined || (protocol === "udp" && !ops);
  if (sticks || !fallback) return { action: "remove" };
  return name === "mh" ? { action: "quiesce_then_remove", after: 10 * minute } : { action: "quiesce" };
}

function resolveSorryServer(
  values: LooseVirtualServer,
  services: readonly ServiceAddress[],
  path: Path,
  report: Report,
): SorryServerParameters | undefined {
  const { sorry_server: sorry } = values;
  if (sorry?.address === undefined) return undefined;
  const at: Path = [...path, "sorry_server"];
  checkTunnel(sorry.tunnel, [...at, "tunnel"], report);
  const port = sorry.port ?? commonPort(services);
  const { address } = sorry;
  const server: SorryServerParameters = {
    name: serverName(address, port),
    family: familyOfText(address),
    address,
    ...(port === undefined ? {} : { port }),
    forwarding: resolveForwarding(sorry as MethodValues, values as MethodValues, at, report),
    inhibit: sorry.inhibit ?? false,
  };
  checkServer(server, services, at, report);
  return server;
}
