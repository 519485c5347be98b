/** What a virtual server is reached by: an address and port, a mark, or all that a group stands for. */
import type { Protocol, ServiceAddress } from "../lvs/parameters.ts";
import { compareAddresses, type Family, isLinkLocal, parseAddress } from "../wire/address.ts";
import { familyOfText, unusable } from "./addresses.ts";
import { mostInRange } from "./lvs-kinds.ts";
import type { GroupEntryValues, VirtualServerValues } from "./lvs-schema.ts";
import type { Path } from "./problem.ts";
import type { Loose } from "./read.ts";
import type { Report } from "./report.ts";
import { nearest } from "./suggest.ts";

export interface LocatedService {
  readonly service: ServiceAddress;
  /** Where it is written. */
  readonly at: Path;
}

type LooseServer = Pick<Loose<VirtualServerValues>, "address" | "port" | "protocol" | "fwmark" | "ip_family" | "group">;
type LooseEntry = Loose<GroupEntryValues>;
export type GroupValues = Readonly<Record<string, readonly (LooseEntry | undefined)[] | undefined>>;

export interface ServiceRules {
  readonly groups: GroupValues;
  /** All that are written, those with mistakes included. */
  readonly groupNames: ReadonlySet<string>;
  /** Of a mark without ip_family. */
  readonly family: Family;
}

/** In canonical order; undefined when it cannot be told for a mistake that the report has. */
export function resolveServices(
  values: LooseServer,
  rules: ServiceRules,
  path: Path,
  report: Report,
): LocatedService[] | undefined {
  const { protocol = "tcp" } = values;
  const given = (["address", "fwmark", "group"] as const).filter((key) => report.isGiven([...path, key]));
  const [kind, second] = given;
  if (kind === undefined) {
    report.error(path, "address is missing: write address with port, fwmark, or group");
    return undefined;
  }
  if (second !== undefined) {
    report.error([...path, second], `${kind} is given too: keep one of them`);
    return undefined;
  }
  checkKeys(kind, path, report);
  if (kind === "group") return resolveGroup(values.group, protocol, rules, path, report);
  const entry = {
    ...values,
    address: values.address === undefined ? undefined : [values.address],
    port: values.port === undefined ? undefined : [[values.port]],
  };
  return resolveEntry(entry, protocol, rules, path, report);
}

/** What belongs to another kind of service. */
function checkKeys(kind: "address" | "fwmark" | "group", path: Path, report: Report): void {
  const strange = { address: ["ip_family"], fwmark: ["port", "protocol"], group: ["port", "ip_family"] } as const;
  for (const key of strange[kind]) {
    if (!report.isGiven([...path, key])) continue;
    const why = {
      address: "the family follows from the address",
      fwmark: "the firewall rule that sets the mark decides it",
      group: "write it in the entries of the group",
    }[kind];
    report.error([...path, key], `does not go with ${kind}: ${why}`);
  }
}

/** `path`: of the virtual server that names it. */
export function resolveGroup(
  name: string | undefined,
  protocol: Protocol,
  rules: ServiceRules,
  path: Path,
  report: Report,
): LocatedService[] | undefined {
  if (name === undefined) return undefined;
  const entries = Object.hasOwn(rules.groups, name) ? rules.groups[name] : undefined;
  if (entries === undefined) {
    // One with mistakes has its messages.
    if (rules.groupNames.has(name)) return undefined;
    const near = nearest(name, [...rules.groupNames]);
    const advice = near === undefined ? "define it there" : `did you mean ${near}?`;
    report.error([...path, "group"], `there is no virtual_server_group named ${name}: ${advice}`);
    return undefined;
  }
  const at: Path = ["virtual_server_group", name];
  if (entries.length === 0) report.error(at, "names nothing: list addresses with ports, or marks");
  const services: LocatedService[] = [];
  let complete = entries.length > 0;
  for (const [i, entry] of entries.entries()) {
    const found = entry && resolveEntry(entry, protocol, rules, [...at, i], report);
    if (found === undefined) complete = false;
    else services.push(...found);
    if (services.length > mostInRange) {
      const advice = "mark the packets with a firewall rule and use fwmark";
      report.error(at, `stands for more than ${mostInRange} services, addresses times ports: ${advice}`);
      return undefined;
    }
  }
  if (!complete) return undefined;
  const families = new Set(services.map(({ service }) => service.family));
  if (families.size > 1) {
    report.error(at, "has IPv4 and IPv6: write a group, and a virtual_server, for each");
    return undefined;
  }
  return services.toSorted((a, b) => compareServices(a.service, b.service));
}

