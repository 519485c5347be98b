/**
 * What kernel settings should be for what is configured, and what breaks otherwise: the table behind the warnings at
 * start and behind `lvs_sysctl: recommended`.
 */
import type { LvsParameters, VirtualServerParameters } from "./parameters.ts";
import type { LvsFindingStatus } from "./status.ts";

export interface HostFacts {
  /** Of the kernel: "6.1.0-56-cloud-amd64". */
  readonly release: string;
  /** By name with dots; what is not there is missing. */
  readonly settings: ReadonlyMap<string, string>;
  readonly modules: ReadonlyMap<string, ModuleState>;
  /** 2^n buckets of the connection table, chosen when ip_vs was loaded. */
  readonly connTabBits: number | undefined;
  /** This host's own addresses, in canonical form. */
  readonly addresses: ReadonlySet<string>;
  /** The larger one of rp_filter for all and of the interface, by interface, without lo. */
  readonly reversePath: ReadonlyMap<string, number>;
  /** Some interface takes packets from addresses of this host. */
  readonly acceptsLocal: boolean;
}

/** "loadable": the kernel loads it when it is asked for. */
export type ModuleState = "loaded" | "loadable" | "missing" | "unknown";

export interface Requirement {
  readonly name: string;
  readonly level: LvsFindingStatus["level"];
  readonly good: (value: string) => boolean;
  /** The best one. */
  readonly value: string;
  /** Reads after "NAME is VALUE: ". */
  readonly breaks: string;
  /** Among what `lvs_sysctl: recommended` sets: nothing that reaches beyond the balancer without need. */
  readonly recommended: boolean;
}

const vs = (name: string) => `net.ipv4.vs.${name}`;
const is =
  (...values: readonly string[]) =>
  (value: string): boolean =>
    values.includes(value);

/** What requirements look at. */
export const settingNames: readonly string[] = [
  "net.ipv4.ip_forward",
  "net.ipv6.conf.all.forwarding",
  "net.ipv4.neigh.default.gc_thresh3",
  "net.ipv6.neigh.default.gc_thresh3",
  ...[
    "backup_only",
    "conn_reuse_mode",
    "conntrack",
    "drop_entry",
    "drop_packet",
    "expire_nodest_conn",
    "expire_quiescent_template",
    "run_estimation",
    "schedule_icmp",
    "secure_tcp",
    "sloppy_tcp",
    "sync_persist_mode",
    "sync_version",
  ].map(vs),
];

export function requirements(parameters: LvsParameters, facts: HostFacts): readonly Requirement[] {
  return [
    ...forwarding(parameters),
    ...removal(parameters),
    ...reuse(parameters, facts),
    ...syncing(parameters, facts),
    ...shared(parameters, facts),
    ...defence,
    ...neighbours(parameters),
  ];
}

function forwarding({ virtualServers }: LvsParameters): Requirement[] {
  const by = (family: 4 | 6) =>
    virtualServers.filter(({ servers }) => servers.some((s) => s.family === family && s.forwarding.method === "nat"));
  const [four, six] = [by(4), by(6)];
  const breaks = (which: readonly VirtualServerParameters[]) =>
    `this host does not pass on what servers behind NAT answer, and clients of ${names(which)} hear nothing`;
  const needed: Requirement[] = [];
  if (four.length > 0) {
    const name = "net.ipv4.ip_forward";
    needed.push({ name, level: "warning", good: is("1"), value: "1", breaks: breaks(four), recommended: true });
  }
  if (six.length > 0) {
    const name = "net.ipv6.conf.all.forwarding";
    const more =
      "; an interface that takes its own addresses and routes from router advertisements needs accept_ra=2 then";
    const text = breaks(six) + more;
    needed.push({ name, level: "warning", good: is("1", "2"), value: "1", breaks: text, recommended: false });
  }
  return needed;
}

function removal({ virtualServers }: LvsParameters): Requirement[] {
  const needed: Requirement[] = [];
  const udp = virtualServers.filter(({ services }) =>
    services.some((service) => service.kind === "address" && service.protocol === "udp"),
  );
  const removing = virtualServers.filter(
    (server) => !udp.includes(server) && server.servers.some(({ onFailure }) => onFailure.action !== "quiesce"),
  );
  if (udp.length + removing.length > 0) {
    const vanish = `packets of clients whose server was taken out vanish until their entries have timed out (${names(udp)})`;
    const hang = `connections to a server that was taken out hang until they time out, instead of being reset (${names(removing)})`;
    needed.push({
      name: vs("expire_nodest_conn"),
      level: "warning",
      good: (value) => value !== "0",
      value: "1",
      breaks: [...(udp.length > 0 ? [vanish] : []), ...(removing.length > 0 ? [hang] : [])].join("; "),
      recommended: true,
    });
  }
  const persistent = virtualServers.filter(({ persistence }) => persistence !== undefined);
  if (persistent.length > 0) {
    needed.push({
      name: vs("expire_quiescent_template"),
      level: "warning",
      good: (value) => value !== "0",
      value: "1",
      breaks: `new connections of clients known to a server go on reaching it while it is drained or failed with weight 0 (${names(persistent)})`,
      recommended: true,
    });
  }
  return needed;
}

