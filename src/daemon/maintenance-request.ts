/** The body of POST /v1/maintenance. Pure. */

export interface MaintenanceRequest {
  readonly on: boolean;
  /** All when not given. */
  readonly instances?: readonly string[];
  readonly reason?: string;
  /** Seconds; until it is ended when not given. */
  readonly for_s?: number;
}

const keys = ["on", "instances", "reason", "for_s"];
export const longestReason = 200;
/** Seconds. */
export const longestDuration = 366 * 24 * 3600;

/** It is about a server instead of instances. What is wrong with it is told by who reads it whole. */
export function isAboutServer(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && "server" in value;
  } catch {
    return false;
  }
}

/** The request, or what is wrong with it. */
export function readMaintenance(text: string): MaintenanceRequest | string {
  const map = readMap(text, keys);
  if (typeof map === "string") return map;
  const { on, instances, reason, for_s } = map;
  if (typeof on !== "boolean") return "on: expected true or false";
  if (instances !== undefined && !isListOfNames(instances)) return "instances: expected a list of names";
  if (reason !== undefined && !isReason(reason))
    return `reason: expected text of 1 to ${longestReason} characters on one line`;
  if (for_s !== undefined && !(typeof for_s === "number" && for_s >= 1 && for_s <= longestDuration)) {
    return `for_s: expected seconds from 1 to ${longestDuration}`;
  }
  if (!on && (reason !== undefined || for_s !== undefined)) return "reason and for_s are for on: true";
  return map as object as MaintenanceRequest;
}

/** A map in JSON with no other keys than these, or what is wrong with it. */
export function readMap(text: string, known: readonly string[]): Readonly<Record<string, unknown>> | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "expected a map in JSON";
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "expected a map in JSON";
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined) return `unknown key ${JSON.stringify(unknown)}; known here: ${known.join(", ")}`;
  return value as Readonly<Record<string, unknown>>;
}

function isListOfNames(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === "string");
}

export function isReason(value: unknown): value is string {
  return typeof value === "string" && value.length <= longestReason && /^[^\p{Cc}]+$/u.test(value);
}
