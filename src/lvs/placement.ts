/** Where a server is to be in the table, and with which weight. Pure. */

import type { Instant, Moment } from "./memory.ts";
import type { FailurePolicy, VirtualServerParameters } from "./parameters.ts";
import type { DestinationSettings } from "./table.ts";
import type { Candidate, Observed } from "./virtual-server.ts";
import { canStartSlowly, slowWeight } from "./weight.ts";

export interface Placement {
  readonly key: string;
  readonly settings: PlacedSettings;
  /** Null: it is not to be there. */
  readonly weight: number | null;
  /** The same for services of datagrams: their connections never end by themselves. */
  readonly datagramWeight: number | null;
  /** Where it is not, it is not added. */
  readonly onlyWherePresent: boolean;
  /** It works: should what is to take its place be refused, it stays. */
  readonly mayStay: boolean;
}

/** Without a port it is that of the service. */
export type PlacedSettings = Omit<DestinationSettings, "port" | "weight"> & { readonly port: number | undefined };

export interface PlacedServer {
  readonly placement: Placement;
  readonly removed: boolean;
  readonly slowSince: Instant | undefined;
  readonly wakeAt: Instant;
  readonly counting: boolean;
}

const never = Number.POSITIVE_INFINITY;

/**
 * Under mh and sh with fallback a server of weight 0 moves only its own clients, its removal moves those of others: it is
 * put in at once, in its place of the order, and taken out late.
 */
export function keepsPlaces({ scheduler: { name, fallback } }: Pick<VirtualServerParameters, "scheduler">): boolean {
  return fallback && (name === "mh" || name === "sh");
}

export interface PlacingContext {
  readonly now: Moment;
  /** Since when the sorry server stands in for servers that are up. */
  readonly suppressedAt: Instant | undefined;
  /** It stands in until it is known whether the quorum is reached: nobody is put in beside it. */
  readonly undecided: boolean;
  /** It stood in for servers that are up until now. */
  readonly returning: boolean;
  /** Servers that take a share, or will when the sorry server has left. */
  readonly serving: number;
}

export function placeServer(
  parameters: VirtualServerParameters,
  candidate: Candidate,
  observed: Observed,
  { now, suppressedAt, undecided, returning, serving }: PlacingContext,
): PlacedServer {
  const { server, key, inService, standing, before } = candidate;
  const slowSince = inService ? slowBegin(parameters, candidate, now.instant, returning) : undefined;
  const settings: PlacedSettings = {
    family: server.family,
    address: server.address,
    port: server.port,
    forwarding: server.forwarding,
    upperThreshold: standing.upperThreshold,
    lowerThreshold: standing.lowerThreshold,
  };
  const at = (weight: number | null, rest: Partial<PlacedServer> & { datagramWeight?: number | null } = {}) => {
    const { datagramWeight = weight, removed = false, slowSince, wakeAt = never, counting = false } = rest;
    const mayStay = inService && suppressedAt !== undefined;
    const placement = { key, settings, weight, datagramWeight, onlyWherePresent: false, mayStay };
    return { placement, removed, slowSince, wakeAt, counting };
  };
  if (standing.mode === "maintenance") return at(0);
  const growing = slowSince === undefined ? {} : { slowSince };
  if (inService && standing.mode === "drain") return at(0, growing);
  const waits = inService && undecided && (observed.found(key) ?? 0) === 0;
  if (inService && suppressedAt === undefined && !waits) {
    // Beside nobody it gets everything, whatever its weight.
    if (slowSince === undefined || serving < 2) return at(standing.weight);
    const slow = slowWeight(standing.weight, now.instant - slowSince, parameters.slowStart);
    if (slow === undefined) return at(standing.weight);
    return at(slow.weight, { slowSince, wakeAt: now.instant + slow.next });
  }
  if (waits || (!inService && candidate.failedAt === undefined)) {
    if (observed.found(key) !== undefined) return at(0, growing);
    // It was taken out for good reasons, and nothing says otherwise yet.
    if (before?.removed === true) return at(null, { removed: true });
    return at(keepsPlaces(parameters) ? 0 : null, growing);
  }
  if (inService && parameters.sorryServer?.inhibit === true) return at(0, growing);
  const out = takeOut(parameters, server.onFailure, {
    since: candidate.failedAt ?? suppressedAt ?? now.instant,
    removed: before?.removed === true,
    present: observed.found(key) !== undefined,
    connections: observed.connections(key),
    now: now.instant,
  });
  const datagramWeight = keepsPlaces(parameters) || parameters.onePacket ? out.weight : null;
  return at(out.weight, { ...out, ...growing, datagramWeight });
}

interface Out {
  readonly since: Instant;
  readonly removed: boolean;
  readonly present: boolean;
  readonly connections: number | undefined;
  readonly now: Instant;
}

function takeOut(
  parameters: VirtualServerParameters,
  policy: FailurePolicy,
  { since, removed, present, connections, now }: Out,
): { weight: number | null; removed: boolean; wakeAt: Instant; counting: boolean } {
  switch (policy.action) {
    case "quiesce":
      return { weight: 0, removed: false, wakeAt: never, counting: false };
    case "remove":
      return { weight: null, removed: true, wakeAt: never, counting: false };
    case "quiesce_then_remove": {
      const places = keepsPlaces(parameters);
      const over = now >= since + policy.after || (!places && (!present || connections === 0));
      if (removed || over) return { weight: null, removed: true, wakeAt: never, counting: false };
      return { weight: 0, removed: false, wakeAt: since + policy.after, counting: !places };
    }
  }
}

/** When its weight began to grow. What came back while the sorry server stood in begins when that has left. */
function slowBegin(
  { slowStart: duration, scheduler }: VirtualServerParameters,
  { before, held }: Candidate,
  now: Instant,
  returning: boolean,
): Instant | undefined {
  if (duration === 0 || held || before === undefined || !canStartSlowly(scheduler.name)) return undefined;
  const comesBack = !before.inService && (before.state === "down" || before.state === "maintenance");
  return comesBack || (returning && before.slowSince !== undefined) ? now : before.slowSince;
}
