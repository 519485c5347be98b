/** Reads what host-rules.ts wants to know of this host. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { networkInterfaces, release } from "node:os";
import { readSetting } from "../socket/sysctl.ts";
import { formatAddress, parseAddress } from "../wire/address.ts";
import { type HostFacts, type ModuleState, settingNames } from "./host-requirements.ts";
import { sysctlStore } from "./sysctl-store.ts";

let lists: { readonly known: ReadonlySet<string> | undefined } | undefined;

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
    acceptsLocal: acceptsLocal(),
  };
}

/** As the configuration has it. */
function canonical(address: string): string {
  const parsed = parseAddress(address);
  return parsed === undefined ? address : formatAddress(parsed);
}

function moduleStates(names: readonly string[]): ReadonlyMap<string, ModuleState> {
  const missing = names.filter((name) => !existsSync(`/sys/module/${name}`));
  // They are large, and do not change while the kernel runs.
  if (missing.length > 0) lists ??= { known: knownModules() };
  const known = lists?.known;
  const stateOf = (name: string): ModuleState => {
    if (!missing.includes(name)) return "loaded";
    if (known === undefined) return "unknown";
    return known.has(name) ? "loadable" : "missing";
  };
  return new Map(names.map((name) => [name, stateOf(name)]));
}

/** Undefined where the lists are not there or hidden from this process, as in containers and by systemd. */
function knownModules(): ReadonlySet<string> | undefined {
  const folder = `/lib/modules/${release()}`;
  const [loadable, builtIn] = [readText(`${folder}/modules.dep`), readText(`${folder}/modules.builtin`)];
  if (loadable === undefined || builtIn === undefined) return undefined;
  return new Set([...`${loadable}\n${builtIn}`.matchAll(/(?:^|\/)(ip_vs\w*)\.ko/gm)].map(([, name = ""]) => name));
}

function reversePath(): ReadonlyMap<string, number> {
  const all = Number(readSetting("net/ipv4/conf/all/rp_filter") ?? 0);
  const interfaces = readdirSync("/proc/sys/net/ipv4/conf").filter((name) => !["all", "default", "lo"].includes(name));
  return new Map(
    interfaces.map((name) => [name, Math.max(all, Number(readSetting(`net/ipv4/conf/${name}/rp_filter`) ?? 0))]),
  );
}

function acceptsLocal(): boolean {
  const interfaces = readdirSync("/proc/sys/net/ipv4/conf").filter((name) => name !== "default" && name !== "lo");
  return interfaces.some((name) => readSetting(`net/ipv4/conf/${name}/accept_local`) === "1");
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    // Not there, or hidden from this process: then there is nothing to tell from it.
    return undefined;
  }
}
