/** Destinations that are in the table and not declared: how they go. Pure. */
import type { Instant, Leaving, Moment, VirtualServerMemory } from "./memory.ts";
import { destinationText, portIn, serverKey } from "./mirror.ts";
import type { RealServerParameters, VirtualServerParameters } from "./parameters.ts";
import type { Placement } from "./placement.ts";
import type { Observed, Undeclared } from "./virtual-server.ts";

export interface LeavingResult {
  readonly leaving: ReadonlyMap<string, Leaving>;
  readonly placements: readonly Placement[];
  /** Not declared, not ours, and left alone. */
  readonly foreign: readonly string[];
  /** One of them takes connections. */
  readonly usable: boolean;
  readonly wakeAt: Instant;
  readonly counting: boolean;
}

export function leaving(
  parameters: VirtualServerParameters,
  memory: VirtualServerMemory,
  observed: Observed,
  { now, holdOver }: { now: Moment; holdOver: boolean },
): LeavingResult {
  const result = new Map<string, Leaving>();
  const placements: Placement[] = [];
  const foreign: string[] = [];
  let wakeAt = Number.POSITIVE_INFINITY;
  let usable = false;
  let counting = false;
  for (const undeclared of observed.undeclared) {
    const { key, settings } = undeclared;
    if (!undeclared.ours && parameters.onDrift !== "repair" && !memory.leaving.has(key)) {
      foreign.push(key);
      continue;
    }
    const entry = memory.leaving.get(key) ?? begin(parameters, memory, undeclared, now);
    result.set(key, entry);
    const found = observed.found(key) ?? 0;
    const kept = holdOver && found > 0;
    const over = !kept && (now.instant >= entry.until || (found === 0 && observed.connections(key) === 0));
    const weight = over ? null : kept ? found : 0;
    placements.push({ key, settings, weight, datagramWeight: weight, onlyWherePresent: true, mayStay: !over });
    usable ||= kept;
    if (over) continue;
    counting = true;
    // What is held over past its time waits for a verdict, not for the clock.
    if (entry.until > now.instant) wakeAt = Math.min(wakeAt, entry.until);
  }
  return { leaving: result, placements, foreign, usable, wakeAt, counting };
}

/** Of a declared server that was leaving before it came back into the file. */
export function leavingOf(
  { services }: VirtualServerParameters,
  { leaving }: VirtualServerMemory,
  { family, address, port }: RealServerParameters,
): Leaving | undefined {
  if (leaving.size === 0) return undefined;
  const keys = services.map((service) => destinationText({ family, address, port: portIn(service, port) }));
  return keys.map((key) => leaving.get(key)).find((entry) => entry !== undefined);
}

function begin(
  { drainTimeout }: VirtualServerParameters,
  memory: VirtualServerMemory,
  { key, settings: { family, address }, ours }: Undeclared,
  now: Moment,
): Leaving {
  // One that has the port of each service goes by its address alone.
  const known = ours ? (memory.servers.get(key) ?? memory.servers.get(serverKey({ family, address }))) : undefined;
  return {
    until: now.instant + drainTimeout,
    since: now.wall,
    reason: ours ? "no longer in the file" : "nobody declared it",
    ...(known === undefined ? {} : { memory: known }),
  };
}
