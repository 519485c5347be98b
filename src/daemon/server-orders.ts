/** What the operator wants of servers, checked against what is configured and what would be left, then said. */
import type { AdminEntry, LvsParameters } from "../lvs/parameters.ts";
import {
  type AdminKind,
  covers,
  describeEntry,
  describeReference,
  describeWhat,
  kindOf,
  names,
  type ServerReference,
  withEntries,
} from "./admin-entries.ts";
import { emptiedBy, type VerdictOf } from "./last-server.ts";
import type { ServerAdmin } from "./server-admin.ts";
import { type FoundServer, findServers, parseServer } from "./server-lookup.ts";
import type { BeginRequest, ServerRequest } from "./server-request.ts";

export interface ServerOrdersTarget {
  lvs(): LvsParameters | undefined;
  readonly verdictOf: VerdictOf;
  readonly admin: Pick<ServerAdmin, "entries" | "begin" | "end">;
}

/** What came of it; `refusal` with the status of the answer. */
export type OrderAnswer =
  | {
      readonly servers: readonly { readonly virtual_server: string; readonly server: string }[];
      /** "drain", "maintenance", "weight 5"; null when something was taken back. */
      readonly what: string | null;
      /** ISO 8601 */
      readonly until: string | null;
      /** What the operator should know besides. */
      readonly notes: readonly string[];
    }
  | { readonly refusal: string; readonly status: 400 | 404 | 409 };

export class ServerOrders {
  readonly #target: ServerOrdersTarget;

  constructor(target: ServerOrdersTarget) {
    this.#target = target;
  }

  begin(request: BeginRequest, by: string): OrderAnswer {
    const reference = referenceOf(request);
    if (typeof reference === "string") return { refusal: reference, status: 400 };
    const found = findServers(this.#target.lvs(), reference);
    if (typeof found === "string") return { refusal: found, status: 404 };
    const { admin, verdictOf } = this.#target;
    const { what, reason, for_s, force } = request;
    const since = Date.now();
    const until = for_s === undefined ? {} : { until: since + for_s * 1000 };
    const entry: AdminEntry = { ...reference, what, since, ...until, by, ...(reason === undefined ? {} : { reason }) };
    const emptied = emptiedBy(found, admin.entries, withEntries(admin.entries, [entry]), verdictOf);
    const bare = emptied.filter(({ virtualServer }) => virtualServer.sorryServer === undefined);
    if (bare.length > 0 && force !== true) {
      const why = bare.map(
        ({ virtualServer, others }) =>
          `${virtualServer.name} would have no server left that takes new connections${others.length === 0 ? "" : `: ${others.slice(0, 4).join(", ")}`}`,
      );
      return { refusal: `${why.join("; ")}. With --force it is done all the same`, status: 409 };
    }
    admin.begin([entry]);
    const notes = emptied.map(({ virtualServer: { name, sorryServer } }) =>
      sorryServer === undefined
        ? `${name} has no server left that takes new connections`
        : `the sorry server ${sorryServer.name} stands in for ${name}`,
    );
    return {
      servers: found.map(serverOf),
      what: describeWhat(what),
      until: entry.until === undefined ? null : new Date(entry.until).toISOString(),
      notes,
    };
  }

  end(kind: AdminKind, request: ServerRequest, by: string): OrderAnswer {
    const reference = referenceOf(request);
    if (typeof reference === "string") return { refusal: reference, status: 400 };
    const { admin, lvs } = this.#target;
    const wider = admin.entries.find((entry) => kindOf(entry) === kind && covers(entry, reference));
    const ended = admin.end(kind, reference, by);
    const found = findServers(lvs(), reference);
    if (ended.length === 0) {
      // What was said of more than this one is not taken back in part: nobody would see what is left of it.
      if (wider !== undefined) {
        const text = describeReference(wider);
        return { refusal: `${describeWhat(wider.what)} was said of ${text}: take it back for ${text}`, status: 409 };
      }
      if (typeof found === "string") return { refusal: found, status: 404 };
    }
    const still = typeof found === "string" ? [] : found.flatMap((server) => stillOut(server, admin.entries));
    // A server may have left the file since.
    const left = ended.filter((entry) => typeof findServers(lvs(), entry) === "string");
    return {
      servers: typeof found === "string" ? [] : found.filter((each) => isNamed(each, ended)).map(serverOf),
      what: null,
      until: null,
      notes: [
        ...left.map((entry) => `taken back, of what the file has no longer: ${describeEntry(entry)}`),
        ...(ended.length === 0 && still.length > 0 ? [`there is no ${kind} to take back`] : []),
        ...still,
      ],
    };
  }
}

function isNamed({ virtualServer, server }: FoundServer, entries: readonly AdminEntry[]): boolean {
  return entries.some((entry) => names(entry, virtualServer.name, server));
}

/** What else keeps new connections from a server. */
function stillOut({ virtualServer, server }: FoundServer, entries: readonly AdminEntry[]): string[] {
  const said = entries.filter((entry) => names(entry, virtualServer.name, server));
  const weight = said.findLast((entry) => kindOf(entry) === "weight");
  return said
    .filter((entry) => kindOf(entry) !== "weight" || (entry === weight && isZero(entry.what)))
    .map((entry) => `${server.name} of ${virtualServer.name} gets nothing new: ${describeEntry(entry)}`);
}

function isZero(what: AdminEntry["what"]): boolean {
  return (what.type === "weight" && what.weight === 0) || (what.type === "weight_percent" && what.percent === 0);
}

function referenceOf({ server, service }: ServerRequest): ServerReference | string {
  const reference = parseServer(server);
  if (reference === undefined) {
    return `server: expected ADDRESS, ADDRESS:PORT or [IPV6]:PORT, got ${JSON.stringify(server)}`;
  }
  return service === undefined ? reference : { ...reference, service };
}

function serverOf({ virtualServer, server }: FoundServer) {
  return { virtual_server: virtualServer.name, server: server.name };
}
