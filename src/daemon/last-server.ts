/** Which virtual servers would be left with no server that takes anything new. Pure. */
import type { Verdict } from "../healthchecks/health.ts";
import type { AdminEntry, RealServerParameters, VirtualServerParameters } from "../lvs/parameters.ts";
import { names } from "./admin-entries.ts";
import type { FoundServer } from "./server-lookup.ts";

export interface Emptied {
  readonly virtualServer: VirtualServerParameters;
  /** Why the others do not take over: "192.0.2.22:443 is down (connect 192.0.2.22:443: refused)". */
  readonly others: readonly string[];
}

export type VerdictOf = (check: string) => Verdict | undefined;

/** Those of `touched` that have one with the entries `before` and none with the entries `after`. */
export function emptiedBy(
  touched: readonly FoundServer[],
  before: readonly AdminEntry[],
  after: readonly AdminEntry[],
  verdictOf: VerdictOf,
): Emptied[] {
  const virtualServers = [...new Set(touched.map(({ virtualServer }) => virtualServer))];
  const named = new Set(touched.map(({ server }) => server));
  return virtualServers.flatMap((virtualServer) => {
    const { name, servers } = virtualServer;
    const takes = (entries: readonly AdminEntry[]) => (server: RealServerParameters) =>
      whyNot(name, server, entries, verdictOf) === undefined;
    if (!servers.some(takes(before)) || servers.some(takes(after))) return [];
    const others = servers
      .filter((server) => !named.has(server))
      .map((server) => `${server.name} ${whyNot(name, server, after, verdictOf) ?? ""}`);
    return [{ virtualServer, others }];
  });
}

/** Why a server gets nothing new; undefined when it does. */
function whyNot(
  virtualServer: string,
  server: RealServerParameters,
  entries: readonly AdminEntry[],
  verdictOf: VerdictOf,
): string | undefined {
  const said = entries.filter((entry) => names(entry, virtualServer, server)).map(({ what }) => what);
  if (said.some(({ type }) => type === "maintenance")) return "is in maintenance";
  if (said.some(({ type }) => type === "drain")) return "is drained";
  if (weightOf(server, said) === 0) return "has weight 0";
  for (const check of server.checks) {
    const verdict = verdictOf(check);
    if (verdict?.up === false) return `is down (${verdict.reason})`;
    if (verdict?.up !== true && server.alpha) return "is not known to be up yet";
  }
  return undefined;
}

function weightOf({ weight }: RealServerParameters, said: readonly AdminEntry["what"][]): number {
  for (const what of said.toReversed()) {
    if (what.type === "weight") return what.weight;
    if (what.type === "weight_percent") return (weight * what.percent) / 100;
  }
  return weight;
}