function reuse({ virtualServers }: LvsParameters, { release, settings }: HostFacts): Requirement[] {
  if (virtualServers.length === 0) return [];
  const requirement = { name: vs("conn_reuse_mode"), level: "warning", recommended: true } as const;
  const conntrack = (settings.get(vs("conntrack")) ?? "0") !== "0";
  if (conntrack && older(release, 5, 9)) {
    const breaks = `with conntrack and kernel ${release} the first packet of a client that uses a port again is dropped, which costs it a second (mended in 5.9)`;
    return [{ ...requirement, good: is("0"), value: "0", breaks }];
  }
  const old = "gets the server of its old connection, even if that is drained or down";
  const direct = virtualServers.filter(isDirect);
  if (direct.length > 0) {
    const breaks = `a client that uses a port again within two minutes of closing it ${old}: the director does not see the end of connections that servers answer directly (${names(direct)})`;
    return [{ ...requirement, good: (value) => (Number(value) & 2) !== 0, value: "2", breaks }];
  }
  return [
    { ...requirement, good: (value) => value !== "0", value: "1", breaks: `a client that uses a port again ${old}` },
  ];
}

function syncing({ syncDaemon, virtualServers }: LvsParameters, { addresses }: HostFacts): Requirement[] {
  const needed: Requirement[] = [];
  const own = virtualServers.filter(
    (server) => isDirect(server) && server.servers.some(({ address }) => addresses.has(address)),
  );
  const name = vs("backup_only");
  if (syncDaemon !== undefined && syncDaemon.instance === undefined) {
    const breaks = "while a sync backup runs, and without an instance it always does, this host balances nothing";
    needed.push({ name, level: "warning", good: is("0"), value: "0", breaks, recommended: true });
  } else if (own.length > 0) {
    const cure =
      syncDaemon === undefined ? " (and it takes effect only with an lvs_sync_daemon that has an instance)" : "";
    const breaks = `this host is a director and a server of ${names(own)}: while it stands by it balances again what the active director sends it, in circles${cure}`;
    needed.push({ name, level: "warning", good: is("1"), value: "1", breaks, recommended: syncDaemon !== undefined });
  }
  if (syncDaemon === undefined) return needed;
  needed.push({
    name: vs("sync_version"),
    level: "warning",
    good: is("1"),
    value: "1",
    breaks: "IPv6 connections and those of services by mark are not told to the other director",
    recommended: true,
  });
  needed.push({
    name: vs("sync_persist_mode"),
    level: "note",
    good: is("0"),
    value: "0",
    breaks: "of persistent services the other director is told which server a client has, but not its connections",
    recommended: false,
  });
  return needed;
}

/** Directors of which each may get the packets of any flow. */
function shared({ settingsProfile, virtualServers }: LvsParameters, { settings }: HostFacts): Requirement[] {
  const ecmp = settingsProfile === "ecmp";
  const sloppy = (settings.get(vs("sloppy_tcp")) ?? "0") !== "0";
  if (virtualServers.length === 0) return [];
  const breaks =
    "messages about too large packets get lost when they come to another director than the flow they are about";
  const icmp: Requirement = {
    name: vs("schedule_icmp"),
    level: "note",
    good: (value) => value !== "0",
    value: "1",
    breaks,
    recommended: ecmp,
  };
  if (!ecmp) return sloppy ? [icmp] : [];
  const flow: Requirement = {
    name: vs("sloppy_tcp"),
    level: "warning",
    good: (value) => value !== "0",
    value: "1",
    breaks: "a flow that another director had so far is refused here",
    recommended: true,
  };
  return [flow, { ...icmp, level: "warning" }];
}

const defence: readonly Requirement[] = [
  {
    name: vs("run_estimation"),
    level: "warning",
    good: (value) => value !== "0",
    value: "1",
    breaks: "rates and counters of services and servers stand still",
    recommended: true,
  },
  {
    name: vs("drop_entry"),
    level: "warning",
    good: is("0", "1", "2"),
    value: "1",
    breaks: "connections are forgotten at random all the time, not only when memory is short",
    recommended: false,
  },
  {
    name: vs("drop_packet"),
    level: "warning",
    good: is("0", "1", "2"),
    value: "0",
    breaks: "packets are dropped at a fixed rate all the time, not only when memory is short",
    recommended: false,
  },
  {
    name: vs("secure_tcp"),
    level: "note",
    good: is("0", "1", "2"),
    value: "0",
    breaks: "half-open connections time out early all the time, not only when memory is short",
    recommended: false,
  },
];

/** Up to here the kernel's own limit of 1024 neighbours is far away. */
const manyServers = 500;

function neighbours({ virtualServers }: LvsParameters): Requirement[] {
  return ([4, 6] as const).flatMap((family): Requirement[] => {
    const near = virtualServers.flatMap(({ servers }) => servers.filter((server) => server.family === family));
    const count = new Set(near.map(({ address }) => address)).size;
    if (count <= manyServers) return [];
    const least = 2 * count;
    return [
      {
        name: `net.ipv${family}.neigh.default.gc_thresh3`,
        level: "warning",
        good: (value) => Number(value) >= least,
        value: String(Math.max(4096, least)),
        breaks: `with ${count} servers the table of neighbours may overflow, and then some cannot be reached`,
        recommended: false,
      },
    ];
  });
}

export function isDirect({ servers }: VirtualServerParameters): boolean {
  return servers.some(({ forwarding }) => forwarding.method !== "nat");
}

export function older(release: string, major: number, minor: number): boolean {
  const [, found = "", below = ""] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  // What cannot be read is taken for new.
  if (found === "") return false;
  return Number(found) < major || (Number(found) === major && Number(below) < minor);
}

export function names(servers: readonly VirtualServerParameters[]): string {
  return list(servers.map(({ name }) => name));
}

export function list(words: readonly string[]): string {
  const shown = 3;
  if (words.length <= shown) return words.join(", ");
  return `${words.slice(0, shown).join(", ")} and ${words.length - shown} more`;
}
