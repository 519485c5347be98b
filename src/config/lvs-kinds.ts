/** The kinds of value that virtual servers are made of. */
import { z } from "zod";
import { type Family, familyOf, formatAddress, type IpAddress, parseAddress } from "../wire/address.ts";
import { networkOf } from "./addresses.ts";
import { formatDuration } from "./duration.ts";
import { duration, expected, guessAddress } from "./kinds.ts";

/** What one entry may stand for: more would be a slip of the pen, or a task for a firewall mark. */
export const mostInRange = 4096;

const rangeRule = "an address, a range like 192.0.2.10-20, or a network like 198.51.100.0/28";

/** The addresses that `text` stands for, in order and canonical, or a complaint. */
function parseRange(text: string, instead: string): readonly string[] | string {
  const slash = text.indexOf("/");
  const dash = text.indexOf("-");
  const first = parseAddress(text.slice(0, Math.min(...[slash, dash, text.length].filter((at) => at >= 0))));
  if (first === undefined) return expected(rangeRule, text, guessAddress(text.split("-")[0] ?? text));
  if (slash >= 0) return networkAddresses(text, first, text.slice(slash + 1), instead);
  if (dash < 0) return [formatAddress(first)];
  const last = lastOfRange(first, text.slice(dash + 1));
  if (last === undefined)
    return expected(rangeRule, text, "write the last address, or its last part alone, behind the -");
  const count = toNumber(last) - toNumber(first) + 1n;
  if (count < 1n) return expected(rangeRule, text, "the first address comes before the last one");
  return count > BigInt(mostInRange) ? tooMany(text, count, instead) : addressesFrom(first, Number(count));
}

function networkAddresses(text: string, first: IpAddress, length: string, instead: string): readonly string[] | string {
  const bits = first.length * 8;
  if (!/^(0|[1-9]\d*)$/.test(length) || Number(length) > bits) {
    return `expected a prefix length from 0 to ${bits}, got ${JSON.stringify(length)}`;
  }
  const prefixLength = Number(length);
  const written = formatAddress(first);
  const network = networkOf(written, prefixLength);
  if (network !== written) {
    return `${text} has bits behind the prefix length: write ${network}/${prefixLength}, or ${written} for this one address`;
  }
  const count = 1n << BigInt(bits - prefixLength);
  return count > BigInt(mostInRange) ? tooMany(text, count, instead) : addressesFrom(first, Number(count));
}

function tooMany(text: string, count: bigint, instead: string): string {
  return `${text} stands for ${count} addresses, and ${mostInRange} is the most: write smaller ranges${instead}`;
}

/** A whole address of the same family, or the last part of one: decimal in IPv4, hexadecimal in IPv6. */
function lastOfRange(first: IpAddress, text: string): IpAddress | undefined {
  const whole = parseAddress(text);
  if (whole !== undefined) return whole.length === first.length ? whole : undefined;
  const last = Uint8Array.from(first);
  if (first.length === 4) {
    if (!/^(0|[1-9]\d{0,2})$/.test(text) || Number(text) > 255) return undefined;
    last[3] = Number(text);
    return last;
  }
  if (!/^[0-9a-fA-F]{1,4}$/.test(text)) return undefined;
  new DataView(last.buffer).setUint16(14, Number.parseInt(text, 16));
  return last;
}

