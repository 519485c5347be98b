/** A configured rule and the kernel's. */
import * as k from "../netlink/constants.ts";
import type { Prefix, Rule } from "../netlink/rule.ts";
import { parseAddress } from "../wire/address.ts";
import { routingOwner } from "./route-entry.ts";
import type { PrefixParameters, RuleAction, RuleParameters } from "./routing-parameters.ts";

const actionNumbers: Readonly<Record<RuleAction, number>> = {
  table: k.FR_ACT_TO_TBL,
  goto: k.FR_ACT_GOTO,
  nop: k.FR_ACT_NOP,
  blackhole: k.FR_ACT_BLACKHOLE,
  unreachable: k.FR_ACT_UNREACHABLE,
  prohibit: k.FR_ACT_PROHIBIT,
};

export function toRule(rule: RuleParameters): Rule {
  const { from, to, mark, inputInterface, outputInterface, target, suppressPrefixLength } = rule;
  return {
    family: rule.family,
    priority: rule.priority,
    ...(from === undefined ? {} : { from: toPrefix(from) }),
    ...(to === undefined ? {} : { to: toPrefix(to) }),
    tos: rule.tos,
    ...(mark === undefined ? {} : { mark }),
    ...(inputInterface === undefined ? {} : { inputInterface }),
    ...(outputInterface === undefined ? {} : { outputInterface }),
    action: actionNumbers[rule.action],
    table: rule.table,
    invert: rule.not,
    ...(suppressPrefixLength === undefined ? {} : { suppressPrefixLength }),
    ...(target === undefined ? {} : { target }),
    protocol: routingOwner,
  };
}

function toPrefix({ address, prefixLength }: PrefixParameters): Prefix {
  const bytes = parseAddress(address);
  if (bytes === undefined) throw new Error(`${address} is not an IP address`);
  return { address: bytes, prefixLength };
}

/** In the words of ip. */
export function ruleText(rule: RuleParameters): string {
  const { mark, target, action, table, family, from, to } = rule;
  const prefix = (word: string, part: PrefixParameters | undefined) =>
    part === undefined ? [] : [`${word} ${part.address}/${part.prefixLength}`];
  const mask = mark === undefined || mark.mask === 0xffffffff ? "" : `/0x${mark.mask.toString(16)}`;
  return [
    ...(rule.not ? ["not"] : []),
    ...(family === 6 && from === undefined && to === undefined ? ["inet6"] : []),
    ...prefix("from", from),
    ...prefix("to", to),
    ...(mark === undefined ? [] : [`fwmark 0x${mark.value.toString(16)}${mask}`]),
    ...(rule.inputInterface === undefined ? [] : [`iif ${rule.inputInterface}`]),
    ...(rule.outputInterface === undefined ? [] : [`oif ${rule.outputInterface}`]),
    ...(rule.tos === 0 ? [] : [`tos 0x${rule.tos.toString(16)}`]),
    `priority ${rule.priority}`,
    action === "table" ? `table ${table}` : action === "goto" ? `goto ${target}` : action,
    ...(rule.suppressPrefixLength === undefined ? [] : [`suppress_prefixlength ${rule.suppressPrefixLength}`]),
  ].join(" ");
}
