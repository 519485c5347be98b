/** The servers of a virtual server: ranges taken apart, defaults filled in, each checked against the services. */
import type { FailurePolicy, Forwarding, RealServerParameters, ServiceAddress } from "../lvs/parameters.ts";
import { isLinkLocal, parseAddress } from "../wire/address.ts";
import { familyOfText, unusable } from "./addresses.ts";
import { checkTunnel, type MethodValues, resolveForwarding } from "./lvs-forwarding.ts";
import type { VirtualServerValues } from "./lvs-schema.ts";
import type { RealServerValues, SorryServerValues } from "./lvs-server-schema.ts";
import { formatPlace, type Path } from "./problem.ts";
import type { Loose } from "./read.ts";
import type { Report } from "./report.ts";
import { type ChecksValue, type CheckUse, type ServerChecks, usesOf } from "./server-checks.ts";
import { compareTexts, endpointText } from "./service-addresses.ts";

export type LooseRealServer = Loose<RealServerValues>;
/** One that is written as text is a map with two keys. */
export type LooseVirtualServer = Omit<Loose<VirtualServerValues>, "real_server" | "sorry_server"> & {
  readonly real_server?: readonly (LooseRealServer | undefined)[] | undefined;
  readonly sorry_server?: Loose<SorryServerValues> | undefined;
};

export interface LocatedServer {
  readonly server: RealServerParameters;
  readonly at: Path;
}

export interface ServerRules {
  readonly virtualServer: string;
  readonly services: readonly ServiceAddress[];
  /** Of servers that name none. */
  readonly usualPort: number | undefined;
  readonly onFailure: FailurePolicy;
  readonly checks: ServerChecks;
}

/** In canonical order, by address and port. */
export function resolveServers(
  values: LooseVirtualServer,
  rules: ServerRules,
  path: Path,
  report: Report,
): LocatedServer[] {
  const usualChecks = usesOf(values.check as ChecksValue, [...path, "check"]);
  const first = new Map<string, Path>();
  const wanted: Wanted[] = [];
  for (const [i, entry] of (values.real_server ?? []).entries()) {
    if (entry === undefined) continue;
    const at = [...path, "real_server", i];
    const common = resolveEntry(entry, values, rules, at, report);
    const uses = entry.check === undefined ? usualChecks : usesOf(entry.check as ChecksValue, [...at, "check"]);
    // A port that could not be read has its message.
    if (entry.port === undefined && report.isGiven([...at, "port"])) continue;
    const port = entry.port ?? rules.usualPort;
    for (const address of entry.address ?? []) {
      if (address === undefined) continue;
      const name = serverName(address, port);
      const earlier = first.get(name);
      if (earlier === undefined) {
        first.set(name, at);
        wanted.push({ address, port, common, uses, at });
        continue;
      }
      const place = formatPlace(report.placeOf(earlier));
      report.error([...at, "address"], `${name} is a server of it already (${place}): remove one of the two`);
    }
  }
  // In this order from here on: names of checks depend on it.
  const sorted = wanted.toSorted((a, b) => compareTexts(a.address, b.address) || (a.port ?? 0) - (b.port ?? 0));
  return sorted.map((each) => {
    const server = resolveServer(each, rules);
    checkServer(server, rules.services, each.at, report);
    return { server, at: each.at };
  });
}

interface Wanted {
  readonly address: string;
  readonly port: number | undefined;
  readonly common: Common;
  readonly uses: readonly CheckUse[];
  readonly at: Path;
}

export function serverName(address: string, port: number | undefined): string {
  return endpointText(address, port === 0 ? undefined : port);
}

/** 0 for marks; undefined when services have different ones. */
export function commonPort(services: readonly ServiceAddress[]): number | undefined {
  const ports = new Set(services.map((service) => (service.kind === "mark" ? 0 : service.port)));
  const [port] = ports;
  return ports.size === 1 ? port : undefined;
}

type Common = Pick<
  RealServerParameters,
  "forwarding" | "weight" | "upperThreshold" | "lowerThreshold" | "onFailure" | "alpha"
>;

