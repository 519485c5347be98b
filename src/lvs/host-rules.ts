/** What of this host does not go with what is configured: facts in, findings out, each with what breaks and the cure. */
import { type HostFacts, isDirect, list, names, older, requirements } from "./host-requirements.ts";
import type { LvsParameters, VirtualServerParameters } from "./parameters.ts";
import type { LvsFindingStatus } from "./status.ts";

export interface Finding {
  readonly key: string;
  readonly level: LvsFindingStatus["level"];
  readonly message: string;
}

export function findings(parameters: LvsParameters, facts: HostFacts): readonly Finding[] {
  const wrong = requirements(parameters, facts).flatMap((requirement): Finding[] => {
    const { name, level, good, value, breaks } = requirement;
    const found = facts.settings.get(name);
    if (found === undefined || good(found)) return [];
    const cure = `sysctl -w ${name}=${value}, or lvs_sysctl in the configuration`;
    return [{ key: name, level, message: `${name} is ${found}: ${breaks}; ${cure}` }];
  });
  return [
    ...wrong,
    ...modules(parameters, facts),
    ...table(parameters, facts),
    ...reversePath(parameters, facts),
    ...ownAddress(parameters, facts),
  ];
}

/** What `lvs_sysctl: recommended` sets. `before` is what a setting was before viprd changed it. */
export function recommended(
  parameters: LvsParameters,
  facts: HostFacts,
  before: (name: string) => string | undefined,
): Readonly<Record<string, string>> {
  const wanted = requirements(parameters, facts).flatMap(({ name, good, value, recommended }): [string, string][] => {
    const original = before(name) ?? facts.settings.get(name);
    return recommended && original !== undefined && !good(original) ? [[name, value]] : [];
  });
  return Object.fromEntries(wanted);
}

/** The kernel has other schedulers only as modules of these names. */
export function neededModules({ virtualServers }: LvsParameters): readonly string[] {
  const schedulers = virtualServers.map(({ scheduler }) => `ip_vs_${scheduler.name}`);
  const engines = virtualServers.flatMap(({ persistence }) =>
    persistence?.engine === undefined ? [] : [`ip_vs_pe_${persistence.engine}`],
  );
  return [...new Set([...schedulers, ...engines, ...(ftpByNat(virtualServers).length > 0 ? ["ip_vs_ftp"] : [])])];
}

function ftpByNat(virtualServers: readonly VirtualServerParameters[]): readonly VirtualServerParameters[] {
  return virtualServers.filter(
    ({ services, servers }) =>
      services.some((s) => s.kind === "address" && s.protocol === "tcp" && s.port === 21) &&
      servers.some(({ forwarding }) => forwarding.method === "nat"),
  );
}

function modules(parameters: LvsParameters, facts: HostFacts): readonly Finding[] {
  return neededModules(parameters).flatMap((module): Finding[] => {
    const state = facts.modules.get(module);
    if (module === "ip_vs_ftp") {
      // The kernel never asks for this one by itself.
      if (state === "loaded") return [];
      const message = `the module ip_vs_ftp is not loaded: data connections of FTP do not get through NAT (${names(ftpByNat(parameters.virtualServers))}); modprobe ip_vs_ftp, and a line in /etc/modules-load.d`;
      return [{ key: module, level: "note", message }];
    }
    if (state !== "missing") return [];
    const users = parameters.virtualServers.filter(
      ({ scheduler, persistence }) =>
        module === `ip_vs_${scheduler.name}` || module === `ip_vs_pe_${persistence?.engine ?? ""}`,
    );
    const message = `the module ${module} is neither loaded nor among those of kernel ${facts.release}: ${names(users)} cannot be set up; take another one, or a kernel that has it`;
    return [{ key: module, level: "warning", message }];
  });
}

/** Larger tables cost memory, smaller ones time for each packet. */
const smallTable = 12;
const manyEntries = 10_000;

function table({ virtualServers }: LvsParameters, { connTabBits, release, settings }: HostFacts): readonly Finding[] {
  const found: Finding[] = [];
  if (virtualServers.length > 0 && connTabBits !== undefined && connTabBits <= smallTable && older(release, 7, 0)) {
    const message = `the connection table has ${2 ** connTabBits} buckets, good for tens of thousands of connections: for millions, "options ip_vs conn_tab_bits=20" in /etc/modprobe.d, which holds from the next load of ip_vs on`;
    found.push({ key: "conn_tab_bits", level: "note", message });
  }
  const entries = virtualServers.reduce((sum, { services, servers }) => sum + services.length * servers.length, 0);
  const estimating = settings.get("net.ipv4.vs.run_estimation") !== "0";
  if (entries >= manyEntries && older(release, 6, 2) && estimating) {
    const message = `kernel ${release} counts the rates of ${entries} servers every two seconds in one go, and packets wait meanwhile; kernels from 6.2 on do not`;
    found.push({ key: "estimation", level: "note", message });
  }
  return found;
}

function reversePath({ virtualServers }: LvsParameters, { reversePath }: HostFacts): readonly Finding[] {
  const strict = [...reversePath].filter(([, value]) => value === 1).map(([name]) => name);
  // With one interface there is no other way.
  if (strict.length === 0 || reversePath.size < 2 || !virtualServers.some(isDirect)) return [];
  const message = `rp_filter is 1 on ${list(strict)}: packets of clients that the host would answer by another interface are dropped, although the servers answer directly; 2 is enough`;
  return [{ key: "rp_filter", level: "note", message }];
}

/** The answer of a server comes from the virtual address, which the active director has itself. */
function ownAddress({ probes = [] }: LvsParameters, { acceptsLocal }: HostFacts): readonly Finding[] {
  const direct = probes.filter((probe) => isDirect(probe) && probe.servers.some(({ family }) => family === 4));
  if (acceptsLocal || direct.length === 0) return [];
  const message = `net.ipv4.conf.*.accept_local is 0 on all interfaces: where this host has the virtual address, it drops what servers answer to checks with via_vip (${names(direct)}), and they tell nothing; set it to 1 for the interface towards the servers, as in sysctl -w net.ipv4.conf.eth1.accept_local=1, with an rp_filter that is not 1`;
  return [{ key: "accept_local", level: "warning", message }];
}
