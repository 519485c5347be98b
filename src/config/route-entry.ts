/** One line of `virtual_routes` or `static_routes`: as a map, or as text in the words of `ip route add`. */
import { z } from "zod";
import { familyOf, parseAddress } from "../wire/address.ts";
import { address, boolean, expected, interfaceName, oneOf } from "./kinds.ts";
import {
  complaintAbout,
  type Phrase,
  parsePhrase,
  quoteWord,
  sharedAdvice,
  unsupported,
  type Vocabulary,
  type Word,
  wordsOf,
} from "./phrase.ts";
import { named, type PrefixValue, prefix, unsigned } from "./routing-kinds.ts";
import { nearest } from "./suggest.ts";

export const routeTypes = ["unicast", "blackhole", "unreachable", "prohibit", "throw"] as const;
const families = ["inet", "inet6"] as const;

export interface HopEntry {
  readonly via?: string | undefined;
  readonly dev?: string | undefined;
  readonly weight?: number | undefined;
  readonly onlink?: boolean | undefined;
}

export interface RouteEntry {
  readonly to: PrefixValue;
  readonly type?: (typeof routeTypes)[number] | undefined;
  readonly family?: (typeof families)[number] | undefined;
  readonly via?: string | undefined;
  readonly dev?: string | undefined;
  readonly onlink?: boolean | undefined;
  readonly src?: string | undefined;
  readonly table?: string | number | undefined;
  readonly metric?: number | undefined;
  readonly scope?: string | number | undefined;
  readonly mtu?: number | undefined;
  readonly proto?: string | number | undefined;
  readonly tos?: number | undefined;
  readonly nexthop?: readonly HopEntry[] | undefined;
  /** Of the text form: which word says what. */
  readonly words?: Phrase["words"] | undefined;
}

const via = () => address();
const none = "none";

export const hopMap = z.strictObject({
  via: via().optional().meta({ description: "The router of this hop.", "x-default": none }),
  dev: interfaceName().optional().meta({ description: "Its interface.", "x-default": "found by the router" }),
  weight: unsigned(1, 256).optional().meta({ description: "Its share of the traffic.", "x-standard": 1 }),
  onlink: boolean().optional().meta({ description: "As for the route.", "x-standard": false }),
});

/** The map form. */
export const routeMap = z.strictObject({
  to: prefix().meta({ description: "Where the route leads." }),
  type: oneOf(...routeTypes)
    .optional()
    .meta({ description: "unicast, or what happens to the packets instead.", "x-standard": "unicast" }),
  family: oneOf(...families)
    .optional()
    .meta({
      description: "Of a default route whose family nothing else tells.",
      "x-default": "that of to, src or via, else inet",
    }),
  via: via()
    .optional()
    .meta({ description: "The router. IPv4 by way of an IPv6 router is possible.", "x-default": none }),
  dev: interfaceName().optional().meta({ description: "The interface.", "x-default": "found by the router" }),
  onlink: boolean().optional().meta({
    description: "Take the router to be on the interface although no address says so.",
    "x-standard": false,
  }),
  src: address().optional().meta({ description: "Source of the host's own packets.", "x-default": none }),
  table: named("routing table", 1, 0xffffffff)
    .optional()
    .meta({ description: "Routing table, by number or by its name in rt_tables.", "x-standard": "main" }),
  metric: unsigned(0, 0xffffffff).optional().meta({ description: "The lowest wins.", "x-default": "0, IPv6: 1024" }),
  scope: named("scope", 0, 255).optional().meta({
    description: "IPv4: global, site, link, host or a number.",
    "x-default": "link without a router, else global",
  }),
  mtu: unsigned(68, 65535).optional().meta({ description: "Largest packet.", "x-default": "that of the interface" }),
  proto: named("routing protocol", 3, 255)
    .optional()
    .meta({ description: "Who the kernel says put it there, see below.", "x-default": "112, viprd" }),
  tos: unsigned(0, 252).optional().meta({ description: "IPv4: only for packets with this TOS.", "x-standard": 0 }),
  nexthop: z
    .array(hopMap)
    .min(1)
    .meta({ "x-bounds": "a list of maps, see below" })
    .optional()
    .meta({ description: "Several hops that share the traffic, instead of via and dev.", "x-default": none }),
});

const hopVocabulary: Vocabulary = {
  options: { via: "via", dev: "dev", weight: "weight" },
  flags: { onlink: ["onlink", true] },
  advice: unsupported("encap", "realms"),
};
const vocabulary: Vocabulary = {
  options: {
    via: "via",
    dev: "dev",
    src: "src",
    table: "table",
    metric: "metric",
    preference: "metric",
    priority: "metric",
    scope: "scope",
    mtu: "mtu",
    proto: "proto",
    protocol: "proto",
    tos: "tos",
    dsfield: "tos",
  },
  flags: { onlink: ["onlink", true], inet: ["family", "inet"], inet6: ["family", "inet6"] },
  advice: {
    ...sharedAdvice,
    ...unsupported("encap", "nhid", "from", "advmss", "rtt", "window", "initcwnd", "initrwnd", "quickack", "congctl"),
    ...unsupported("features", "hoplimit", "expires", "pref", "ttl-propagate", "fastopen_no_cookie", "rto_min"),
  },
};

