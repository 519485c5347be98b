/**
 * Checks through the load balancer itself: the probe goes to the virtual address with a mark, and a service by that mark
 * that has one server only takes it there as it takes the packets of clients.
 */
import type { CheckParameters } from "../healthchecks/parameters.ts";
import type { RealServerParameters, ServiceAddress, VirtualServerParameters } from "../lvs/parameters.ts";
import { familyOfText } from "./addresses.ts";
import type { CheckTarget } from "./check-target.ts";
import type { Path } from "./problem.ts";
import type { Report } from "./report.ts";
import { endpointText } from "./service-addresses.ts";

/** "vi" in front of 16 bits; below 2^31. */
export const firstMark = 0x7669_0000;
const marks = 0x1_0000;

type Checked = Extract<CheckParameters, { readonly type: "tcp" | "http" }>;

/** A mark is made of what it stands for, so that a reload leaves it as it is. */
export class ProbeMarks {
  readonly #reserved: ReadonlySet<number>;
  readonly #owners = new Map<number, string>();

  /** Not those in the file. */
  constructor(reserved: ReadonlySet<number>) {
    this.#reserved = reserved;
  }

  /** Undefined when there are none left. */
  of(what: string): number | undefined {
    const start = hash(what) % marks;
    for (let i = 0; i < marks; i++) {
      const mark = firstMark + ((start + i) % marks);
      const owner = this.#owners.get(mark) ?? what;
      if (owner !== what || this.#reserved.has(mark)) continue;
      this.#owners.set(mark, what);
      return mark;
    }
    return undefined;
  }
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c_9dc5;
  for (const character of text) value = Math.imul(value ^ (character.codePointAt(0) ?? 0), 0x0100_0193) >>> 0;
  return value;
}

/** `values`: as the file has them. Undefined for a mistake, which the report has. */
export function throughVip(
  check: CheckParameters,
  values: Readonly<Record<string, unknown>>,
  target: CheckTarget & { readonly marks: ProbeMarks },
  at: Path,
  report: Report,
): CheckParameters | undefined {
  const [service] = target.services;
  // One that cannot be told has its message.
  if (service === undefined) return undefined;
  const complaint = complaintAbout(service, check) ?? complaintAboutTarget(service, values, target);
  if (complaint !== undefined || !isPossible(check) || service.kind !== "address") {
    report.error([...at, "via_vip"], complaint ?? "only checks of type tcp and http go through the virtual address");
    return undefined;
  }
  const mark = target.marks.of(
    `${endpointText(service.address, service.port)} ${endpointText(target.address, target.port)}`,
  );
  if (mark === undefined) {
    report.error([...at, "via_vip"], `at most ${marks} servers can be asked this way`);
    return undefined;
  }
  const { address: host, port } = service;
  const direct = target.method === "nat" ? {} : { direct: true as const };
  return { ...check, via: { host, port, mark, server: target.address, ...direct } };
}

function isPossible(check: CheckParameters): check is Checked {
  return check.type === "tcp" || check.type === "http";
}

function complaintAbout(service: ServiceAddress, check: CheckParameters): string | undefined {
  if (service.kind === "mark") return "the service is a fwmark, and has no address to connect to: remove it here";
  if (service.protocol !== "tcp") return `the service is ${service.protocol}, and only TCP is asked this way`;
  if (service.port === 0) return "the service has all ports (port: 0), and none to connect to: remove it here";
  if (check.type === "tcp" && (check.tls !== undefined || check.steps !== undefined)) {
    return "only a plain connection is asked this way: remove tls and steps, or write a second check that has them";
  }
  if (check.type !== "http") return undefined;
  if (check.url.startsWith("https:")) {
    return "https is not asked this way: write a check of type tcp for the way, and this one without via_vip";
  }
  if (check.version === "2") return "HTTP/2 is not asked this way: remove http_version";
  return check.redirects > 0 ? "redirections are not followed this way: remove max_redirects" : undefined;
}

/** What goes through a service arrives where the service leads. */
function complaintAboutTarget(
  service: ServiceAddress,
  { host, address, port, source }: Readonly<Record<string, unknown>>,
  target: CheckTarget,
): string | undefined {
  const server = endpointText(target.address, target.port);
  const elsewhere = [host, address].some((given) => given !== undefined && given !== target.address);
  if (elsewhere || (port !== undefined && port !== target.port)) {
    return `the service leads to ${server} and nowhere else: remove host, address and port`;
  }
  const { family } = service;
  if (familyOfText(target.address) !== family) {
    return `the service is IPv${family} and ${target.address} is not: the answer would have no way back to this host`;
  }
  if (typeof source === "string" && familyOfText(source) !== family) {
    return `source has to be an IPv${family} address, as that of the service is one`;
  }
  return undefined;
}

/** The services that such checks go through. */
export function probesOf(
  virtualServers: readonly VirtualServerParameters[],
  checks: readonly CheckParameters[],
): VirtualServerParameters[] {
  const through = new Map(
    checks.flatMap((check) => (isPossible(check) && check.via !== undefined ? [[check.name, check.via] as const] : [])),
  );
  if (through.size === 0) return [];
  const probes = new Map<number, VirtualServerParameters>();
  for (const { services, servers } of virtualServers) {
    for (const server of servers) {
      for (const name of server.checks) {
        const via = through.get(name);
        const own = services.some((s) => s.kind === "address" && s.address === via?.host && s.port === via.port);
        if (via === undefined || !own) continue;
        const { probedBy = [] } = probes.get(via.mark) ?? {};
        const text = `via ${endpointText(via.host, via.port)} to ${server.name}`;
        probes.set(via.mark, probeOf(text, via.mark, server, [...probedBy, name]));
      }
    }
  }
  return [...probes.values()];
}

function probeOf(
  name: string,
  mark: number,
  server: RealServerParameters,
  probedBy: readonly string[],
): VirtualServerParameters {
  const { family, address, forwarding, port = 0 } = server;
  return {
    name,
    services: [{ kind: "mark", family, mark }],
    scheduler: { name: "rr", fallback: false, port: false, flags: [] },
    onePacket: false,
    servers: [
      {
        name: server.name,
        family,
        address,
        // Packets keep theirs unless they are rewritten.
        port: forwarding.method === "nat" ? port : 0,
        forwarding,
        // Also while the server is down: otherwise it would never be seen to come up.
        weight: 1,
        upperThreshold: 0,
        lowerThreshold: 0,
        checks: [],
        onFailure: { action: "quiesce" },
        alpha: false,
      },
    ],
    quorum: 1,
    hysteresis: 0,
    omega: false,
    panicThreshold: 0,
    slowStart: 0,
    drainTimeout: 0,
    onDrift: "repair",
    onStop: "remove",
    probedBy,
  };
}
