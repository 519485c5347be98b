/** What is kept of a decision, and what is told of it. Pure. */
import type { LeavingResult } from "./leaving.ts";
import type { Change, Instant, Moment, ServerMemory, VirtualServerMemory } from "./memory.ts";
import { serverKey } from "./mirror.ts";
import type { VirtualServerParameters } from "./parameters.ts";
import type { PlacedServer } from "./placement.ts";
import type { PlacedSorry } from "./sorry.ts";
import type { ServerState } from "./status.ts";
import type { Candidate, CoreEvent } from "./virtual-server.ts";

const changesKept = 10;

export interface Decided {
  readonly candidates: readonly Candidate[];
  /** One for each candidate. */
  readonly placed: readonly PlacedServer[];
  readonly left: LeavingResult;
  readonly sorry: PlacedSorry;
  readonly quorum: boolean | undefined;
  readonly standingIn: boolean;
  readonly suppressedAt: Instant | undefined;
  readonly weight: number;
  readonly required: number;
}

export function remember(
  parameters: VirtualServerParameters,
  before: VirtualServerMemory,
  decided: Decided,
  now: Moment,
): { readonly memory: VirtualServerMemory; readonly events: readonly CoreEvent[] } {
  const { candidates, placed, left, sorry, quorum, standingIn, suppressedAt, weight } = decided;
  const events: CoreEvent[] = [];
  const virtual_server = parameters.name;
  const servers = new Map<string, ServerMemory>();
  for (const [i, candidate] of candidates.entries()) {
    const from = candidate.before?.state ?? "unknown";
    const memory = rememberServer(parameters, candidate, placed[i], now);
    servers.set(candidate.key, memory);
    if (memory.state !== from || candidate.returns) {
      const was = candidate.returns ? "leaving" : from;
      events.push({
        type: "server",
        virtual_server,
        server: candidate.server.name,
        from: was,
        to: memory.state,
        reason: memory.reason,
      });
    }
  }
  for (const [key, entry] of left.leaving) {
    if (before.leaving.has(key)) continue;
    const from = entry.memory?.state ?? "unknown";
    events.push({ type: "server", virtual_server, server: key, from, to: "leaving", reason: entry.reason });
  }
  events.push(...movedToSorry(parameters, before));
  const panic = candidates.some(({ held }) => held);
  if (panic !== before.panic)
    events.push({ type: "lvs_warning", virtual_server, message: panicText(parameters, panic, weight) });
  const { state, reason } = stateOf(parameters, decided);
  if (standingIn !== before.standingIn)
    events.push({ type: "sorry_server", virtual_server, standing_in: standingIn, reason });
  if (quorum !== undefined && quorum !== before.quorum)
    events.push({ type: "quorum", virtual_server, up: quorum, reason });
  return {
    memory: {
      fresh: false,
      servers,
      leaving: left.leaving,
      quorum,
      standingIn,
      ...(sorry.leaves === undefined ? {} : { sorryLeaves: sorry.leaves }),
      ...(suppressedAt === undefined ? {} : { suppressedAt }),
      panic,
      state,
      reason,
      since: state === before.state ? before.since : now.wall,
    },
    events,
  };
}

/** A real server that is the sorry server from now on. */
function movedToSorry(
  { name: virtual_server, sorryServer }: VirtualServerParameters,
  { servers }: VirtualServerMemory,
): readonly CoreEvent[] {
  const key = sorryServer && serverKey(sorryServer);
  const was = key === undefined ? undefined : servers.get(key);
  if (key === undefined || was === undefined) return [];
  const reason = "it is the sorry server now";
  return [{ type: "server", virtual_server, server: key, from: was.state, to: "leaving", reason }];
}

function rememberServer(
  parameters: VirtualServerParameters,
  candidate: Candidate,
  placed: PlacedServer | undefined,
  now: Moment,
): ServerMemory {
  const { before, assessment, inService, failedAt } = candidate;
  const { state, reason } = serverState(parameters, candidate);
  const same = before?.state === state;
  const change: Change = { at: now.wall, state, reason };
  return {
    health: assessment.health === "unknown" ? (before?.health ?? "unknown") : assessment.health,
    flaps: assessment.flaps,
    damped: assessment.damped,
    inService,
    ...(failedAt === undefined ? {} : { failedAt }),
    removed: placed?.removed === true,
    ...(placed?.slowSince === undefined ? {} : { slowSince: placed.slowSince }),
    state,
    reason,
    since: same ? before.since : now.wall,
    changes: same ? before.changes : [...(before?.changes ?? []), change].slice(-changesKept),
  };
}

function serverState(
  { panicThreshold }: VirtualServerParameters,
  { standing, assessment, held, failedAt }: Candidate,
): { state: ServerState; reason: string } {
  if (standing.mode === "maintenance") return { state: "maintenance", reason: standing.reason };
  if (failedAt !== undefined) {
    const reason = assessment.damped
      ? `it changes too often, and stays down until it was quiet for long enough (${assessment.reason})`
      : assessment.reason;
    const kept = `; keeps its weight, as fewer than ${panicThreshold}% would be left`;
    return { state: "down", reason: held ? `${reason}${kept}` : reason };
  }
  if (standing.mode === "drain") return { state: "draining", reason: standing.reason };
  switch (assessment.health) {
    case "unknown":
      return { state: "unknown", reason: assessment.reason };
    case "up":
      return { state: "up", reason: assessment.reason };
    case "down":
      return { state: "down", reason: assessment.reason };
  }
}

function panicText({ panicThreshold, sorryServer }: VirtualServerParameters, panic: boolean, weight: number): string {
  if (panic) {
    return `failures take no more servers out: fewer than ${panicThreshold}% would be left (panic_threshold)`;
  }
  if (weight === 0 && sorryServer !== undefined) {
    return `no server is left whose checks pass: the sorry server stands in, and nobody is kept for the panic_threshold of ${panicThreshold}%`;
  }
  return `failures take servers out again: at least ${panicThreshold}% are left`;
}

function stateOf(
  { quorum: wanted, hysteresis, sorryServer }: VirtualServerParameters,
  { quorum, weight, required, standingIn, candidates }: Decided,
): { state: VirtualServerMemory["state"]; reason: string } {
  const sorry = standingIn && sorryServer !== undefined ? `; ${sorryServer.name} stands in` : "";
  if (weight === 0) {
    const none = candidates.length === 0 ? "it has no server" : "no server is in service";
    return { state: "down", reason: `${none}${sorry}` };
  }
  const least =
    required < wanted
      ? `quorum ${required} (${wanted} in the file, more than the servers weigh now)`
      : `quorum ${wanted}`;
  const of = hysteresis > 0 ? `${least} with hysteresis ${hysteresis}` : least;
  const words = `weight ${weight} in service, ${of}`;
  if (quorum === false) return { state: "quorum_lost", reason: `${words}: lost${sorry}` };
  return { state: "up", reason: quorum === undefined ? `${words}: not all have a result yet${sorry}` : words };
}