/** `[inet|inet6] [TYPE] PREFIX WORDS… [nexthop WORDS…]…` */
function parseRoute(text: string): Phrase | string {
  const words = withoutFamilies(wordsOf(text));
  if (typeof words === "string") return words;
  const split = words.findIndex(({ text: word }) => word === "nexthop");
  const main = split < 0 ? words : words.slice(0, split);
  const fields: Record<string, unknown> = {};
  const places: Record<string, number> = {};
  const rest = [...main];
  const take = (field: string, known: readonly string[]) => {
    const [first] = rest;
    if (first === undefined || !known.includes(first.text)) return;
    fields[field] = first.text;
    places[field] = first.at;
    rest.shift();
  };
  take("family", families);
  take("type", routeTypes);
  if (rest[0]?.text === "to") rest.shift();
  const to = rest.shift();
  if (to === undefined) return "a route begins with where it leads: default, or a prefix like 198.51.100.0/24";
  const complaint = complainOfStart(to);
  if (complaint !== undefined) return complaint;
  fields.to = to.text;
  places.to = to.at;
  const parsed = parsePhrase(rest, vocabulary);
  if (typeof parsed === "string") return parsed;
  const hops = split < 0 ? undefined : parseHops(words.slice(split));
  if (typeof hops === "string") return hops;
  return {
    fields: {
      ...fields,
      ...parsed.fields,
      ...(hops === undefined ? {} : { nexthop: hops.map(({ fields: hop }) => hop) }),
    },
    words: { ...places, ...parsed.words },
  };
}

/** A first word that is neither a type nor a prefix: perhaps a misspelled type. */
function complainOfStart(word: Word): string | undefined {
  if (/^[\d:]/.test(word.text) || ["default", "all", "any"].includes(word.text)) return undefined;
  if (/^[0-9a-fA-F:]+:[0-9a-fA-F:.]*(\/\d+)?$/.test(word.text)) return undefined;
  const known = [...routeTypes, "default", ...families, ...Object.keys(vocabulary.options)];
  const near = nearest(word.text, known);
  if (near !== undefined && Object.hasOwn(vocabulary.options, near)) {
    return `${quoteWord(word)} stands where the prefix is expected: begin with default, or a prefix like 198.51.100.0/24`;
  }
  return `unknown word ${quoteWord(word)}${near === undefined ? ": begin with default, or a prefix like 198.51.100.0/24" : `, did you mean ${near}?`}`;
}

/** `via inet6 ADDRESS`: the family stands in the address, too. */
function withoutFamilies(words: readonly Word[]): Word[] | string {
  const kept: Word[] = [];
  for (const [i, word] of words.entries()) {
    const family = families.find((name) => name === word.text);
    if (family === undefined || words[i - 1]?.text !== "via") {
      kept.push(word);
      continue;
    }
    const bytes = parseAddress(words[i + 1]?.text ?? "");
    if (bytes !== undefined && (familyOf(bytes) === 6) !== (family === "inet6")) {
      return `${words[i + 1]?.text} is no ${family} address, as ${quoteWord(word)} says`;
    }
  }
  return kept;
}

function parseHops(words: readonly Word[]): Phrase[] | string {
  const hops: Phrase[] = [];
  let start = 0;
  for (let i = 1; i <= words.length; i++) {
    if (i < words.length && words[i]?.text !== "nexthop") continue;
    const hop = parsePhrase(words.slice(start + 1, i), hopVocabulary);
    if (typeof hop === "string") return hop;
    if (Object.keys(hop.fields).length === 0) {
      return `${quoteWord(words[start] ?? { text: "nexthop", at: 0 })} needs via or dev after it`;
    }
    hops.push(hop);
    start = i;
  }
  return hops;
}

const rule = "a route in the words of ip route add";

export const routeText = z
  .string({ error: ({ input }) => expected(rule, input) })
  .transform((value, context): RouteEntry => {
    const complain = (message: string) => {
      context.issues.push({ code: "custom", input: value, message });
      return z.NEVER;
    };
    const phrase = parseRoute(value);
    if (typeof phrase === "string") return complain(phrase);
    const parsed = routeMap.safeParse(phrase.fields);
    if (parsed.success) return { ...parsed.data, words: phrase.words };
    const issue = parsed.error.issues[0];
    const field = issue?.path.findLast((part) => typeof part === "string") ?? "";
    return complain(complaintAbout(field, issue?.message ?? "not understood", phrase.words));
  })
  .meta({
    type: "string",
    description:
      "[inet|inet6] [unicast|blackhole|unreachable|prohibit|throw] PREFIX [via [inet|inet6] ADDR] [dev IF] [onlink] [src ADDR] [table T] [metric N] [scope S] [mtu N] [proto P] [tos N] [nexthop [via ADDR] [dev IF] [weight N] [onlink]]…",
  });

export const routeEntry = z.union([routeText, routeMap]);
export type RouteFamily = (typeof families)[number];
