/** The load balancer for a person: its virtual servers and what troubles them, however many there are. Pure. */
import type { StatusDocument } from "../daemon/status.ts";
import type { LvsStatus, ServiceStatus, VirtualServerStatus } from "../lvs/status.ts";
import { type Colour, type Paint, padTo, widthOf } from "./paint.ts";
import { countOf, formatBytes, formatCount } from "./render-amounts.ts";
import { countsOf } from "./render-counts.ts";
import { aligned } from "./render-rows.ts";
import { byUrgency, isTroubled, renderServers } from "./render-servers.ts";
import { formatDuration } from "./render-time.ts";

const stateColour: Record<VirtualServerStatus["state"], Colour> = {
  up: "green",
  quorum_lost: "yellow",
  down: "red",
  unknown: "yellow",
};

/** Up to so many servers in all are told one by one. */
const allShown = 30;
/** Of more virtual servers, and of more servers with troubles, these are told and the rest is counted. */
const mostRows = 30;
const mostNamed = 5;

export function renderVirtualServers(status: StatusDocument, now: Date, paint: Paint): string[][] {
  const { virtual_servers: all, lvs } = status;
  if (lvs === null) return [];
  const [only] = all;
  const servers = all.reduce((sum, each) => sum + each.servers.length, 0);
  const one = all.length === 1 && status.instances.length === 0;
  const blocks =
    only !== undefined && one
      ? [inFull(only, now, paint)]
      : servers <= allShown && all.length <= allShown
        ? all.map((each) => withServers(each, now, paint))
        : summary(all, servers, now, paint);
  return [...blocks, renderLvs(lvs, paint)];
}

/** Alone on the screen: with its services, checks and history. */
function inFull(virtualServer: VirtualServerStatus, now: Date, paint: Paint): string[] {
  const servers = byUrgency(virtualServer.servers).map((server) => ({ server }));
  const services = virtualServer.services.slice(0, mostRows).map((service) => serviceRow(service, paint));
  return [
    headline(virtualServer, now, paint),
    ...aligned(
      [
        ...facts(virtualServer, now, paint),
        ...services,
        ...more("service", virtualServer.services.length - services.length),
      ],
      paint,
    ),
    ...renderServers(servers, { now, paint, inFull: true }),
  ];
}

function withServers(virtualServer: VirtualServerStatus, now: Date, paint: Paint): string[] {
  const servers = virtualServer.servers.map((server) => ({ server }));
  return [
    headline(virtualServer, now, paint),
    ...rowsOf(facts(virtualServer, now, paint), paint),
    ...renderServers(servers, { now, paint, inFull: false }),
  ];
}

/** One line each, then the servers that are not as they should be. */
function summary(all: readonly VirtualServerStatus[], servers: number, now: Date, paint: Paint): string[][] {
  const listed = all.toSorted((a, b) => rank(a) - rank(b)).slice(0, mostRows);
  const head = ["VIRTUAL SERVER", "STATE", "FOR", "SERVERS UP", "ACTIVE", "CONN/S", "IN/S", "WHY"];
  const rows = listed.map((each) => {
    const { name, state, since, reason } = each;
    const traffic = sumOf(each.services);
    return [
      paint("bold", name),
      paint(stateColour[state], wordOf(state)),
      formatDuration(now.getTime() - Date.parse(since)),
      `${upOf(each)} of ${declaredOf(each)}`,
      formatCount(activeOf(each)),
      formatCount(traffic.connections),
      formatBytes(traffic.bytes),
      [...remarks(each), reason].join("; "),
    ];
  });
  const widths = head.map((title, i) => Math.max(widthOf(title), ...rows.map((row) => widthOf(row[i] ?? ""))));
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => padTo(cell, widths[i] ?? 0))
      .join("  ")
      .trimEnd();
  const left = all.length - listed.length;
  const table = [
    line(head.map((title) => paint("dim", title))),
    ...rows.map(line),
    ...(left === 0
      ? []
      : [paint("dim", `${left} more virtual servers, ${countUp(all.length - left, all)} of them up`)]),
  ];
  return [table, troubled(all, servers, now, paint)];
}

