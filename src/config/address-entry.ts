/** One line of `virtual_ipaddress`: as a map, or as text in the words of `ip address add`. */
import { z } from "zod";
import { parseAddress } from "../wire/address.ts";
import { canonicalAddress, edgeOfPrefix, unusable } from "./addresses.ts";
import { boolean, expected, guessAddress, interfaceName, text } from "./kinds.ts";
import { nearest } from "./suggest.ts";

export const scopes: Readonly<Record<string, number>> = { global: 0, site: 200, link: 253, host: 254 };

export interface AddressEntry {
  readonly address: { readonly text: string; readonly prefixLength: number };
  readonly dev?: string | undefined;
  readonly label?: string | undefined;
  readonly scope?: string | undefined;
  readonly brd?: string | undefined;
  readonly noprefixroute?: boolean | undefined;
  readonly nodad?: boolean | undefined;
}

const rule = "an address like 192.0.2.10/24 or 2001:db8::10/64";

/** The address itself, or a complaint about it. */
function parsePrefixed(value: string): AddressEntry["address"] | string {
  const [host = "", length, more] = value.split("/");
  const bytes = parseAddress(host);
  if (more !== undefined) return expected(rule, value, `one "/" only`);
  if (bytes === undefined) {
    if (host.includes("%")) {
      const [plain, device] = host.split("%");
      return expected(rule, value, `write ${plain} dev ${device}`);
    }
    return expected(rule, value, guessAddress(host));
  }
  const bits = bytes.length * 8;
  if (length !== undefined && (!/^(0|[1-9]\d*)$/.test(length) || Number(length) > bits || Number(length) === 0)) {
    const mask = parseAddress(length);
    const hint = mask?.length === 4 ? prefixOfMask(mask) : undefined;
    return `expected a prefix length from 1 to ${bits}, got ${JSON.stringify(length)}${hint === undefined ? "" : `: write /${hint}`}`;
  }
  const prefixLength = length === undefined ? bits : Number(length);
  const edge = edgeOfPrefix(bytes, prefixLength);
  const reason = unusable(bytes) ?? (edge === undefined ? undefined : `${edge} of its own prefix`);
  if (reason !== undefined) return `${value} is ${reason}: no router can hold it`;
  return { text: canonicalAddress(bytes), prefixLength };
}

function prefixOfMask(mask: Uint8Array): number | undefined {
  const bits = Array.from(mask, (byte) => byte.toString(2).padStart(8, "0")).join("");
  return /^1+0*$/.test(bits) ? bits.lastIndexOf("1") + 1 : undefined;
}

function prefixed() {
  return z
    .string({ error: ({ input }) => expected(rule, input) })
    .transform((value, context) => {
      const parsed = parsePrefixed(value);
      if (typeof parsed !== "string") return parsed;
      context.issues.push({ code: "custom", input: value, message: parsed });
      return z.NEVER;
    })
    .meta({
      description: "The address; without a prefix length, /32 or /128.",
      "x-bounds": "ADDRESS or ADDRESS/LENGTH",
    });
}

function label() {
  return text("a label of 1 to 15 bytes without white space", (value) => {
    const bytes = new TextEncoder().encode(value).length;
    if (bytes > 15) return `this one has ${bytes}`;
    return bytes === 0 || /[\s\p{Cc}]/u.test(value) ? "" : undefined;
  });
}

function scope() {
  return text("global, site, link or host", (value) => {
    if (Object.hasOwn(scopes, value)) return undefined;
    const near = nearest(value, Object.keys(scopes));
    return near === undefined ? "" : `did you mean ${near}?`;
  });
}

function broadcast() {
  return text("+, - or an IPv4 address", (value) =>
    value === "+" || value === "-" || parseAddress(value)?.length === 4 ? undefined : "",
  );
}

/** The map form. */
export const addressMap = z.strictObject({
  address: prefixed(),
  dev: interfaceName().optional().meta({
    description: "Interface the address is put on.",
    "x-default": "interface of the instance",
  }),
  label: label().optional().meta({ description: "IPv4: label of the address.", "x-default": "none" }),
  scope: scope().optional().meta({
    description: "IPv4: where the address is valid. That of an IPv6 address follows from the address.",
    "x-standard": "global",
  }),
  brd: broadcast().optional().meta({
    description: "IPv4: broadcast address; + sets the host bits to one, - to zero.",
    "x-default": "none",
  }),
  noprefixroute: boolean().optional().meta({ description: "Add no route for the prefix.", "x-standard": false }),
  nodad: boolean().optional().meta({ description: "IPv6: skip duplicate address detection.", "x-standard": true }),
});

const flags: Readonly<Record<string, readonly ["noprefixroute" | "nodad", boolean]>> = {
  noprefixroute: ["noprefixroute", true],
  nodad: ["nodad", true],
  "-nodad": ["nodad", false],
};
const options = ["dev", "label", "scope", "brd"] as const;
const synonyms: Readonly<Record<string, (typeof options)[number]>> = { broadcast: "brd" };

/** The text form: `ADDR[/LEN] [brd +|-|ADDR] [dev IF] [scope S] [label L] [noprefixroute] [nodad|-nodad]`. */
export const addressText = z
  .string({ error: ({ input }) => expected(rule, input) })
  .transform((value, context): AddressEntry => {
    const complain = (message: string) => {
      context.issues.push({ code: "custom", input: value, message });
      return z.NEVER;
    };
    const words = value.trim().split(/\s+/);
    const fields: Record<string, string | boolean> = { address: words[0] ?? "" };
    for (let i = 1; i < words.length; i++) {
      const word = words[i] ?? "";
      const flag = flags[word];
      const option = options.find((known) => known === (synonyms[word] ?? word));
      if (flag === undefined && option === undefined) {
        if (parseAddress(word.split("/")[0] ?? "") !== undefined) {
          return complain(`a second address, ${word}: begin a line of its own with "- "`);
        }
        const near = nearest(word, [...options, ...Object.keys(flags)]);
        return complain(
          `unknown word ${JSON.stringify(word)} after the address${near === undefined ? "" : `, did you mean ${near}?`}`,
        );
      }
      const name = flag?.[0] ?? option ?? "";
      if (fields[name] !== undefined) return complain(`${word} stands twice`);
      if (flag !== undefined) {
        fields[name] = flag[1];
        continue;
      }
      i++;
      const argument = words[i];
      if (argument === undefined) return complain(`${word} needs a value after it`);
      fields[name] = argument;
    }
    const parsed = addressMap.safeParse(fields);
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0];
    const name = issue?.path[0];
    const where = name === undefined || name === "address" ? "" : `${String(name)}: `;
    return complain(`${where}${issue?.message ?? "not understood"}`);
  })
  .meta({
    type: "string",
    description: "ADDR[/LEN] [brd +|-|ADDR] [dev IF] [scope S] [label L] [noprefixroute] [nodad|-nodad]",
  });

export const addressEntry = z.union([addressText, addressMap]);