interface EntryValues {
  readonly address?: readonly (string | undefined)[] | undefined;
  readonly port?: readonly (readonly (number | undefined)[] | undefined)[] | undefined;
  readonly fwmark?: number | undefined;
  readonly ip_family?: "inet" | "inet6" | undefined;
}

function resolveEntry(
  values: EntryValues,
  protocol: Protocol,
  { family: usual }: ServiceRules,
  path: Path,
  report: Report,
): LocatedService[] | undefined {
  const byMark = report.isGiven([...path, "fwmark"]);
  // What is there was written, be it as text.
  const byAddress = values.address !== undefined || report.isGiven([...path, "address"]);
  if (byMark && byAddress) {
    report.error([...path, "fwmark"], "address is given too: keep one of them");
    return undefined;
  }
  if (byMark) {
    const { fwmark: mark, ip_family: family } = values;
    if (mark === undefined) return undefined;
    const service = { kind: "mark", family: family === undefined ? usual : family === "inet6" ? 6 : 4, mark } as const;
    return [{ service, at: [...path, "fwmark"] }];
  }
  if (!byAddress) {
    report.error(path, "address is missing: write address with port, or fwmark");
    return undefined;
  }
  const at = [...path, "address"];
  const addresses = values.address?.flatMap((address) => address ?? []);
  const usable = addresses?.every((address) => checkServiceAddress(address, at, report));
  if (values.port === undefined && !report.isGiven([...path, "port"])) {
    const advice = "write the port of the service; 0 stands for all ports, with persistence_timeout";
    report.error(path, `port is missing: ${advice}`);
    return undefined;
  }
  const ports = values.port?.flatMap((range) => range?.map((port) => port ?? Number.NaN) ?? Number.NaN);
  if (addresses === undefined || ports === undefined || ports.some(Number.isNaN) || !usable) return undefined;
  if (addresses.length * ports.length > mostInRange) {
    const advice = "mark the packets with a firewall rule and use fwmark";
    report.error(at, `stands for ${addresses.length * ports.length} services, ${mostInRange} are the most: ${advice}`);
    return undefined;
  }
  return addresses.flatMap((address) =>
    ports.map((port): LocatedService => {
      return { service: { kind: "address", family: familyOfText(address), protocol, address, port }, at };
    }),
  );
}

function checkServiceAddress(address: string, at: Path, report: Report): boolean {
  const bytes = parseAddress(address);
  if (bytes === undefined) return false;
  const reason = isLinkLocal(bytes) ? "link-local, and a service has no interface" : unusable(bytes);
  if (reason === undefined) return true;
  if (reason === "a loopback address") {
    report.warn(at, `${address} is a loopback address: only programs on this host reach it`);
    return true;
  }
  report.error(at, `${address} is ${reason}: no service can have it`);
  return false;
}

function compareServices(a: ServiceAddress, b: ServiceAddress): number {
  if (a.kind === "mark" && b.kind === "mark") return a.family - b.family || a.mark - b.mark;
  if (a.kind === "mark" || b.kind === "mark") return a.kind === "mark" ? 1 : -1;
  return (
    a.family - b.family || compareTexts(a.address, b.address) || a.port - b.port || a.protocol.localeCompare(b.protocol)
  );
}

/** Of checked addresses of one family. */
export function compareTexts(a: string, b: string): number {
  const [left, right] = [parseAddress(a), parseAddress(b)];
  return left === undefined || right === undefined ? 0 : compareAddresses(left, right);
}

/** "tcp 192.0.2.10:443", "fwmark 7 inet": the same for what the kernel takes for the same service. */
export function serviceText(service: ServiceAddress): string {
  if (service.kind === "mark") return `fwmark ${service.mark} ${service.family === 4 ? "inet" : "inet6"}`;
  return `${service.protocol} ${endpointText(service.address, service.port)}`;
}

export function endpointText(address: string, port: number | undefined): string {
  if (port === undefined) return address;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
