/** Follows servers that are drained until they have no connection left. */
import type { StatusDocument } from "../daemon/status.ts";
import type { RealServerStatus } from "../lvs/status.ts";
import { ClientError, getJson } from "./client.ts";
import { ExitCode } from "./exit-code.ts";
import { countOf } from "./render-amounts.ts";
import { formatDuration } from "./render-time.ts";
import type { Ordered } from "./server-order.ts";

export interface WaitOptions {
  /** Milliseconds. */
  readonly timeout: number;
  say(line: string): void;
  /** Between two looks; the kernel counts anew every two seconds. */
  readonly interval?: number;
}

export interface WaitEnd {
  /** "ended": somebody took the drain back, or its time is over. */
  readonly outcome: "drained" | "timeout" | "interrupted" | "ended" | "no daemon";
  readonly message: string;
  readonly connections: number | null;
  readonly seconds: number;
}

/** No more lines than this about the same thing. */
const quiet = 5000;

export async function waitUntilDrained(
  socket: string,
  servers: Ordered["servers"],
  { timeout, say, interval = 1000 }: WaitOptions,
): Promise<WaitEnd> {
  const begun = performance.now();
  const interrupt = new AbortController();
  const stop = () => interrupt.abort();
  process.on("SIGINT", stop);
  let left: Left | undefined;
  let told = "";
  let toldAt = Number.NEGATIVE_INFINITY;
  const end = (outcome: WaitEnd["outcome"], message: string): WaitEnd => {
    const seconds = Math.round((performance.now() - begun) / 100) / 10;
    return { outcome, message, connections: left?.connections ?? null, seconds };
  };
  try {
    for (;;) {
      const found = await look(socket, servers);
      const elapsed = performance.now() - begun;
      if (typeof found !== "string") left = found;
      if (typeof found !== "string" && found.over) return end("ended", "it is not drained any more");
      if (typeof found !== "string" && found.applied && found.connections === 0) {
        say(
          `no connection is left after ${formatDuration(elapsed)}${found.persistent === 0 ? "" : `; ${countOf(found.persistent, "client")} may come back to it by persistence`}`,
        );
        return end("drained", "no connection is left");
      }
      const text =
        typeof found === "string"
          ? found
          : found.applied
            ? `${countOf(found.connections, "connection")} left`
            : "the table does not have it yet";
      if (elapsed >= timeout) {
        return end(typeof found === "string" ? "no daemon" : "timeout", `${text} after ${formatDuration(elapsed)}`);
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

interface Left {
  readonly connections: number;
  readonly persistent: number;
  /** The kernel has been told of all of it. */
  readonly applied: boolean;
  readonly over: boolean;
}

/** What is left, or why it is not known: a daemon that is started again meanwhile is waited for. */
async function look(socket: string, servers: Ordered["servers"]): Promise<Left | string> {
  const found: RealServerStatus[] = [];
  for (const name of new Set(servers.map((each) => each.virtual_server))) {
    try {
      const path = `/v1/status?virtual_server=${encodeURIComponent(name)}`;
      const { virtual_servers: all } = (await getJson(socket, path)) as StatusDocument;
      const wanted = new Set(servers.filter((each) => each.virtual_server === name).map(({ server }) => server));
      const told = all.find((each) => each.name === name)?.servers.filter((each) => wanted.has(each.name)) ?? [];
      found.push(...told);
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      // The virtual server has left the file: there is nothing to count any more.
      if (error.exitCode !== ExitCode.noDaemon && error.message.startsWith("no virtual server")) continue;
      return error.message.split("\n")[0] ?? error.message;
    }
  }
  const unknown = found.find(({ state }) => state === "unknown");
  if (unknown !== undefined) return unknown.reason;
  const sum = (count: (server: RealServerStatus) => number) =>
    found.reduce((total, server) => total + count(server), 0);
  return {
    connections: sum((server) => server.active_connections + server.inactive_connections),
    persistent: sum((server) => server.persistent_connections),
    applied: found.every(
      ({ desired_weight: desired, kernel_weight: kernel }) => desired === kernel && (kernel ?? 0) === 0,
    ),
    over: found.some(({ admin }) => !admin.some(({ what }) => what === "drain")),
  };
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
