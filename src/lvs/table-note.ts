/**
 * What outlives the process, as a plain value: which services are ours, which servers are on their way out and until when, and how
 * far a server has come back. Instants hold for one boot of the machine, and so does the table. Pure.
 */
import type { Instant, Leaving, ServerMemory, SorryLeaving, VirtualServerMemory } from "./memory.ts";
import type { ServiceAddress, VirtualServerParameters } from "./parameters.ts";
import type { ServerState } from "./status.ts";

/** A virtual server as the note has it. */
export interface Noted {
  readonly name: string;
  /** It is no longer in the file. */
  readonly retired: boolean;
  readonly services: readonly NotedService[];
  readonly drainTimeout: number;
  readonly onStop: VirtualServerParameters["onStop"];
  readonly memory: VirtualServerMemory;
}

/** Where the note is. */
export interface Note {
  /** One that is broken is told and ignored: the table itself says most. */
  read(): { readonly noted: readonly Noted[]; readonly trouble?: string };
  /** Returns why it could not be written. */
  write(units: readonly Noted[]): string | undefined;
}

export interface NotedService {
  readonly address: ServiceAddress;
  /** Destinations that this program put there. */
  readonly destinations: readonly string[];
}

const version = 1;

interface NotedServer {
  readonly state: ServerState;
  readonly since: number;
  readonly inService: boolean;
  readonly failedAt?: Instant;
  readonly slowSince?: Instant;
  readonly removed?: true;
  readonly damped?: true;
  readonly flaps?: readonly Instant[];
}

export function formatNote(units: readonly Noted[]): object {
  const virtualServers = units.map(({ memory, ...unit }) => ({
    ...unit,
    quorum: memory.quorum ?? null,
    standingIn: memory.standingIn,
    sorryLeaves: memory.sorryLeaves,
    suppressedAt: memory.suppressedAt,
    panic: memory.panic,
    state: memory.state,
    since: memory.since,
    servers: [...memory.servers].map(([key, server]) => [key, notedServer(server)]),
    leaving: [...memory.leaving].map(([key, { until, since, reason, memory: server }]) => {
      return [key, { until, since, reason, memory: server === undefined ? undefined : notedServer(server) }];
    }),
  }));
  return { version, virtualServers };
}

function notedServer({
  state,
  since,
  inService,
  failedAt,
  slowSince,
  removed,
  damped,
  flaps,
}: ServerMemory): NotedServer {
  return {
    state,
    since,
    inService,
    ...(failedAt === undefined ? {} : { failedAt }),
    ...(slowSince === undefined ? {} : { slowSince }),
    ...(removed ? { removed } : {}),
    ...(damped ? { damped } : {}),
    ...(flaps.length === 0 ? {} : { flaps }),
  };
}

/** Of none, nothing; throws what is wrong with it. */
export function parseNote(note: unknown): readonly Noted[] {
  if (note === undefined) return [];
  if (!isObject(note) || note.version !== version) throw new Error("it is no note of this version");
  return list(note.virtualServers, "virtualServers").map(parseUnit);
}

function parseUnit(value: unknown): Noted {
  if (!isObject(value)) throw new Error("a virtual server is no object");
  const name = text(value.name, "name");
  const { quorum, onStop, state, suppressedAt, sorryLeaves } = value;
  if (onStop !== "keep" && onStop !== "drain" && onStop !== "remove") throw new Error(`onStop of ${name}`);
  if (state !== "up" && state !== "quorum_lost" && state !== "down") throw new Error(`state of ${name}`);
  return {
    name,
    retired: value.retired === true,
    services: list(value.services, "services").map(parseService),
    drainTimeout: number(value.drainTimeout, "drainTimeout"),
    onStop,
    memory: {
      fresh: true,
      servers: new Map(pairs(value.servers, "servers").map(([key, server]) => [key, parseServer(server, key)])),
      leaving: new Map(pairs(value.leaving, "leaving").map(([key, leaving]) => [key, parseLeaving(leaving, key)])),
      quorum: typeof quorum === "boolean" ? quorum : undefined,
      standingIn: value.standingIn === true,
      ...(sorryLeaves === undefined ? {} : { sorryLeaves: parseSorryLeaving(sorryLeaves) }),
      ...(typeof suppressedAt === "number" ? { suppressedAt } : {}),
      panic: value.panic === true,
      state,
      reason: "as before the restart",
      since: number(value.since, "since"),
    },
  };
}

function parseService(value: unknown): NotedService {
  if (!isObject(value)) throw new Error("a service is no object");
  const destinations = list(value.destinations, "destinations").map((each) => text(each, "destination"));
  return { address: serviceAddress(value.address), destinations };
}

function serviceAddress(value: unknown): ServiceAddress {
  if (!isObject(value)) throw new Error("the address of a service is no object");
  const family = familyOf(value.family);
  if (value.kind === "mark") return { kind: "mark", family, mark: number(value.mark, "mark") };
  const { protocol } = value;
  if (value.kind !== "address") throw new Error("a service of an unknown kind");
  if (protocol !== "tcp" && protocol !== "udp" && protocol !== "sctp") throw new Error("a service of no protocol");
  return {
    kind: "address",
    family,
    protocol,
    address: text(value.address, "address"),
    port: number(value.port, "port"),
  };
}

function parseServer(value: unknown, key: string): ServerMemory {
  if (!isObject(value)) throw new Error(`the server ${key} is no object`);
  const { failedAt, slowSince, state, flaps } = value;
  return {
    // Whether it is up now, the checks have to say.
    health: "unknown",
    flaps: flaps === undefined ? [] : list(flaps, "flaps").map((at) => number(at, "flaps")),
    damped: value.damped === true,
    inService: value.inService === true,
    ...(typeof failedAt === "number" ? { failedAt } : {}),
    removed: value.removed === true,
    ...(typeof slowSince === "number" ? { slowSince } : {}),
    state: serverState(state, key),
    reason: "as before the restart",
    since: number(value.since, `since of ${key}`),
    changes: [],
  };
}

function parseLeaving(value: unknown, key: string): Leaving {
  if (!isObject(value)) throw new Error(`the leaving server ${key} is no object`);
  const { memory } = value;
  return {
    until: number(value.until, `until of ${key}`),
    since: number(value.since, `since of ${key}`),
    reason: text(value.reason, `reason of ${key}`),
    ...(memory === undefined ? {} : { memory: parseServer(memory, key) }),
  };
}

function parseSorryLeaving(value: unknown): SorryLeaving {
  if (!isObject(value)) throw new Error("sorryLeaves is no object");
  return { until: number(value.until, "until of the sorry server"), wasServer: value.wasServer === true };
}

const states: ReadonlySet<string> = new Set(["unknown", "up", "down", "draining", "maintenance", "leaving"]);

function serverState(value: unknown, key: string): ServerState {
  const known = (state: unknown): state is ServerState => typeof state === "string" && states.has(state);
  if (!known(value)) throw new Error(`the state of ${key}`);
  return value;
}

function familyOf(value: unknown): 4 | 6 {
  if (value !== 4 && value !== 6) throw new Error("a service of no family");
  return value;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function list(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error(`${what} is no list`);
  return value;
}

function pairs(value: unknown, what: string): readonly (readonly [string, unknown])[] {
  return list(value, what).map((pair) => {
    const [key, of] = list(pair, what);
    return [text(key, what), of];
  });
}

function text(value: unknown, what: string): string {
  if (typeof value !== "string") throw new Error(`${what} is no text`);
  return value;
}

function number(value: unknown, what: string): number {
  if (typeof value !== "number") throw new Error(`${what} is no number`);
  return value;
}
