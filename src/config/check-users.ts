/** Who goes by the health checks. */
import type { CheckParameters } from "../healthchecks/parameters.ts";
import type { LvsParameters } from "../lvs/parameters.ts";
import type { Config } from "./config.ts";
import type { Report } from "./report.ts";
import type { TrackingValues } from "./tracking.ts";

/** A check that nobody goes by costs something and decides nothing. `values`: of all that can track one. */
export function warnOfUnused(
  checks: readonly CheckParameters[],
  values: Iterable<TrackingValues | undefined>,
  lvs: LvsParameters | undefined,
  report: Report,
): void {
  const tracked = new Set([...values].flatMap((each) => (each?.track ?? []).map((entry) => entry?.check)));
  for (const { servers } of lvs?.virtualServers ?? []) {
    for (const server of servers) for (const check of server.checks) tracked.add(check);
  }
  for (const { name } of checks) {
    if (tracked.has(name)) continue;
    report.warn(["health_check", name], "nothing tracks it: it is run and told of, and decides nothing");
  }
}

/**
 * By the name of the check, in the order of the file: instances as they are, "group NAME" of sync groups, and
 * "SERVER of NAME" of virtual servers.
 */
export function usersOfChecks(config: Pick<Config, "instances" | "groups" | "lvs">): ReadonlyMap<string, string[]> {
  const users = new Map<string, string[]>();
  const add = (check: string, user: string) => {
    const known = users.get(check);
    if (known === undefined) users.set(check, [user]);
    else if (known.at(-1) !== user) known.push(user);
  };
  for (const { name, track } of config.instances) {
    for (const entry of track) if (entry.what === "check") add(entry.name, name);
  }
  for (const { name, track } of config.groups ?? []) {
    for (const entry of track) if (entry.what === "check") add(entry.name, `group ${name}`);
  }
  for (const { name, servers } of config.lvs?.virtualServers ?? []) {
    for (const server of servers) for (const check of server.checks) add(check, `${server.name} of ${name}`);
  }
  return users;
}
