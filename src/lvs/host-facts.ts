/** Reads what host-rules.ts wants to know of this host. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { networkInterfaces, release } from "node:os";
import { readSetting } from "../socket/sysctl.ts";
import { formatAddress, parseAddress } from "../wire/address.ts";
import { type HostFacts, type ModuleState, settingNames } from "./host-requirements.ts";
import { sysctlStore } from "./sysctl-store.ts";

export async function readHostFacts(modules: readonly string[]): Promise<HostFacts> {
  const bits = Number(readText("/sys/module/ip_vs/parameters/conn_tab_bits") ?? "");
  return {
    release: release(),
    settings: await sysctlStore.read(settingNames),
    modules: moduleStates(modules),
    connTabBits: bits > 0 ? bits : undefined,
    addresses: new Set(
      Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => canonical(address))),
    ),
    reversePath: reversePath(),
  };
}

/** As the configuration has it. */
function canonical(address: string): string {
  const parsed = parseAddress(address);
  return parsed === undefined ? address : formatAddress(parsed);
}

function moduleStates(names: readonly string[]): ReadonlyMap<string, ModuleState> {
  const missing = names.filter((name) => !isLoaded(name));
  const known = missing.length === 0 ? new Set<string>() : knownModules();
  const stateOf = (name: string): ModuleState => {
    if (!missing.includes(name)) return "loaded";
    return known.has(name) ? "loadable" : "missing";
  };
  return new Map(names.map((name) => [name, stateOf(name)]));
}

/** A module that is built in has a folder only if it has parameters; what is built in is listed elsewhere. */
function isLoaded(name: string): boolean {
  return existsSync(`/sys/module/${name}`);
}

function knownModules(): ReadonlySet<string> {
  const folder = `/lib/modules/${release()}`;
  const text = `${readText(`${folder}/modules.dep`) ?? ""}\n${readText(`${folder}/modules.builtin`) ?? ""}`;
  return new Set([...text.matchAll(/(?:^|\/)(ip_vs\w*)\.ko/gm)].map(([, name = ""]) => name));
}

function reversePath(): ReadonlyMap<string, number> {
  const all = Number(readSetting("net/ipv4/conf/all/rp_filter") ?? 0);
  const interfaces = readdirSync("/proc/sys/net/ipv4/conf").filter((name) => !["all", "default", "lo"].includes(name));
  return new Map(
    interfaces.map((name) => [name, Math.max(all, Number(readSetting(`net/ipv4/conf/${name}/rp_filter`) ?? 0))]),
  );
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    // Not there, or hidden from this process: then there is nothing to tell from it.
    return undefined;
  }
}
