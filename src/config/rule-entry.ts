/** One line of `virtual_rules` or `static_rules`: as a map, or as text in the words of `ip rule add`. */
import { z } from "zod";
import { boolean, expected, interfaceName, oneOf } from "./kinds.ts";
import {
  complaintAbout,
  type Phrase,
  parsePhrase,
  sharedAdvice,
  unsupported,
  type Vocabulary,
  wordsOf,
} from "./phrase.ts";
import { type MarkValue, mark, named, type PrefixValue, prefix, unsigned } from "./routing-kinds.ts";

const types = ["blackhole", "unreachable", "prohibit", "nop"] as const;

export interface RuleEntry {
  readonly priority: number;
  readonly family?: "inet" | "inet6" | undefined;
  readonly not?: boolean | undefined;
  readonly from?: PrefixValue | undefined;
  readonly to?: PrefixValue | undefined;
  readonly fwmark?: MarkValue | undefined;
  readonly iif?: string | undefined;
  readonly oif?: string | undefined;
  readonly tos?: number | undefined;
  readonly table?: string | number | undefined;
  readonly type?: (typeof types)[number] | undefined;
  readonly goto?: number | undefined;
  readonly suppress_prefixlength?: number | undefined;
  /** Of the text form: which word says what. */
  readonly words?: Phrase["words"] | undefined;
}

const all = "all";

/** The map form. */
export const ruleMap = z.strictObject({
  priority: unsigned(1, 0xffffffff).meta({ description: "Rules are asked in this order, the lowest number first." }),
  family: oneOf("inet", "inet6")
    .optional()
    .meta({ description: "Of a rule whose prefixes do not tell it.", "x-default": "that of from or to, else inet" }),
  not: boolean().optional().meta({ description: "All packets but those described.", "x-standard": false }),
  from: prefix().optional().meta({ description: "Source of the packets.", "x-default": all }),
  to: prefix().optional().meta({ description: "Destination of the packets.", "x-default": all }),
  fwmark: mark().optional().meta({ description: "Mark that a firewall gave them.", "x-default": "any" }),
  iif: interfaceName()
    .optional()
    .meta({ description: "Interface they came in by; lo for the host's own.", "x-default": "any" }),
  oif: interfaceName()
    .optional()
    .meta({ description: "Interface that the sending socket is bound to.", "x-default": "any" }),
  tos: unsigned(0, 252).optional().meta({ description: "Only packets with this TOS.", "x-standard": 0 }),
  table: named("routing table", 1, 0xffffffff)
    .optional()
    .meta({ description: "Look this table up. One of table, type and goto is required.", "x-default": "none" }),
  type: oneOf(...types)
    .optional()
    .meta({ description: "Refuse the packets, or nop: go on with the next rule.", "x-default": "none" }),
  goto: unsigned(1, 0xffffffff)
    .optional()
    .meta({ description: "Go on with the rule of this priority.", "x-default": "none" }),
  suppress_prefixlength: unsigned(0, 128)
    .optional()
    .meta({ description: "Ignore routes with a prefix of this length or shorter.", "x-default": "none" }),
});

const vocabulary: Vocabulary = {
  options: {
    from: "from",
    to: "to",
    fwmark: "fwmark",
    iif: "iif",
    dev: "iif",
    oif: "oif",
    tos: "tos",
    dsfield: "tos",
    table: "table",
    lookup: "table",
    priority: "priority",
    preference: "priority",
    pref: "priority",
    order: "priority",
    type: "type",
    goto: "goto",
    suppress_prefixlength: "suppress_prefixlength",
    sup_pl: "suppress_prefixlength",
  },
  flags: {
    not: ["not", true],
    inet: ["family", "inet"],
    inet6: ["family", "inet6"],
    ...Object.fromEntries(types.map((type) => [type, ["type", type] as const])),
  },
  advice: {
    ...sharedAdvice,
    ...unsupported("ipproto", "sport", "dport", "uidrange", "l3mdev", "tun_id", "suppress_ifgroup", "nat", "protocol"),
  },
};

const rule = "a rule in the words of ip rule add";

export const ruleText = z
  .string({ error: ({ input }) => expected(rule, input) })
  .transform((value, context): RuleEntry => {
    const complain = (message: string) => {
      context.issues.push({ code: "custom", input: value, message });
      return z.NEVER;
    };
    const phrase = parsePhrase(wordsOf(value), vocabulary);
    if (typeof phrase === "string") return complain(phrase);
    if (phrase.fields.priority === undefined) {
      return complain(`needs a priority, for the order among the rules: add "priority 1000" or another number`);
    }
    const parsed = ruleMap.safeParse(phrase.fields);
    if (parsed.success) return { ...parsed.data, words: phrase.words };
    const issue = parsed.error.issues[0];
    return complain(complaintAbout(String(issue?.path[0] ?? ""), issue?.message ?? "not understood", phrase.words));
  })
  .meta({
    type: "string",
    description:
      "[not] [inet|inet6] [from PREFIX] [to PREFIX] [fwmark MARK[/MASK]] [iif IF] [oif IF] [tos N] priority N (table T | blackhole | unreachable | prohibit | nop | goto N) [suppress_prefixlength N]",
  });

export const ruleEntry = z.union([ruleText, ruleMap]);
