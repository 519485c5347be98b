/** The kinds of value that routes and rules are made of. Numbers may be text: in a line of words everything is. */
import { z } from "zod";
import { formatAddress, parseAddress } from "../wire/address.ts";
import { networkOf } from "./addresses.ts";
import { expected, guessAddress } from "./kinds.ts";

export interface PrefixValue {
  /** Canonical text; undefined for `default` and `all`, which leave the family open. */
  readonly address: string | undefined;
  readonly prefixLength: number;
}

const prefixRule = "default, or a prefix like 198.51.100.0/24 or 2001:db8::/48";

/** The prefix, or a complaint about it. */
function parsePrefix(value: string): PrefixValue | string {
  if (["default", "all", "any"].includes(value)) return { address: undefined, prefixLength: 0 };
  const [host = "", length, more] = value.split("/");
  const bytes = parseAddress(host);
  if (more !== undefined) return expected(prefixRule, value, `one "/" only`);
  if (bytes === undefined) return expected(prefixRule, value, guessAddress(host));
  const bits = bytes.length * 8;
  if (length !== undefined && (!/^(0|[1-9]\d*)$/.test(length) || Number(length) > bits)) {
    return `expected a prefix length from 0 to ${bits}, got ${JSON.stringify(length)}`;
  }
  const prefixLength = length === undefined ? bits : Number(length);
  const address = formatAddress(bytes);
  const network = networkOf(address, prefixLength);
  if (network !== address) {
    return `${value} has bits behind the prefix length: write ${network}/${prefixLength}, or ${address} for this one address`;
  }
  return { address, prefixLength };
}

export function prefix() {
  return z
    .string({ error: ({ input }) => expected(prefixRule, input) })
    .transform((value, context): PrefixValue => {
      const parsed = parsePrefix(value);
      if (typeof parsed !== "string") return parsed;
      context.issues.push({ code: "custom", input: value, message: parsed });
      return z.NEVER;
    })
    .meta({ type: "string", "x-bounds": "default, ADDRESS or ADDRESS/LENGTH" });
}

/** Decimal, or hexadecimal with 0x. */
function parseNumber(input: unknown): number | undefined {
  if (typeof input === "number") return input;
  if (typeof input !== "string" || !/^(0|[1-9]\d*|0[xX][0-9a-fA-F]+)$/.test(input)) return undefined;
  return Number(input);
}

export function unsigned(least: number, most: number) {
  const rule = `a whole number from ${least} to ${most}`;
  return z
    .unknown()
    .transform((input, context): number => {
      const value = parseNumber(input);
      if (value !== undefined && Number.isInteger(value) && value >= least && value <= most) return value;
      context.issues.push({ code: "custom", input, message: expected(rule, input) });
      return z.NEVER;
    })
    .meta({ type: "integer", minimum: least, maximum: most, "x-bounds": `${least} to ${most}` });
}

/** A number, or a name that is looked up later: names are not known here. */
export function named(what: string, least: number, most: number) {
  const rule = `the name of a ${what}, or a whole number from ${least} to ${most}`;
  return z
    .unknown()
    .transform((input, context): number | string => {
      const value = parseNumber(input);
      if (value !== undefined && Number.isInteger(value) && value >= least && value <= most) return value;
      if (typeof input === "string" && /^[A-Za-z_][\w.@+-]{0,63}$/.test(input)) return input;
      context.issues.push({ code: "custom", input, message: expected(rule, input) });
      return z.NEVER;
    })
    .meta({
      anyOf: [{ type: "integer", minimum: least, maximum: most }, { type: "string" }],
      "x-bounds": `a name, or ${least} to ${most}`,
    });
}

export interface MarkValue {
  readonly value: number;
  readonly mask: number;
}

const largest = 0xffffffff;

/** `0x1`, `1/0xff` */
export function mark() {
  const rule = "a mark like 1, 0x10 or 0x10/0xff";
  return z
    .unknown()
    .transform((input, context): MarkValue => {
      const [first, second, more] = String(input).split("/");
      const value = parseNumber(first);
      const mask = second === undefined ? largest : parseNumber(second);
      const fits = value !== undefined && mask !== undefined && value <= largest && mask <= largest;
      if (fits && more === undefined && mask > 0) return { value, mask };
      context.issues.push({ code: "custom", input, message: expected(rule, input) });
      return z.NEVER;
    })
    .meta({ anyOf: [{ type: "integer", minimum: 0 }, { type: "string" }], "x-bounds": "MARK or MARK/MASK" });
}