function resolveEntry(
  entry: LooseRealServer,
  usual: LooseVirtualServer,
  { onFailure }: ServerRules,
  at: Path,
  report: Report,
): Common {
  checkTunnel(entry.tunnel, [...at, "tunnel"], report);
  const { uthreshold: upper = 0, lthreshold: lower = 0 } = entry;
  if (lower > upper) {
    const limit =
      upper === 0
        ? "has no effect without uthreshold: write that, too"
        : `expected at most uthreshold, ${upper}, got ${lower}`;
    report.error([...at, "lthreshold"], limit);
  }
  return {
    forwarding: resolveForwarding(entry as MethodValues, usual as MethodValues, at, report),
    weight: entry.weight ?? usual.weight ?? 1,
    upperThreshold: upper,
    lowerThreshold: lower,
    onFailure: resolvePolicy(entry, at, report) ?? onFailure,
    alpha: entry.alpha ?? usual.alpha ?? true,
  };
}

function resolveServer(
  { address, port, common, uses }: Wanted,
  { virtualServer, services, checks }: ServerRules,
): RealServerParameters {
  const { method } = common.forwarding;
  const target = { virtualServer, address, port: port === 0 ? undefined : port, method, services };
  return {
    name: serverName(address, port),
    family: familyOfText(address),
    address,
    ...(port === undefined ? {} : { port }),
    forwarding: common.forwarding,
    weight: common.weight,
    upperThreshold: common.upperThreshold,
    lowerThreshold: common.lowerThreshold,
    checks: checks.of(uses, target),
    onFailure: common.onFailure,
    alpha: common.alpha,
  };
}

/** `on_failure`, or keepalived's word for one of its values; undefined when neither is given. */
export function resolvePolicy(
  { inhibit_on_failure: inhibit, on_failure: given }: Pick<LooseRealServer, "inhibit_on_failure" | "on_failure">,
  path: Path,
  report: Report,
): FailurePolicy | undefined {
  if (inhibit !== undefined && given !== undefined) {
    report.error([...path, "inhibit_on_failure"], "on_failure is given too: keep one of them");
  }
  if (given === "quiesce" || given === "remove") return { action: given };
  const after = given?.quiesce_then_remove;
  if (after !== undefined) return { action: "quiesce_then_remove", after };
  return inhibit === true ? { action: "quiesce" } : undefined;
}

interface Destination {
  readonly address: string;
  readonly port?: number;
  readonly family: 4 | 6;
  readonly forwarding: Forwarding;
}

/** What the kernel refuses, and what it takes although no packet would arrive. Of a sorry server, too. */
export function checkServer(server: Destination, services: readonly ServiceAddress[], at: Path, report: Report): void {
  const { address, family, forwarding } = server;
  const where: Path = [...at, "address"];
  const bytes = parseAddress(address);
  const reason =
    bytes === undefined
      ? undefined
      : isLinkLocal(bytes)
        ? "link-local, which the kernel does not take"
        : unusable(bytes);
  if (reason === "a loopback address" || reason === "the loopback address") {
    if (forwarding.method !== "dr") {
      const advice = "write lvs_method: dr, and have the program here listen on the address and port of the service";
      report.error(
        where,
        `${address} is ${reason}, to which the kernel forwards nothing by ${forwarding.method}: ${advice}`,
      );
    }
  } else if (reason !== undefined) {
    report.error(where, `${address} is ${reason}: no server can have it`);
    return;
  }
  const [service] = services;
  if (service !== undefined && service.family !== family && forwarding.method !== "tun") {
    const message = `${address} is IPv${family} and the service is IPv${service.family}: the kernel does that with lvs_method: tun only`;
    report.error(where, message);
  }
  checkPort(server, services, at, report);
}

function checkPort(
  { address, port, forwarding }: Destination,
  services: readonly ServiceAddress[],
  at: Path,
  report: Report,
): void {
  if (port === undefined) return;
  const where: Path = [...at, "port"];
  for (const service of services) {
    const wanted = service.kind === "mark" ? 0 : service.port;
    if (service.kind === "address" && service.address === address && service.port === port) {
      report.error([...at, "address"], `${endpointText(address, port)} is the service itself: packets would go round`);
      return;
    }
    if (port === wanted) continue;
    if (service.kind === "mark" && forwarding.method === "nat") continue;
    if (service.kind === "mark") {
      report.error(
        where,
        `with lvs_method: ${forwarding.method} packets keep their port: remove it here, and write it in the check`,
      );
    } else if (wanted === 0 || port === 0) {
      const all =
        wanted === 0
          ? "the service has all ports (port: 0), and so have its servers"
          : "0 stands for all ports, and the service has one";
      report.error(where, `${all}: remove it here`);
    } else if (forwarding.method !== "nat") {
      const message = `expected ${wanted}, the port of the service, got ${port}: only lvs_method: nat changes it`;
      report.error(where, message);
    } else continue;
    return;
  }
}