function toNumber(address: IpAddress): bigint {
  return address.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

function addressesFrom(first: IpAddress, count: number): string[] {
  const addresses: string[] = [];
  const next = Uint8Array.from(first);
  for (let i = 0; i < count; i++) {
    addresses.push(formatAddress(next));
    for (let at = next.length - 1; at >= 0; at--) {
      const byte = ((next[at] ?? 0) + 1) & 0xff;
      next[at] = byte;
      if (byte !== 0) break;
    }
  }
  return addresses;
}

/** Canonical addresses in order, at least one. `instead`: what else may be written than too many. */
export function addressRange(instead = "") {
  return z
    .string({ error: ({ input }) => expected(rangeRule, input) })
    .transform((value, context): readonly string[] => {
      const parsed = parseRange(value, instead);
      if (typeof parsed !== "string") return parsed;
      context.issues.push({ code: "custom", input: value, message: parsed });
      return z.NEVER;
    })
    .meta({ type: "string", "x-bounds": rangeRule });
}

/** One where a group has several, which the message says. `json`: for the JSON Schema. */
export function single<T>(schema: z.ZodType<T>, json: Readonly<Record<string, unknown>>) {
  return z
    .unknown()
    .transform((input, context): T => {
      const result = schema.safeParse(input);
      if (result.success) return result.data;
      const message = result.error.issues[0]?.message ?? "not understood";
      const several = Array.isArray(input) || standsForSeveral(String(input));
      const advice = several ? ": write several of them into a virtual_server_group, and its name as group:" : "";
      context.issues.push({ code: "custom", input, message: several ? message.replace(/: .*/, "") + advice : message });
      return z.NEVER;
    })
    .meta({ ...json, ...schema.meta() });
}

function standsForSeveral(text: string): boolean {
  const [, address = "", length = ""] = /^(.+)\/(\d{1,3})$/.exec(text) ?? [];
  const bytes = parseAddress(address);
  if (bytes === undefined) return /[-/]/.test(text);
  // That of an interface has the address of a host before the slash.
  return Number(length) < bytes.length * 8 && networkOf(formatAddress(bytes), Number(length)) === formatAddress(bytes);
}

const portsRule = "a port from 0 to 65535 or a range like 8000-8010";

/** Ports in order, at least one. */
export function portRange() {
  return z
    .union([z.number(), z.string()], { error: ({ input }) => expected(portsRule, input) })
    .transform((value, context): readonly number[] => {
      const [, low = "", high = low] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(String(value)) ?? [];
      const [first, last] = [Number(low), Number(high)];
      if (low !== "" && last <= 65_535 && first <= last && (first > 0 || last === 0)) {
        if (last - first < mostInRange) return Array.from({ length: last - first + 1 }, (_, i) => first + i);
        const advice = `${mostInRange} ports are the most: mark the packets with a firewall rule and use fwmark`;
        context.issues.push({ code: "custom", input: value, message: expected(portsRule, value, advice) });
        return z.NEVER;
      }
      const advice = typeof value === "string" && /^[a-z]/i.test(value) ? "names are not looked up" : undefined;
      context.issues.push({ code: "custom", input: value, message: expected(portsRule, value, advice) });
      return z.NEVER;
    })
    .meta({ anyOf: [{ type: "integer" }, { type: "string" }], "x-bounds": portsRule });
}

const endpointRule = "an address with its port, as in 192.0.2.21 443, or a map of keys";

/** An address and a port as keepalived writes them, for a map that has these two keys. */
export function endpoint<A, P>(address: z.ZodType<A>, port: z.ZodType<P>) {
  return z
    .string({ error: ({ input }) => expected(endpointRule, input) })
    .transform((value, context): { readonly address: A; readonly port?: P } => {
      const refuse = (message: string) => {
        context.issues.push({ code: "custom", input: value, message });
        return z.NEVER;
      };
      const [host = "", number, more] = value.trim().split(/\s+/);
      const [, plain, behind] = /^\[?([^\]]*?)\]?:(\d+)$/.exec(host) ?? [];
      if (plain !== undefined && (host.startsWith("[") || !plain.includes(":"))) {
        // ldirectord's line has a range, a method and a weight.
        const range = plain.replace("->", "-");
        const map = `{ address: ${range.includes(":") ? `"${range}"` : range}, port: ${behind} }, with weight and lvs_method in it`;
        return refuse(
          expected(
            endpointRule,
            value,
            `write ${number === undefined && range === plain ? `${plain} ${behind}` : map}`,
          ),
        );
      }
      if (more !== undefined) return refuse(expected(endpointRule, value, "write a map for more than these two"));
      const first = address.safeParse(host);
      if (!first.success) return refuse(first.error.issues[0]?.message ?? endpointRule);
      if (number === undefined) return { address: first.data };
      const second = port.safeParse(/^\d+$/.test(number) ? Number(number) : number);
      if (!second.success) return refuse(second.error.issues[0]?.message ?? endpointRule);
      return { address: first.data, port: second.data };
    })
    .meta({ type: "string", "x-bounds": "ADDRESS PORT" });
}

const shareRule = "a share from 0% to 100%";

