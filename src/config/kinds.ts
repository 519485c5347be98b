/**
 * The kinds of value a key can have, as zod schemas whose messages say rule, value and what to write instead.
 * Values arrive as YAML typed them; what leaves is what the rest of the program uses.
 */
import { z } from "zod";
import { parseAddress } from "../wire/address.ts";
import { canonicalAddress } from "./addresses.ts";
import { durationPattern, formatDuration, guessDuration, parseDuration } from "./duration.ts";
import { nearest } from "./suggest.ts";

interface Issue {
  readonly input?: unknown;
}

/** `expected RULE, got VALUE: SUGGESTION` */
export function expected(rule: string, input: unknown, suggestion?: string): string {
  return `expected ${rule}, got ${show(input)}${suggestion === undefined ? "" : `: ${suggestion}`}`;
}

/** A value as the operator would recognise it, on one line and not too long. */
export function show(input: unknown): string {
  if (input === null || input === undefined) return "nothing";
  if (Array.isArray(input)) return "a list";
  if (typeof input === "object") return "a map";
  if (typeof input !== "string") return String(input);
  // Lines that ran together: a password may be among them.
  if (/auth/i.test(input)) return "text";
  return JSON.stringify(input.length > 60 ? `${input.slice(0, 57)}...` : input);
}

export function whole(least: number, most: number) {
  const rule = `a whole number from ${least} to ${most}`;
  const error = ({ input }: Issue) => expected(rule, input, guessNumber(input, least, most));
  return z
    .int({ error })
    .min(least, { error })
    .max(most, { error })
    .meta({ "x-bounds": `${least} to ${most}` });
}

