/** What `viprd check` says about virtual servers. Pure. */
import type { Config } from "../config/config.ts";
import { worstDetection } from "../config/detection.ts";
import { formatDuration } from "../config/duration.ts";
import { serviceText } from "../config/service-addresses.ts";

type VirtualServer = NonNullable<Config["lvs"]>["virtualServers"][number];

export interface VirtualServerSummary {
  readonly name: string;
  /** "tcp 192.0.2.10:443", "fwmark 7 inet" */
  readonly services: readonly string[];
  readonly servers: number;
  /** How long a server that fails goes on getting clients at most; null when one is not asked. */
  readonly detection_ms: number | null;
}

export function summaries({ lvs, checks }: Config): VirtualServerSummary[] {
  const byName = new Map(checks.map((check) => [check.name, check]));
  return (lvs?.virtualServers ?? []).map((server) => ({
    name: server.name,
    services: server.services.map(serviceText),
    servers: server.servers.length,
    detection_ms: worstDetection(server, byName) ?? null,
  }));
}

export function virtualServerLines(config: Config): string[] {
  const servers = config.lvs?.virtualServers ?? [];
  return summaries(config).map((summary, i) => {
    const { name, services, servers: count, detection_ms: detection } = summary;
    const [first = "", ...more] = services;
    const where = more.length === 0 ? first : `${first} and ${more.length} more`;
    const how = [servers[i]?.scheduler.name, ...methodsOf(servers[i])].join(", ");
    const when =
      count === 0
        ? "everything goes to the sorry server"
        : detection === null
          ? "one that fails goes on getting clients: not all are asked whether they work"
          : `one that fails gets no new clients after ${formatDuration(detection)} at most`;
    return `${name} (${where}, ${how}): ${count} ${count === 1 ? "server" : "servers"}; ${when}`;
  });
}

function methodsOf(server: VirtualServer | undefined): string[] {
  return [...new Set(server?.servers.map(({ forwarding }) => forwarding.method))];
}
