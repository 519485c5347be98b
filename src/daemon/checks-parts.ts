/** The status of the checks process, in pieces for the way to the supervisor and put together again there. Pure. */
import type { CheckStatus } from "../healthchecks/status.ts";
import type { LvsStatus, RealServerStatus, VirtualServerStatus } from "../lvs/status.ts";
import type { ChecksPart } from "./messages.ts";

export interface ChecksReply {
  readonly checks: readonly CheckStatus[];
  /** Undefined when the load balancer was not asked, or has nothing to do. */
  readonly lvs: LvsStatus | undefined;
}

export function* partsOf(checks: Iterable<CheckStatus>, lvs: LvsStatus | undefined): Generator<ChecksPart> {
  for (const check of checks) yield { of: "check", check };
  if (lvs === undefined) return;
  const { virtual_servers: virtualServers, ...rest } = lvs;
  yield { of: "lvs", lvs: rest };
  for (const { servers, ...virtualServer } of virtualServers) {
    yield { of: "virtual_server", virtual_server: virtualServer };
    for (const server of servers) yield { of: "server", server };
  }
}

export function joinParts(parts: readonly ChecksPart[]): ChecksReply {
  const checks: CheckStatus[] = [];
  const virtualServers: (Omit<VirtualServerStatus, "servers"> & { readonly servers: RealServerStatus[] })[] = [];
  let lvs: Omit<LvsStatus, "virtual_servers"> | undefined;
  for (const part of parts) {
    switch (part.of) {
      case "check":
        checks.push(part.check);
        break;
      case "lvs":
        lvs = part.lvs;
        break;
      case "virtual_server":
        virtualServers.push({ ...part.virtual_server, servers: [] });
        break;
      case "server":
        virtualServers.at(-1)?.servers.push(part.server);
        break;
      default:
        part satisfies never;
    }
  }
  return { checks, lvs: lvs === undefined ? undefined : { ...lvs, virtual_servers: virtualServers } };
}