/** `50%`. */
export function share() {
  return z
    .unknown()
    .transform((input, context): number => {
      const [, digits = ""] = typeof input === "string" ? (/^(\d{1,3}(?:\.\d+)?)%$/.exec(input) ?? []) : [];
      if (digits !== "" && Number(digits) <= 100) return Number(digits);
      const advice = /^\d{1,3}(\.\d+)?$/.test(String(input)) && Number(input) <= 100 ? `write ${input}%` : undefined;
      context.issues.push({ code: "custom", input, message: expected(shareRule, input, advice) });
      return z.NEVER;
    })
    .meta({ type: "string", pattern: "^[0-9]{1,3}(\\.[0-9]+)?%$", "x-bounds": shareRule.replace("a share from ", "") });
}

/** A duration that the kernel counts in seconds. */
export function wholeSeconds(least: number, most: number) {
  const rule = `${formatDuration(least)} to ${formatDuration(most)} in whole seconds`;
  return duration(least, most, rule)
    .refine((value) => value % 1000 === 0, {
      error: ({ input }) => expected(`a duration from ${rule}`, formatDuration(Number(input))),
    })
    .meta({ "x-bounds": rule });
}

const granularityRule = "a prefix length, or a mask like 255.255.255.0";

/** What one client is: a prefix length, with the family that a mask gives away. */
export interface Granularity {
  readonly prefixLength: number;
  readonly family?: Family;
}

export function granularity() {
  return z
    .unknown()
    .transform((input, context): Granularity => {
      const written = String(input).replace(/^\//, "");
      if (/^(0|[1-9]\d{0,2})$/.test(written) && Number(written) <= 128) return { prefixLength: Number(written) };
      const mask = typeof input === "string" ? parseAddress(input) : undefined;
      const prefixLength = mask === undefined ? undefined : lengthOfMask(mask);
      if (mask !== undefined && prefixLength !== undefined) return { prefixLength, family: familyOf(mask) };
      const advice = mask === undefined ? undefined : "the ones of a mask stand together, at its beginning";
      context.issues.push({ code: "custom", input, message: expected(granularityRule, input, advice) });
      return z.NEVER;
    })
    .meta({ anyOf: [{ type: "integer" }, { type: "string" }], "x-bounds": "0 to 32, IPv6 1 to 128, or a mask" });
}

function lengthOfMask(mask: IpAddress): number | undefined {
  const bits = Array.from(mask, (byte) => byte.toString(2).padStart(8, "0")).join("");
  return /^1*0*$/.test(bits) ? bits.lastIndexOf("1") + 1 : undefined;
}

const wordsOfOlderYaml: ReadonlyMap<string, boolean> = new Map([
  ["yes", true],
  ["on", true],
  ["no", false],
  ["off", false],
]);

export function booleanOrName(rule: string) {
  return z
    .unknown()
    .transform((input, context): boolean | string => {
      if (typeof input === "boolean") return input;
      const meant = wordsOfOlderYaml.get(String(input).toLowerCase());
      const advice = meant === undefined ? undefined : `write ${meant}`;
      if (typeof input === "string" && advice === undefined && /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/.test(input)) {
        return input;
      }
      context.issues.push({ code: "custom", input, message: expected(rule, input, advice) });
      return z.NEVER;
    })
    .meta({ anyOf: [{ type: "boolean" }, { type: "string" }], "x-bounds": rule });
}

/** Of a kernel setting, as it is written into its file. */
export function settingValue() {
  const rule = "a number, text, true or false";
  return z
    .unknown()
    .transform((input, context): string => {
      if (typeof input === "boolean") return input ? "1" : "0";
      if (typeof input === "number") return String(input);
      const meant = wordsOfOlderYaml.get(String(input).toLowerCase());
      const advice = meant === undefined ? undefined : `write ${meant ? 1 : 0}`;
      if (typeof input === "string" && advice === undefined && /^[\x20-\x7e]{1,200}$/.test(input)) return input;
      context.issues.push({ code: "custom", input, message: expected(rule, input, advice) });
      return z.NEVER;
    })
    .meta({ anyOf: [{ type: "boolean" }, { type: "number" }, { type: "string" }], "x-bounds": rule });
}