function countUp(shown: number, all: readonly VirtualServerStatus[]): number {
  return all
    .toSorted((a, b) => rank(a) - rank(b))
    .slice(shown)
    .filter(({ state }) => state === "up").length;
}

function troubled(all: readonly VirtualServerStatus[], servers: number, now: Date, paint: Paint): string[] {
  const nameOf = new Map(all.flatMap(({ name, servers: each }) => each.map((server) => [server, name] as const)));
  const found = byUrgency([...nameOf.keys()].filter(isTroubled));
  const listed = found.slice(0, mostRows).map((server) => {
    const virtualServer = nameOf.get(server);
    return { server, ...(virtualServer === undefined ? {} : { virtualServer }) };
  });
  const left = found.length - listed.length;
  const well = servers - found.length;
  return [
    ...renderServers(listed, { now, paint, inFull: false }),
    paint(
      "dim",
      `${left === 0 ? "" : `${left} more like these; `}${countOf(well, "server")} without trouble; viprd status NAME tells about one virtual server`,
    ),
  ];
}

function headline(virtualServer: VirtualServerStatus, now: Date, paint: Paint): string {
  const { name, state, since, scheduler, services } = virtualServer;
  const [first, ...others] = services;
  const where = `${first?.address ?? "no service"}${others.length === 0 ? "" : ` and ${others.length} more`}`;
  const duration = formatDuration(now.getTime() - Date.parse(since));
  const word = paint(stateColour[state], wordOf(state));
  return `${paint("bold", name)}  ${word} for ${duration}  ${paint("dim", `${where}, ${scheduler}`)}`;
}

type Row = [string, string];

function facts(virtualServer: VirtualServerStatus, now: Date, paint: Paint): Row[] {
  const { quorum, services, foreign, reason } = virtualServer;
  const traffic = sumOf(services);
  const hysteresis = quorum.hysteresis === 0 ? "" : ` ± ${quorum.hysteresis}`;
  const sum = `weight ${quorum.weight_up}, quorum ${quorum.required}${hysteresis}`;
  const absent = services.filter(({ present }) => !present).map(({ address }) => address);
  return [
    ["why", reason],
    ["servers", `${countOfServers(virtualServer)}; ${sum}`],
    [
      "traffic",
      `${formatCount(activeOf(virtualServer))} active, ${formatCount(traffic.connections)} connections/s, ${formatBytes(traffic.bytes)}/s in`,
    ],
    ...remarks(virtualServer).map((text): Row => ["beware", paint("yellow", text)]),
    ...sorry(virtualServer, now),
    ...(absent.length === 0 ? [] : [["missing", paint("red", `not in the table: ${someOf(absent)}`)] satisfies Row]),
    ...(foreign.length === 0 ? [] : [["foreign", paint("yellow", `left alone: ${someOf(foreign)}`)] satisfies Row]),
  ];
}

function sorry({ sorry_server: server }: VirtualServerStatus, now: Date): Row[] {
  if (server === null || server.standing_in) return [];
  const { name, until, active_connections: active, inactive_connections: inactive } = server;
  if (until === null) return [["sorry", `${name} stands by`]];
  const left = formatDuration(Date.parse(until) - now.getTime());
  return [["sorry", `${name} leaves: ${active} active and ${inactive} inactive connections, ${left} at most`]];
}

/** What an operator must not overlook. */
function remarks({ sorry_server: sorryServer, panic, suspended }: VirtualServerStatus): string[] {
  return [
    ...(sorryServer?.standing_in === true ? [`the sorry server ${sorryServer.name} stands in`] : []),
    ...(panic ? ["panic: failures are not acted upon, as too few servers would be left"] : []),
    ...(suspended ? ["checks are suspended: the instance is not active here"] : []),
  ];
}

