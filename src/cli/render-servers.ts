/** The servers of a virtual server for a person: one line each, and what is to be said of those with something to say. Pure. */
import type { AdminStatus, RealServerStatus, ServerState } from "../lvs/status.ts";
import { type Colour, type Paint, padTo, widthOf } from "./paint.ts";
import { formatBytes, formatCount } from "./render-amounts.ts";
import { formatDuration, formatMoment } from "./render-time.ts";

export const serverColour: Record<ServerState, Colour> = {
  up: "green",
  down: "red",
  unknown: "yellow",
  draining: "cyan",
  maintenance: "cyan",
  leaving: "cyan",
};

const urgency: readonly ServerState[] = ["down", "unknown", "draining", "maintenance", "leaving", "up"];
const head = ["SERVER", "STATE", "FOR", "WEIGHT", "ACTIVE", "INACTIVE", "CONN/S", "IN/S", "OUT/S", "WHY"];
/** Columns of numbers. */
const rightAligned = new Set([3, 4, 5, 6, 7, 8]);
const changesTold = 3;

export function isTroubled(server: RealServerStatus): boolean {
  return server.state !== "up" || server.admin.length > 0 || server.hints.length > 0 || isOff(server);
}

/** The kernel has not what it should have. */
function isOff({ desired_weight: desired, kernel_weight: kernel, state }: RealServerStatus): boolean {
  return state !== "unknown" && desired !== kernel;
}

/** Those who matter most, at the top; as they stand otherwise. */
export function byUrgency(servers: readonly RealServerStatus[]): RealServerStatus[] {
  const rank = (server: RealServerStatus) => 2 * urgency.indexOf(server.state) + (isTroubled(server) ? 0 : 1);
  return servers.toSorted((a, b) => rank(a) - rank(b));
}

export interface NamedServer {
  readonly server: RealServerStatus;
  /** In front of its name, where servers of several are listed. */
  readonly virtualServer?: string;
}

/** `inFull`: with checks and history. */
export function renderServers(
  listed: readonly NamedServer[],
  { now, paint, inFull }: { readonly now: Date; readonly paint: Paint; readonly inFull: boolean },
): string[] {
  if (listed.length === 0) return [];
  const rows = listed.map(({ server, virtualServer }) => row(server, virtualServer, now, paint));
  const widths = head.map((title, i) => Math.max(widthOf(title), ...rows.map((cells) => widthOf(cells[i] ?? ""))));
  const line = (cells: readonly string[]) =>
    `  ${cells.map((cell, i) => place(cell, i, widths[i] ?? 0)).join("  ")}`.trimEnd();
  return [
    line(head.map((title) => paint("dim", title))),
    ...rows.flatMap((cells, i) => {
      const server = listed[i]?.server;
      return [line(cells), ...(server === undefined ? [] : details(server, now, paint, inFull))];
    }),
  ];
}

function place(cell: string, column: number, width: number): string {
  return rightAligned.has(column) ? " ".repeat(Math.max(0, width - widthOf(cell))) + cell : padTo(cell, width);
}

function row(server: RealServerStatus, virtualServer: string | undefined, now: Date, paint: Paint): string[] {
  const { traffic, state } = server;
  const name = paint("bold", server.name);
  return [
    virtualServer === undefined ? name : `${virtualServer} ${name}`,
    paint(serverColour[state], state),
    formatDuration(now.getTime() - Date.parse(server.since)),
    weight(server, paint),
    formatCount(server.active_connections),
    formatCount(server.inactive_connections),
    formatCount(traffic.connections_per_second),
    formatBytes(traffic.bytes_in_per_second),
    formatBytes(traffic.bytes_out_per_second),
    server.reason,
  ];
}

/** "10", "0 of 10", "none" when it is not in the table, and what the kernel has where that is something else. */
function weight(server: RealServerStatus, paint: Paint): string {
  const { configured_weight: configured, desired_weight: desired, kernel_weight: kernel } = server;
  const wanted = desired === null ? "none" : String(desired);
  const text = desired === configured ? wanted : `${wanted} of ${configured}`;
  return isOff(server) ? paint("red", `${text}, kernel ${kernel ?? "none"}`) : text;
}

function details(server: RealServerStatus, now: Date, paint: Paint, inFull: boolean): string[] {
  const said = server.admin.map((entry) => ["operator", paint("cyan", describeAdmin(entry, now))]);
  const hints = server.hints.map((hint) => ["hint", paint("yellow", hint)]);
  const failing = server.checks.filter(({ up }) => up !== true);
  const checks = (inFull ? server.checks : server.checks.length > 1 ? failing : []).map(({ name, up, reason }) => {
    const text = `${name} ${up === null ? "unknown" : up ? "up" : "down"}: ${reason}`;
    return ["check", up === false ? paint("red", text) : text];
  });
  const persistent =
    inFull && server.persistent_connections > 0
      ? [["persistent", `${server.persistent_connections} clients are bound to it`]]
      : [];
  const history = (inFull ? server.changes.slice(-changesTold).reverse() : []).map(({ at, state, reason }) => [
    "changed",
    `${formatMoment(new Date(at), now)} ${state}: ${reason}`,
  ]);
  const { weight_reason: why } = server;
  const weights =
    why !== null && (inFull || server.desired_weight !== server.configured_weight) ? [["weight", why]] : [];
  return [...said, ...weights, ...hints, ...checks, ...persistent, ...history].map(
    ([label = "", text]) => `    ${paint("dim", label.padEnd(10))}  ${text}`,
  );
}

/** "drain by root (uid 0) since 12:00:00 until 13:00:00: new kernel" */
function describeAdmin({ what, by, reason, since, until }: AdminStatus, now: Date): string {
  const end = until === null ? "" : ` until ${formatMoment(new Date(until), now)}`;
  const why = reason === null ? "" : `: ${reason}`;
  return `${what} by ${by} since ${formatMoment(new Date(since), now)}${end}${why}`;
}
