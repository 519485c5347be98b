/** What the operator says about servers: which servers it is about, what replaces what, and all of it in words. Pure. */
import type { AdminEntry, RealServerParameters } from "../lvs/parameters.ts";

/** A server as an operator names it: without a port all of that address, without a service wherever it serves. */
export type ServerReference = Pick<AdminEntry, "address" | "port" | "service">;

export type AdminKind = "drain" | "maintenance" | "weight";

/** Of one kind only one entry is in force for a server. */
export function kindOf({ what }: Pick<AdminEntry, "what">): AdminKind {
  return what.type === "weight_percent" ? "weight" : what.type;
}

/** Every server that `narrow` names is one that `wide` names. */
export function covers(wide: ServerReference, narrow: ServerReference): boolean {
  return (
    wide.address === narrow.address &&
    (wide.port === undefined || wide.port === narrow.port) &&
    (wide.service === undefined || wide.service === narrow.service)
  );
}

export function names(
  reference: ServerReference,
  virtualServer: string,
  { address, port }: Pick<RealServerParameters, "address" | "port">,
): boolean {
  return covers(reference, { address, ...(port === undefined ? {} : { port }), service: virtualServer });
}

/** What is in force with these: they take the place of what was said of that kind about the same servers. */
export function withEntries(before: readonly AdminEntry[], added: readonly AdminEntry[]): AdminEntry[] {
  const stays = (old: AdminEntry) => !added.some((entry) => kindOf(entry) === kindOf(old) && covers(entry, old));
  return [...before.filter(stays), ...added];
}

/** "192.0.2.21:443 of https", "[2001:db8::21]:443", "192.0.2.21" */
export function describeReference({ address, port, service }: ServerReference): string {
  const host = port === undefined ? address : `${address.includes(":") ? `[${address}]` : address}:${port}`;
  return service === undefined ? host : `${host} of ${service}`;
}

/** "drain", "maintenance", "weight 5", "weight 50%" */
export function describeWhat(what: AdminEntry["what"]): string {
  switch (what.type) {
    case "drain":
    case "maintenance":
      return what.type;
    case "weight":
      return `weight ${what.weight}`;
    case "weight_percent":
      return `weight ${what.percent}%`;
  }
}

/** "192.0.2.21:443: drain by root (uid 0): new kernel (until 2026-01-01T00:00:00.000Z)" */
export function describeEntry(entry: AdminEntry): string {
  const reason = entry.reason === undefined ? "" : `: ${entry.reason}`;
  const until = entry.until === undefined ? "" : ` (until ${new Date(entry.until).toISOString()})`;
  return `${describeReference(entry)}: ${describeWhat(entry.what)} by ${entry.by}${reason}${until}`;
}

/** What was noted, all of it or an error that says what is wrong. */
export function readEntries(text: string): AdminEntry[] {
  const value: unknown = JSON.parse(text);
  if (!Array.isArray(value)) throw new Error("it is no list");
  return value.map((entry: unknown, index) => {
    if (!isEntry(entry)) throw new Error(`its entry ${index + 1} is not understood`);
    return entry;
  });
}

function isEntry(value: unknown): value is AdminEntry {
  if (!isMap(value)) return false;
  const { address, port, service, what, since, until, by, reason } = value;
  return (
    typeof address === "string" &&
    isOptional("number", port) &&
    isOptional("string", service) &&
    isWhat(what) &&
    typeof since === "number" &&
    isOptional("number", until) &&
    typeof by === "string" &&
    isOptional("string", reason)
  );
}

function isWhat(value: unknown): value is AdminEntry["what"] {
  if (!isMap(value)) return false;
  switch (value.type) {
    case "drain":
    case "maintenance":
      return true;
    case "weight":
      return typeof value.weight === "number";
    case "weight_percent":
      return typeof value.percent === "number";
    default:
      return false;
  }
}

function isOptional(type: "number" | "string", value: unknown): boolean {
  return value === undefined || typeof value === type;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
