/**
 * What a virtual server is to have in the table: from its parameters, what is remembered of it, what is observed, and the
 * time. Level-triggered: whatever was missed, the next decision is right. Pure.
 */
import { type Assessment, advicesOf, assess, type CheckVerdict } from "./assess.ts";
import { leaving, leavingOf } from "./leaving.ts";
import { type Instant, type Moment, newMemory, type ServerMemory, type VirtualServerMemory } from "./memory.ts";
import { serverKey } from "./mirror.ts";
import type { AdminEntry, RealServerParameters, VirtualServerParameters } from "./parameters.ts";
import { type PlacedServer, type Placement, placeServer } from "./placement.ts";
import { type Failing, heldByPanic, quorumAfter } from "./quorum.ts";
import { remember } from "./remember.ts";
import { placeSorry } from "./sorry.ts";
import type { LvsEvent } from "./status.ts";
import type { DestinationSettings } from "./table.ts";
import { type Standing, standing, wakeForAdmin } from "./weight.ts";

/** What is seen of the world, over all services of the virtual server. Destinations go by their text. */
export interface Observed {
  verdict(check: string): CheckVerdict | undefined;
  readonly admin: readonly AdminEntry[];
  /** Its weight in the table; undefined when it is not there. */
  found(key: string): number | undefined;
  /** Active and inactive ones, counted since it gets nothing new; undefined when not known. */
  connections(key: string): number | undefined;
  /** Only those that are established. */
  active(key: string): number | undefined;
  /** Destinations in the table that are not declared. */
  readonly undeclared: readonly Undeclared[];
}

export interface Connections {
  readonly active: number;
  readonly inactive: number;
}

export interface Undeclared {
  readonly key: string;
  readonly settings: DestinationSettings;
  /** This program put it there. */
  readonly ours: boolean;
}

type Untimed<E> = E extends unknown ? Omit<E, "at"> : never;
export type CoreEvent = Untimed<LvsEvent>;

export interface Decision {
  readonly memory: VirtualServerMemory;
  /** In canonical order. Destinations without a placement are left alone. */
  readonly placements: readonly Placement[];
  readonly events: readonly CoreEvent[];
  /** When the time alone changes something. */
  readonly wakeAt: Instant;
  /** Something waits for connections to end. */
  readonly counting: boolean;
  /** Of the servers in service. */
  readonly weightUp: number;
  /** The quorum, or the weight of all servers if that is less. */
  readonly required: number;
  /** Destinations that nobody declared and that are left alone. */
  readonly foreign: readonly string[];
}

/** One server, on its way through a decision. */
export interface Candidate {
  readonly server: RealServerParameters;
  readonly key: string;
  readonly before: ServerMemory | undefined;
  /** It was leaving. */
  readonly returns: boolean;
  readonly assessment: Assessment;
  readonly standing: Standing;
  /** Takes its share, or would if it were not drained. */
  readonly inService: boolean;
  /** Down, and kept in service by the panic threshold. */
  readonly held: boolean;
  readonly failedAt: Instant | undefined;
}

export function decide(
  parameters: VirtualServerParameters,
  before: VirtualServerMemory | undefined,
  observed: Observed,
  now: Moment,
): Decision {
  const memory = before ?? newMemory(now);
  const candidates = withPanic(
    parameters,
    parameters.servers.map((server) => candidate(parameters, memory, server, observed, now)),
  );
  const sums = sum(candidates);
  const required = Math.min(parameters.quorum, sums.total);
  const quorum = quorumAfter({ ...parameters, before: memory.quorum, ...sums });
  // A server that left the file goes on until it is known whether there are others, unless somebody stands in.
  const standsInAlready = quorum === false && parameters.sorryServer !== undefined;
  const holdOver = sums.weight === 0 && sums.pending > 0 && !standsInAlready;
  const left = leaving(parameters, memory, observed, { now, holdOver });
  const standingIn = standsIn(parameters, memory, observed, {
    quorum,
    weight: sums.weight,
    holdOver: holdOver && left.usable,
  });
  const suppressedAt = standingIn && quorum === false ? (memory.suppressedAt ?? now.instant) : undefined;
  const context = {
    now,
    suppressedAt,
    undecided: standingIn && quorum === undefined,
    returning: memory.suppressedAt !== undefined,
    serving: serving(candidates),
  };
  const placed = candidates.map((each) => placeServer(parameters, each, observed, context));
  const sorry = placeSorry(parameters, memory, observed, { now, standingIn });
  const decided = { candidates, placed, left, sorry, quorum, standingIn, suppressedAt, weight: sums.weight, required };
  const next = remember(parameters, memory, decided, now);
  return {
    memory: next.memory,
    placements: [...placed.map(({ placement }) => placement), ...sorry.placements, ...left.placements],
    // Checks that go through it tell what there is to tell.
    events: parameters.probedBy === undefined ? next.events : [],
    wakeAt: nextChange(Math.min(left.wakeAt, sorry.wakeAt), candidates, placed, now),
    counting: left.counting || sorry.counting || placed.some(({ counting }) => counting),
    weightUp: sums.weight,
    required,
    foreign: left.foreign,
  };
}

