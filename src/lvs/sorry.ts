/**
 * Where the sorry server is to be in the table. When it is no longer needed it gets nothing new at once, and goes when none
 * of its connections is active or its time is over. Pure.
 */
import type { Instant, Moment, SorryLeaving, VirtualServerMemory } from "./memory.ts";
import { serverKey } from "./mirror.ts";
import type { VirtualServerParameters } from "./parameters.ts";
import type { Placement } from "./placement.ts";
import type { Observed } from "./virtual-server.ts";

export interface PlacedSorry {
  readonly placements: readonly Placement[];
  readonly leaves: SorryLeaving | undefined;
  readonly wakeAt: Instant;
  readonly counting: boolean;
}

const never = Number.POSITIVE_INFINITY;

export function placeSorry(
  parameters: VirtualServerParameters,
  memory: VirtualServerMemory,
  observed: Observed,
  { now, standingIn }: { now: Moment; standingIn: boolean },
): PlacedSorry {
  const { sorryServer } = parameters;
  const idle = { leaves: undefined, wakeAt: never, counting: false };
  if (sorryServer === undefined) return { placements: [], ...idle };
  const { family, address, port, forwarding } = sorryServer;
  const settings = { family, address, port, forwarding, upperThreshold: 0, lowerThreshold: 0 };
  const key = serverKey(sorryServer);
  const at = (weight: number | null, datagramWeight: number | null, onlyWherePresent: boolean): Placement[] => [
    // Should the servers that are back be refused, it goes on.
    { key, settings, weight, datagramWeight, onlyWherePresent, mayStay: !standingIn },
  ];
  const wasServer = memory.servers.has(key) || memory.leaving.has(key) || memory.sorryLeaves?.wasServer === true;
  const leaves =
    memory.standingIn || memory.sorryLeaves === undefined
      ? { until: now.instant + parameters.drainTimeout, wasServer }
      : memory.sorryLeaves;
  if (standingIn) return { placements: at(1, 1, false), ...idle, leaves: wasServer ? leaves : undefined };
  if (observed.found(key) === undefined) return { placements: at(null, null, false), ...idle };
  const drained = wasServer || canBeDrained(parameters);
  // What the kernel only remembers of an apology that was read, for two minutes, is nothing to wait for.
  const count = wasServer ? observed.connections(key) : observed.active(key);
  const over = !drained || now.instant >= leaves.until || count === 0;
  if (over) return { placements: at(null, null, false), ...idle, leaves };
  // Connections of datagrams never end by themselves; those of a real server get their time all the same.
  return { placements: at(0, wasServer ? 0 : null, true), leaves, wakeAt: leaves.until, counting: true };
}

/**
 * Not where it would take new clients beside live servers (those it knows, with persistence), or would have them refused
 * (hashes that do not look further), or hold a place in the list that decides on the server of every client (sh).
 */
function canBeDrained({ persistence, scheduler: { name, fallback } }: VirtualServerParameters): boolean {
  if (persistence !== undefined) return false;
  switch (name) {
    case "mh":
      return fallback;
    case "sh":
    case "dh":
      return false;
    default:
      return true;
  }
}
