/** The bodies of the requests about servers: POST /v1/drain, /v1/undrain, /v1/weight, and /v1/maintenance with a server. Pure. */
import type { AdminEntry } from "../lvs/parameters.ts";
import { isReason, longestDuration, longestReason, readMap } from "./maintenance-request.ts";

export interface ServerRequest {
  /** As it was written: ADDRESS or ADDRESS:PORT. */
  readonly server: string;
  /** Name of a virtual server. */
  readonly service?: string;
}

export interface BeginRequest extends ServerRequest {
  readonly what: AdminEntry["what"];
  readonly reason?: string;
  /** Seconds; until it is taken back when not given. */
  readonly for_s?: number;
  /** Also when a virtual server is left without a server. */
  readonly force?: boolean;
}

const about = ["server", "service"];
const beginning = [...about, "reason", "for_s", "force"];
const largestWeight = 65_535;
const largestPercent = 1000;

export function readDrain(text: string): BeginRequest | string {
  return readBegin(text, beginning, () => ({ type: "drain" }));
}

export function readUndrain(text: string): ServerRequest | string {
  const map = readMap(text, about);
  return typeof map === "string" ? map : readAbout(map);
}

/** `weight`: a number, "N%", or null for the one in the file; then it is a request to take back what was said. */
export function readWeight(text: string): BeginRequest | (ServerRequest & { readonly reset: true }) | string {
  const map = readMap(text, [...beginning, "weight"]);
  if (typeof map === "string") return map;
  if (map.weight !== null) return readBegin(text, [...beginning, "weight"], ({ weight }) => readWeightValue(weight));
  const reference = readAbout(map);
  if (typeof reference === "string") return reference;
  const extra = ["reason", "for_s", "force"].find((key) => map[key] !== undefined);
  return extra === undefined ? { ...reference, reset: true } : `${extra} is for a weight that is set`;
}

/** The body of /v1/maintenance when it names a server. */
export function readServerMaintenance(text: string): (BeginRequest & { readonly on: boolean }) | string {
  const keys = ["on", ...beginning];
  const map = readMap(text, keys);
  if (typeof map === "string") return map;
  if (typeof map.on !== "boolean") return "on: expected true or false";
  const request = readBegin(text, keys, () => ({ type: "maintenance" }));
  if (typeof request === "string") return request;
  const extra = (["reason", "for_s", "force"] as const).find((key) => request[key] !== undefined);
  if (!map.on && extra !== undefined) return `${extra} is for on: true`;
  return { ...request, on: map.on };
}

function readBegin(
  text: string,
  keys: readonly string[],
  whatOf: (map: Readonly<Record<string, unknown>>) => AdminEntry["what"] | string,
): BeginRequest | string {
  const map = readMap(text, keys);
  if (typeof map === "string") return map;
  const reference = readAbout(map);
  if (typeof reference === "string") return reference;
  const what = whatOf(map);
  if (typeof what === "string") return what;
  const { reason, for_s, force } = map;
  if (reason !== undefined && !isReason(reason)) {
    return `reason: expected text of 1 to ${longestReason} characters on one line`;
  }
  if (for_s !== undefined && !(typeof for_s === "number" && for_s >= 1 && for_s <= longestDuration)) {
    return `for_s: expected seconds from 1 to ${longestDuration}`;
  }
  if (force !== undefined && typeof force !== "boolean") return "force: expected true or false";
  return {
    ...reference,
    what,
    ...(reason === undefined ? {} : { reason }),
    ...(for_s === undefined ? {} : { for_s }),
    ...(force === undefined ? {} : { force }),
  };
}

function readAbout({ server, service }: Readonly<Record<string, unknown>>): ServerRequest | string {
  if (typeof server !== "string") return "server: expected ADDRESS or ADDRESS:PORT";
  if (service === undefined) return { server };
  return typeof service === "string" ? { server, service } : "service: expected the name of a virtual server";
}

function readWeightValue(value: unknown): AdminEntry["what"] | string {
  const percent = typeof value === "string" ? /^(\d{1,4})%$/.exec(value)?.[1] : undefined;
  if (percent !== undefined && Number(percent) <= largestPercent) {
    return { type: "weight_percent", percent: Number(percent) };
  }
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= largestWeight) {
    return { type: "weight", weight: value };
  }
  return `weight: expected a whole number from 0 to ${largestWeight}, "0%" to "${largestPercent}%" of the one in the file, or null for that one`;
}