function guessNumber(input: unknown, least: number, most: number): string | undefined {
  if (typeof input !== "string") return undefined;
  const number = Number(input.replace(/[_,']/g, ""));
  return input.trim() !== "" && Number.isInteger(number) && number >= least && number <= most
    ? `write ${number}`
    : undefined;
}

export function number() {
  const error = ({ input }: Issue) => expected("a number", input);
  return z.number({ error }).meta({ "x-bounds": "a number" });
}

/** Of the host, which `viprd check` does not look at. */
export function absolutePath() {
  return text("a path that begins with /", (value) => (/^\/[^\0\n]*$/.test(value) ? undefined : ""));
}

export function boolean() {
  const rule = "true or false";
  return z
    .boolean({ error: ({ input }: Issue) => expected(rule, input, guessBoolean(input)) })
    .meta({ "x-bounds": rule });
}

function guessBoolean(input: unknown): string | undefined {
  const word = String(input).toLowerCase();
  if (word === "true" || word === "false") return `write ${word} without quotes`;
  if (["yes", "on", "y", "1"].includes(word)) return "write true";
  if (["no", "off", "n", "0"].includes(word)) return "write false";
  return undefined;
}

/** One of a few words. */
export function oneOf<const T extends readonly [string, ...string[]]>(...words: T) {
  const rule = listed(words);
  return z
    .enum(words, {
      error: ({ input }: Issue) => {
        const near = typeof input === "string" ? nearest(input, words) : undefined;
        return expected(rule, input, near === undefined ? undefined : `did you mean ${near}?`);
      },
    })
    .meta({ "x-bounds": rule });
}

export function version() {
  return z
    .literal([2, 3], {
      error: ({ input }: Issue) => {
        const digit = /^v?([23])(\.0)?$/i.exec(String(input))?.[1];
        return expected("2 or 3", input, digit === undefined ? undefined : `write ${digit}`);
      },
    })
    .meta({ "x-bounds": "2 or 3" });
}

export function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

/** Milliseconds out of `1s`, `250ms`. Bounds included; `longBounds` is for the manual. */
export function duration(least: number, most: number, bounds?: string, longBounds = bounds) {
  const rule = `a duration from ${bounds ?? `${formatDuration(least)} to ${formatDuration(most)}`}`;
  const complain = (input: unknown) => {
    const guess = guessDuration(input);
    const bare = typeof input === "number" || (typeof input === "string" && /^[\d.]+$/.test(input));
    if (bare && guess !== undefined)
      return `a duration needs a unit (ms, s, m or h), got ${show(input)}: write ${guess}`;
    return expected(rule, input, guess === undefined || guess === input ? undefined : `write ${guess}`);
  };
  return z
    .string({ error: ({ input }: Issue) => complain(input) })
    .transform((text, context) => {
      const value = parseDuration(text);
      if (value !== undefined && value >= least && value <= most) return value;
      context.issues.push({ code: "custom", input: text, message: complain(text) });
      return z.NEVER;
    })
    .meta({ type: "string", pattern: durationPattern, "x-bounds": longBounds ?? rule.replace("a duration from ", "") });
}

/** Text that `check` finds nothing wrong with; it returns a suggestion, or "" when there is none to give. */
export function text(rule: string, check: (value: string) => string | undefined) {
  return z
    .string({ error: ({ input }: Issue) => expected(rule, input, quoteHint(input)) })
    .superRefine((value, context) => {
      const suggestion = check(value);
      if (suggestion === undefined) return;
      context.addIssue({ code: "custom", message: expected(rule, value, suggestion === "" ? undefined : suggestion) });
    })
    .meta({ "x-bounds": rule });
}

export function quoteHint(input: unknown): string | undefined {
  return typeof input === "number" || typeof input === "boolean" ? "put it in quotes to make it text" : undefined;
}

/** Text that is never repeated in a message. */
export function secret(rule: string, check: (value: string) => string | undefined) {
  const advice = (input: unknown) => {
    if (input === undefined || input === null) return `expected ${rule}, got nothing`;
    return `expected ${rule}: put the value in quotes`;
  };
  return z
    .string({ error: ({ input }: Issue) => advice(input) })
    .superRefine((value, context) => {
      const complaint = check(value);
      if (complaint !== undefined) context.addIssue({ code: "custom", message: `expected ${rule}${complaint}` });
    })
    .meta({ "x-bounds": rule });
}

/** A bare address of either family, in canonical text. */
export function address() {
  const rule = "an IPv4 or IPv6 address";
  return z
    .string({ error: ({ input }: Issue) => expected(rule, input) })
    .transform((value, context) => {
      const bytes = parseAddress(value);
      if (bytes !== undefined) return canonicalAddress(bytes);
      context.issues.push({ code: "custom", input: value, message: expected(rule, value, guessAddress(value)) });
      return z.NEVER;
    })
    .meta({ "x-bounds": rule });
}

/** What is wrong with text that was meant as an address. */
export function guessAddress(value: string): string | undefined {
  if (/\/\d+$/.test(value)) return `no prefix length here: write ${value.slice(0, value.indexOf("/"))}`;
  if (value.includes("%")) return `no zone here: write ${value.slice(0, value.indexOf("%"))}`;
  if (/^\d+(\.\d+){3}$/.test(value)) {
    return /(^|\.)0\d/.test(value) ? "no leading zeros in an IPv4 address" : "each part is a number from 0 to 255";
  }
  const [, plain] = /^(\d+(?:\.\d+){3}):\d+$/.exec(value) ?? /^\[([0-9a-f:.]+)\](?::\d+)?$/i.exec(value) ?? [];
  if (plain !== undefined) return `neither a port nor brackets here: write ${plain}`;
  if (/^\d+(\.\d+)*$/.test(value)) return "an IPv4 address has four parts";
  if (/^[a-z0-9-]+(\.[a-z0-9-]+)*$/i.test(value)) return "write the address: names are not looked up";
  return undefined;
}

/** IFNAMSIZ leaves 15 bytes; the kernel refuses "/", ":" and white space (dev_valid_name). */
export function interfaceName() {
  return text("an interface name of 1 to 15 characters without white space, / and :", (value) => {
    const bytes = new TextEncoder().encode(value).length;
    if (bytes > 15) return `this one has ${bytes}`;
    return bytes === 0 || value === "." || value === ".." || /[/:\s\p{Cc}]/u.test(value) ? "" : undefined;
  });
}