function serviceRow({ address, present, traffic }: ServiceStatus, paint: Paint): Row {
  const { connections, packets_in: packets, bytes_in: bytesIn, bytes_out: bytesOut } = traffic;
  const text = `${address}  ${formatCount(connections)} ${connections === 1 ? "connection" : "connections"}, ${formatCount(packets)} packets and ${formatBytes(bytesIn)} in, ${formatBytes(bytesOut)} out`;
  return ["service", present ? text : paint("red", `${address}  not in the table`)];
}

function more(thing: string, count: number): Row[] {
  return count <= 0 ? [] : [[thing, `${count} more`]];
}

/** The load balancer as a whole; nothing when there is nothing to say. */
function renderLvs(lvs: Omit<LvsStatus, "virtual_servers">, paint: Paint): string[] {
  const { trouble, findings, problems, drift, unmanaged, sync_daemons: sync, settings, errors } = lvs;
  const refused = countsOf(errors);
  const rows: Row[] = [
    ...(trouble === null ? [] : [["trouble", paint("red", trouble)] satisfies Row]),
    ...problems.map((text): Row => ["problem", paint("red", text)]),
    ...findings.map(({ level, message }): Row => ["host", level === "warning" ? paint("yellow", message) : message]),
    ...(drift.found === 0
      ? []
      : [
          [
            "drift",
            paint(
              "yellow",
              `${countOf(drift.found, "change")} by others found, ${drift.repaired} repaired; the last: ${drift.last ?? "unknown"}`,
            ),
          ] satisfies Row,
        ]),
    ...(unmanaged.length === 0
      ? []
      : [["unmanaged", `not declared here, never touched: ${someOf(unmanaged)}`] satisfies Row]),
    ...(refused === "" ? [] : [["refused", paint("yellow", `by the kernel: ${refused}`)] satisfies Row]),
    ...sync.map(
      ({ role, interface: device, sync_id: id, from }): Row => [
        "sync",
        `${role} on ${device}, id ${id}${from === "viprd" ? "" : from === "found" ? ", found running" : ", of somebody else"}`,
      ],
    ),
    ...settings.map(({ name, value, before }): Row => ["setting", `${name} = ${value}, was ${before}`]),
  ];
  return rows.length === 0 ? [] : [paint("bold", "load balancer"), ...rowsOf(rows, paint)];
}

function rowsOf(rows: readonly Row[], paint: Paint): string[] {
  return rows.length === 0 ? [] : aligned(rows, paint);
}

function someOf(texts: readonly string[]): string {
  const shown = texts.slice(0, mostNamed).join(", ");
  return texts.length > mostNamed ? `${shown} and ${texts.length - mostNamed} more` : shown;
}

function wordOf(state: VirtualServerStatus["state"]): string {
  return state.replace("_", " ");
}

function rank({ state, panic, sorry_server: sorryServer, servers }: VirtualServerStatus): number {
  const order = { down: 0, quorum_lost: 1, unknown: 2, up: 3 }[state];
  const calm = !panic && sorryServer?.standing_in !== true;
  return order * 4 + (calm ? 2 : 0) + (servers.some(isTroubled) ? 0 : 1);
}

/** "2 of 3 up", "2 of 3 up and 1 leaving" */
function countOfServers(virtualServer: VirtualServerStatus): string {
  const declared = declaredOf(virtualServer);
  const leaving = virtualServer.servers.length - declared;
  return `${upOf(virtualServer)} of ${declared} up${leaving === 0 ? "" : ` and ${leaving} leaving`}`;
}

/** Those of the file. */
function declaredOf({ servers }: VirtualServerStatus): number {
  return servers.filter(({ state }) => state !== "leaving").length;
}

function upOf({ servers }: VirtualServerStatus): number {
  return servers.filter(({ state }) => state === "up").length;
}

function activeOf({ servers }: VirtualServerStatus): number {
  return servers.reduce((sum, server) => sum + server.active_connections, 0);
}

function sumOf(services: readonly ServiceStatus[]): { readonly connections: number; readonly bytes: number } {
  return services.reduce(
    ({ connections, bytes }, { traffic }) => ({
      connections: connections + traffic.connections_per_second,
      bytes: bytes + traffic.bytes_in_per_second,
    }),
    { connections: 0, bytes: 0 },
  );
}
