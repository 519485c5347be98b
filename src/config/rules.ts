/** Rules of the file as the router gets them: family found, names looked up, words checked against each other. */
import type { PrefixParameters, RuleAction, RuleParameters } from "../vrrp/routing-parameters.ts";
import type { Family } from "../wire/address.ts";
import { familyOfText } from "./addresses.ts";
import { complaintAbout } from "./phrase.ts";
import type { Path } from "./problem.ts";
import type { Loose } from "./read.ts";
import type { Report } from "./report.ts";
import type { PrefixValue } from "./routing-kinds.ts";
import { lookUp, type RoutingNames } from "./routing-names.ts";
import type { RuleEntry } from "./rule-entry.ts";

export interface PlacedRule {
  readonly rule: RuleParameters;
  readonly at: Path;
}

export function resolveRules(
  entries: readonly (Loose<RuleEntry> | undefined)[] | undefined,
  names: RoutingNames,
  path: Path,
  report: Report,
): PlacedRule[] {
  const placed: PlacedRule[] = [];
  for (const [i, entry] of (entries ?? []).entries()) {
    const at = [...path, i];
    if (report.has(at)) continue;
    const rule = entry && resolveRule(entry, names, at, report);
    if (rule !== undefined) placed.push({ rule, at });
  }
  return placed;
}

function resolveRule(
  entry: Loose<RuleEntry>,
  names: RoutingNames,
  at: Path,
  report: Report,
): RuleParameters | undefined {
  const { priority, not = false, from, to, fwmark, iif, oif, tos = 0, words, suppress_prefixlength: suppress } = entry;
  let bad = false;
  const complain = (field: string, message: string) => {
    bad = true;
    if (words === undefined) report.error(field === "" ? at : [...at, field], message);
    else report.error(at, field === "" ? message : complaintAbout(field, message, words));
  };
  if (priority === undefined) return undefined;
  const family = familyOfRule(entry, complain);
  const action = actionOf(entry, complain);
  let table = 0;
  if (action === "table") {
    const found =
      typeof entry.table === "string" ? lookUp("routing table", entry.table, names.tables, 0xffffffff) : entry.table;
    if (typeof found === "number") table = found;
    else if (found !== undefined) complain("table", found);
  }
  if (entry.goto !== undefined && entry.goto <= priority) {
    complain("goto", `leads back to ${entry.goto}: write a number above the rule's own priority ${priority}`);
  }
  if (tos % 4 !== 0) complain("tos", `the two lowest bits are not part of it, got ${tos}`);
  if (suppress !== undefined && action !== "table") complain("suppress_prefixlength", "needs a table: remove it");
  if (suppress !== undefined && suppress > (family === 4 ? 32 : 128)) {
    complain("suppress_prefixlength", `expected at most 32 in IPv4, got ${suppress}`);
  }
  const source = prefixOf(from);
  const destination = prefixOf(to);
  return bad
    ? undefined
    : {
        family,
        priority,
        not,
        ...(source === undefined ? {} : { from: source }),
        ...(destination === undefined ? {} : { to: destination }),
        ...(fwmark?.value === undefined || fwmark.mask === undefined
          ? {}
          : { mark: { value: fwmark.value, mask: fwmark.mask } }),
        tos,
        ...(iif === undefined ? {} : { inputInterface: iif }),
        ...(oif === undefined ? {} : { outputInterface: oif }),
        action,
        table,
        ...(entry.goto === undefined ? {} : { target: entry.goto }),
        ...(suppress === undefined ? {} : { suppressPrefixLength: suppress }),
      };
}

type Complain = (field: string, message: string) => void;

function familyOfRule({ family, from, to }: Loose<RuleEntry>, complain: Complain): Family {
  const named = family === undefined ? undefined : family === "inet" ? 4 : 6;
  const told = [
    ["family", named],
    ["from", from?.address === undefined ? undefined : familyOfText(from.address)],
    ["to", to?.address === undefined ? undefined : familyOfText(to.address)],
  ] as const;
  const first = told.find(([, its]) => its !== undefined);
  for (const [field, its] of told) {
    if (its === undefined || its === first?.[1]) continue;
    complain(field, `is IPv${its}, and ${first?.[0]} is IPv${first?.[1]}: a rule has one family`);
    break;
  }
  return first?.[1] ?? 4;
}

function actionOf({ table, type, goto }: Loose<RuleEntry>, complain: Complain): RuleAction {
  const given = [
    ["table", table === undefined ? undefined : ("table" as const)],
    ["type", type],
    ["goto", goto === undefined ? undefined : ("goto" as const)],
  ] as const;
  const actions = given.filter(([, action]) => action !== undefined);
  const [first, second] = actions;
  if (first === undefined) {
    complain("", "says what to look for, but not what to do then: add table and a number, or blackhole");
  } else if (second !== undefined) {
    complain(second[0], `${second[1]} and ${first[1]} exclude each other: remove one`);
  }
  return first?.[1] ?? "nop";
}

/** Of length 0: all, which is said by saying nothing. */
function prefixOf(prefix: Loose<PrefixValue> | undefined): PrefixParameters | undefined {
  const { address, prefixLength = 0 } = prefix ?? {};
  return address === undefined || prefixLength === 0 ? undefined : { address, prefixLength };
}
