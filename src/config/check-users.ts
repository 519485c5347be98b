/** Who tracks the health checks. */
import type { CheckParameters } from "../healthchecks/parameters.ts";
import type { Track } from "../vrrp/parameters.ts";
import type { Config } from "./config.ts";
import type { Report } from "./report.ts";
import type { TrackingValues } from "./tracking.ts";

/** A check that nobody tracks costs something and decides nothing. `values`: of all that can track one. */
export function warnOfUnused(
  checks: readonly CheckParameters[],
  values: Iterable<TrackingValues | undefined>,
  report: Report,
): void {
  const tracked = new Set([...values].flatMap((each) => (each?.track ?? []).map((entry) => entry?.check)));
  for (const { name } of checks) {
    if (tracked.has(name)) continue;
    report.warn(["health_check", name], "nothing tracks it: it is run and told of, and decides nothing");
  }
}

/** Names, in the order of the file: of instances as they are, "group NAME" of sync groups. */
export function usersOf(check: string, { instances, groups = [] }: Pick<Config, "instances" | "groups">): string[] {
  const tracks = ({ track }: { readonly track: readonly Track[] }) =>
    track.some(({ what, name }) => what === "check" && name === check);
  return [
    ...instances.filter(tracks).map(({ name }) => name),
    ...groups.filter(tracks).map(({ name }) => `group ${name}`),
  ];
}
