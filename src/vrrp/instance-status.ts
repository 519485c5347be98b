/** What an instance tells about itself, put together from its parts. */
import { mergeAuthentication } from "./authenticator.ts";
import { instanceCounters } from "./counters.ts";
import type { History } from "./history.ts";
import type { InstanceParameters, Instant } from "./parameters.ts";
import type { Part } from "./part.ts";
import type { InstanceStatus, PriorityStatus, TrackStatus } from "./status.ts";

export interface Circumstances {
  readonly reasons: readonly string[];
  readonly priority: PriorityStatus;
  readonly tracking: readonly TrackStatus[];
  readonly syncGroup: string | undefined;
  readonly now: Instant;
}

export function describeInstance(
  parameters: InstanceParameters,
  parts: readonly Part[],
  history: History,
  { reasons, priority, tracking, syncGroup, now }: Circumstances,
): InstanceStatus {
  const { name, vrid, version, advertisementInterval, preempt } = parameters;
  const authentication = mergeAuthentication(parts.flatMap(({ member }) => member.authenticator?.status() ?? []));
  return {
    name,
    interface: parameters.interface,
    sync_group: syncGroup ?? null,
    vrid,
    version,
    families: parameters.families.map((family) => (family === 4 ? "ipv4" : "ipv6")),
    state: history.state,
    reasons: history.state === "initialize" ? reasons : [],
    since: history.since,
    priority,
    advert_int_ms: advertisementInterval,
    preempt,
    ...(authentication === undefined ? {} : { authentication }),
    active_router: parts[0]?.member.activeRouter(now) ?? null,
    tracking,
    addresses: parts.flatMap(({ keeper }) => keeper.status()),
    virtual_macs: parts.flatMap((part) => part.macStatus()),
    routes: parts.flatMap(({ routing }) => routing.status("route")),
    rules: parts.flatMap(({ routing }) => routing.status("rule")),
    routers: parts.map(({ member }) => member.status(now)),
    counters: instanceCounters(parts.map(({ member }) => member.counters)),
    duplicates: parts.flatMap(({ duplicates }) => duplicates.status()),
    split_brains: parts.flatMap(({ splitBrain }) => splitBrain.status()),
    transitions: history.transitions,
  };
}