/** When the time alone changes something for one of the servers, or before that. */
function nextChange(
  before: Instant,
  candidates: readonly Candidate[],
  placed: readonly PlacedServer[],
  now: Moment,
): Instant {
  let next = before;
  for (const { wakeAt } of placed) if (wakeAt < next) next = wakeAt;
  for (const { assessment, standing: stands } of candidates) {
    const { dampedUntil = next } = assessment;
    if (dampedUntil < next) next = dampedUntil;
    if (stands.admin.length > 0) next = Math.min(next, wakeForAdmin(stands.admin, now));
  }
  return next;
}

function candidate(
  parameters: VirtualServerParameters,
  memory: VirtualServerMemory,
  server: RealServerParameters,
  observed: Observed,
  now: Moment,
): Candidate {
  const key = serverKey(server);
  // Back in the file while it was leaving: it goes on as it was. One that has left has to prove itself.
  const left = leavingOf(parameters, memory, server);
  const before = memory.servers.get(key) ?? (observed.found(key) === undefined ? undefined : left?.memory);
  const assessment = assess(parameters, server, before, observed.verdict, now.instant);
  const advices = advicesOf(server.checks, observed.verdict);
  const stands = standing(server, parameters.name, { advices, admin: observed.admin, wall: now.wall });
  const failed = assessment.health === "down" || assessment.damped;
  return {
    server,
    key,
    before,
    returns: left !== undefined,
    assessment,
    standing: stands,
    inService:
      stands.mode !== "maintenance" &&
      !failed &&
      (assessment.health === "up" || asFound(server, memory.fresh, before, observed.found(key))),
    held: false,
    failedAt: failed ? (before?.failedAt ?? now.instant) : undefined,
  };
}

/** Without a result a server goes on as it did, and at first as it was found in the table. */
function asFound(
  { alpha }: RealServerParameters,
  fresh: boolean,
  before: ServerMemory | undefined,
  found: number | undefined,
): boolean {
  if (before !== undefined && !fresh) return before.inService;
  return found === undefined ? !alpha && before?.inService !== false : found > 0;
}

/** Where the checks of nobody pass and a sorry server is there, that is for this case: nobody is kept in its place. */
function withPanic(
  { panicThreshold, sorryServer }: VirtualServerParameters,
  candidates: readonly Candidate[],
): readonly Candidate[] {
  if (panicThreshold === 0) return candidates;
  const counted = candidates.filter(({ standing: { weight } }) => weight > 0);
  const ready = counted.filter(({ standing: { mode } }) => mode === "ready");
  const failing = ready.flatMap(({ key, failedAt, before }): Failing[] =>
    failedAt !== undefined && before?.inService === true ? [{ key, failedAt }] : [],
  );
  const left = ready.filter(({ inService }) => inService).length;
  if (left === 0 && sorryServer !== undefined) return candidates;
  const held = heldByPanic(failing, { left, total: counted.length, threshold: panicThreshold });
  if (held.size === 0) return candidates;
  return candidates.map((each) => (held.has(each.key) ? { ...each, inService: true, held: true } : each));
}

/** How many take a share. */
function serving(candidates: readonly Candidate[]): number {
  const serves = ({ inService, standing: { mode, weight } }: Candidate) => inService && mode === "ready" && weight > 0;
  return candidates.filter(serves).length;
}

function sum(candidates: readonly Candidate[]): { weight: number; total: number; pending: number } {
  let weight = 0;
  let total = 0;
  let pending = 0;
  for (const { inService, assessment, standing: stands } of candidates) {
    if (stands.mode !== "ready") continue;
    total += stands.weight;
    if (inService) weight += stands.weight;
    else if (assessment.health === "unknown") pending += stands.weight;
  }
  return { weight, total, pending };
}

function standsIn(
  { sorryServer }: VirtualServerParameters,
  memory: VirtualServerMemory,
  observed: Observed,
  { quorum, weight, holdOver }: { quorum: boolean | undefined; weight: number; holdOver: boolean },
): boolean {
  if (sorryServer === undefined) return false;
  if (quorum === false) return true;
  if (weight === 0) return !holdOver;
  // Found in the table at the start as well: it stays until it is clear that it is not needed.
  const found = (observed.found(serverKey(sorryServer)) ?? 0) > 0;
  return quorum === undefined && found && (memory.standingIn || memory.fresh);
}
