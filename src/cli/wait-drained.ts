/**
 * Follows servers that are drained until they have no connection left that is at work. Inactive ones over TCP are closed or
 * half closed, and remembered for minutes; those over UDP are never anything else.
 */
import type { StatusDocument } from "../daemon/status.ts";
import type { RealServerStatus, VirtualServerStatus } from "../lvs/status.ts";
import { ClientError, getJson } from "./client.ts";
import { ExitCode } from "./exit-code.ts";
import { countOf } from "./render-amounts.ts";
import { formatDuration } from "./render-time.ts";
import type { Ordered } from "./server-order.ts";

export interface WaitOptions {
  /** Milliseconds. */
  readonly timeout: number;
  say(line: string): void;
  /** Said as soon as Ctrl-C ends nothing but the waiting. */
  readonly first: string;
  /** Between two looks; the kernel counts anew every two seconds. */
  readonly interval?: number;
}

export interface WaitEnd {
  /** "ended": somebody took the drain back, or its time is over. */
  readonly outcome: "drained" | "timeout" | "interrupted" | "ended" | "no daemon";
  readonly message: string;
  /** Those that were waited for. */
  readonly connections: number | null;
  /** Those that were not. */
  readonly inactive: number | null;
  readonly seconds: number;
}

/** No more lines than this about the same thing. */
const quiet = 5000;
/** A handshake that was under way makes an active connection a moment later: nothing is left when that is seen so often. */
const looksWithout = 3;

export async function waitUntilDrained(
  socket: string,
  servers: Ordered["servers"],
  { timeout, say, first, interval = 1000 }: WaitOptions,
): Promise<WaitEnd> {
  const begun = performance.now();
  const interrupt = new AbortController();
  const stop = () => interrupt.abort();
  process.on("SIGINT", stop);
  say(first);
  let left: Left | undefined;
  let without = 0;
  let told = "";
  let toldAt = Number.NEGATIVE_INFINITY;
  const end = (outcome: WaitEnd["outcome"], message: string): WaitEnd => {
    const seconds = Math.round((performance.now() - begun) / 100) / 10;
    return { outcome, message, connections: left?.connections ?? null, inactive: left?.inactive ?? null, seconds };
  };
  try {
    for (;;) {
      const found = await look(socket, servers);
      const elapsed = performance.now() - begun;
      if ("connections" in found) {
        left = found;
        if (found.over) return end("ended", "it is not drained any more");
        without = found.applied && found.connections === 0 ? without + 1 : 0;
        if (without >= looksWithout) {
          const message = `no ${found.inactive === 0 ? "" : "active "}connection is left`;
          say(
            `${message} after ${formatDuration(elapsed)}${remembered(found.inactive)}${comingBack(found.persistent)}`,
          );
          return end("drained", message);
        }
      }
      const text = describe(found);
      if (elapsed >= timeout) {
        const outcome = "why" in found && found.noDaemon ? "no daemon" : "timeout";
        return end(outcome, `${text} after ${formatDuration(elapsed)}`);
      }
      if (interrupt.signal.aborted) return end("interrupted", `${text} after ${formatDuration(elapsed)}`);
      if (text !== told && elapsed - toldAt >= quiet) {
        say(text);
        [told, toldAt] = [text, elapsed];
      }
      await pause(Math.min(interval, timeout - elapsed), interrupt.signal);
    }
  } finally {
    process.off("SIGINT", stop);
  }
}

function describe(found: Left | Unknown): string {
  if ("why" in found) return found.why;
  if (!found.applied) return "the table does not have it yet";
  const { connections, inactive, streams } = found;
  if (!streams) return `${countOf(connections, "connection")} left`;
  return `${countOf(connections, "active connection")} left${inactive === 0 ? "" : `, ${inactive} inactive`}`;
}

function remembered(inactive: number): string {
  if (inactive === 0) return "";
  return `; ${inactive} inactive: closed or half closed, and remembered by the kernel for a while`;
}

function comingBack(persistent: number): string {
  return persistent === 0 ? "" : `; ${countOf(persistent, "client")} may come back to it by persistence`;
}

/** A daemon that is started again meanwhile is waited for. */
interface Unknown {
  readonly why: string;
  readonly noDaemon: boolean;
}

interface Left {
  readonly connections: number;
  readonly inactive: number;
  /** All are over TCP or SCTP. */
  readonly streams: boolean;
  readonly persistent: number;
  /** The kernel has been told of all of it. */
  readonly applied: boolean;
  readonly over: boolean;
}

/** What is left, or why it is not known. */
async function look(socket: string, servers: Ordered["servers"]): Promise<Left | Unknown> {
  const found: Found[] = [];
  for (const name of new Set(servers.map((each) => each.virtual_server))) {
    try {
      const wanted = new Set(servers.filter((each) => each.virtual_server === name).map(({ server }) => server));
      for (const { services, servers: all } of await named(socket, name)) {
        const streams = services.every(({ address }) => /^(tcp|sctp) /.test(address));
        found.push(...all.filter((each) => wanted.has(each.name)).map((server) => ({ server, streams })));
      }
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      return { why: error.message.split("\n")[0] ?? error.message, noDaemon: error.exitCode === ExitCode.noDaemon };
    }
  }
  const unknown = found.find(({ server }) => server.state === "unknown");
  if (unknown !== undefined) return { why: unknown.server.reason, noDaemon: false };
  const sum = (count: (found: Found) => number) => found.reduce((total, each) => total + count(each), 0);
  const inactive = sum(({ server, streams }) => (streams ? server.inactive_connections : 0));
  return {
    connections: sum(({ server }) => server.active_connections + server.inactive_connections) - inactive,
    inactive,
    streams: found.every(({ streams }) => streams),
    persistent: sum(({ server }) => server.persistent_connections),
    applied: found.every(
      ({ server: { desired_weight: desired, kernel_weight: kernel } }) => desired === kernel && (kernel ?? 0) === 0,
    ),
    // One that leaves the file is drained without anybody's word.
    over: found.some(
      ({ server: { state, admin } }) => state !== "leaving" && !admin.some(({ what }) => what === "drain"),
    ),
  };
}

/** The virtual server; or, when it has left the file, what goes on in the table until its connections have ended. */
async function named(socket: string, name: string): Promise<readonly VirtualServerStatus[]> {
  try {
    const path = `/v1/status?virtual_server=${encodeURIComponent(name)}`;
    const { virtual_servers: all } = (await getJson(socket, path)) as StatusDocument;
    return all.filter((each) => each.name === name);
  } catch (error) {
    const isGone = error instanceof ClientError && error.exitCode !== ExitCode.noDaemon;
    if (!isGone || !error.message.startsWith("no virtual server")) throw error;
  }
  const { virtual_servers: all } = (await getJson(socket, "/v1/status")) as StatusDocument;
  return all.filter((each) => each.name === `${name} (leaving)`);
}

interface Found {
  readonly server: RealServerStatus;
  /** Its virtual server is one of TCP or SCTP: a firewall mark may stand for anything. */
  readonly streams: boolean;
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", finish);
      resolve();
    };
    const timer = setTimeout(finish, milliseconds);
    signal.addEventListener("abort", finish);
    if (signal.aborted) finish();
  });
}
