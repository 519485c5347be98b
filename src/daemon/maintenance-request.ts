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
const longestReason = 200;
const longest = 366 * 24 * 3600;

/** The request, or what is wrong with it. */
export function readMaintenance(text: string): MaintenanceRequest | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "expected a map in JSON";
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "expected a map in JSON";
  const unknown = Object.keys(value).find((key) => !keys.includes(key));
  if (unknown !== undefined) return `unknown key ${JSON.stringify(unknown)}; known here: ${keys.join(", ")}`;
  const { on, instances, reason, for_s } = value as Partial<Record<keyof MaintenanceRequest, unknown>>;
  if (typeof on !== "boolean") return "on: expected true or false";
  if (instances !== undefined && !isListOfNames(instances)) return "instances: expected a list of names";
  if (reason !== undefined && !isReason(reason))
    return `reason: expected text of 1 to ${longestReason} characters on one line`;
  if (for_s !== undefined && !(typeof for_s === "number" && for_s >= 1 && for_s <= longest)) {
    return `for_s: expected seconds from 1 to ${longest}`;
  }
  if (!on && (reason !== undefined || for_s !== undefined)) return "reason and for_s are for on: true";
  return value as MaintenanceRequest;
}

function isListOfNames(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === "string");
}

function isReason(value: unknown): boolean {
  return typeof value === "string" && value.length <= longestReason && /^[^\p{Cc}]+$/u.test(value);
}
