/** Policy routing rules (linux/fib_rules.h): which packets look up which table. */
import type { Family, IpAddress } from "../wire/address.ts";
import { AttributeReader, BodyWriter } from "./attributes.ts";
import type { Connection } from "./connection.ts";
import * as k from "./constants.ts";
import { addressLength, familyFrom, familyNumber, formatPrefix } from "./family.ts";
import { readU32 } from "./host-order.ts";

export interface Prefix {
  readonly address: IpAddress;
  readonly prefixLength: number;
}

export interface Rule {
  readonly family: Family;
  /** Lower ones are asked first. */
  readonly priority: number;
  readonly from?: Prefix;
  readonly to?: Prefix;
  readonly tos: number;
  readonly mark?: { readonly value: number; readonly mask: number };
  readonly inputInterface?: string;
  readonly outputInterface?: string;
  /** FR_ACT_…: look up the table, or refuse. */
  readonly action: number;
  readonly table: number;
  /** All packets but those described. */
  readonly invert: boolean;
  /** Results with a prefix of this length or shorter do not count. */
  readonly suppressPrefixLength?: number;
  /** Of FR_ACT_GOTO: the priority of the rule to go on with. */
  readonly target?: number;
  /** RTPROT_…, who put it there; 0 on kernels before 4.17. */
  readonly protocol: number;
  /** It has conditions that are not decoded here: ports, users, tunnels. */
  readonly more?: true;
}

export type NewRule = Pick<Rule, "family" | "priority"> & Partial<Rule>;

/** struct fib_rule_hdr: u8 family, destination length, source length, tos, table, 2 reserved, action; u32 flags */
const FIB_RULE_HDR = 12;
const noSuppression = 0xffffffff;

export function decodeRule(payload: Uint8Array): Rule | undefined {
  const family = familyFrom(payload[0] ?? 0);
  if (payload.length < FIB_RULE_HDR || family === undefined) return undefined;
  const length = addressLength(family);
  let priority = 0;
  let from: IpAddress | undefined;
  let to: IpAddress | undefined;
  let value: number | undefined;
  let mask = 0xffffffff;
  let inputInterface: string | undefined;
  let outputInterface: string | undefined;
  let table = payload[4] ?? 0;
  let suppress: number | undefined;
  let target: number | undefined;
  let protocol = 0;
  let more = false;
  const reader = new AttributeReader(payload, FIB_RULE_HDR);
  while (reader.next()) {
    switch (reader.type) {
      case k.FRA_PRIORITY:
        priority = reader.u32();
        break;
      case k.FRA_SRC:
        from = reader.bytes(length);
        break;
      case k.FRA_DST:
        to = reader.bytes(length);
        break;
      case k.FRA_FWMARK:
        value = reader.u32();
        break;
      case k.FRA_FWMASK:
        mask = reader.u32();
        break;
      case k.FRA_IIFNAME:
        inputInterface = reader.text();
        break;
      case k.FRA_OIFNAME:
        outputInterface = reader.text();
        break;
      case k.FRA_TABLE:
        table = reader.u32();
        break;
      case k.FRA_SUPPRESS_PREFIXLEN:
        suppress = reader.u32();
        break;
      case k.FRA_GOTO:
        target = reader.u32();
        break;
      case k.FRA_PROTOCOL:
        protocol = reader.u8();
        break;
      case k.FRA_FLOW:
      case k.FRA_TUN_ID:
      case k.FRA_L3MDEV:
      case k.FRA_UID_RANGE:
      case k.FRA_IP_PROTO:
      case k.FRA_SPORT_RANGE:
      case k.FRA_DPORT_RANGE:
        more = true;
        break;
    }
  }
  if (reader.bad) return undefined;
  return {
    family,
    priority,
    ...(from !== undefined && { from: { address: from, prefixLength: payload[2] ?? 0 } }),
    ...(to !== undefined && { to: { address: to, prefixLength: payload[1] ?? 0 } }),
    tos: payload[3] ?? 0,
    ...(value !== undefined && { mark: { value, mask } }),
    ...(inputInterface !== undefined && { inputInterface }),
    ...(outputInterface !== undefined && { outputInterface }),
    action: payload[7] ?? 0,
    table,
    invert: (readU32(payload, 8) & k.FIB_RULE_INVERT) !== 0,
    ...(suppress !== undefined && suppress !== noSuppression && { suppressPrefixLength: suppress }),
    ...(target !== undefined && { target }),
    protocol,
    ...(more && { more }),
  };
}

/** The body of RTM_NEWRULE and of RTM_DELRULE, which takes away the first rule that matches all of it. */
export function encodeRule(rule: NewRule): Uint8Array {
  const { from, to, mark, inputInterface, outputInterface, action = k.FR_ACT_TO_TBL, target, protocol = 0 } = rule;
  const table = rule.table ?? (action === k.FR_ACT_TO_TBL ? k.RT_TABLE_MAIN : k.RT_TABLE_UNSPEC);
  const writer = new BodyWriter(FIB_RULE_HDR);
  writer.setU8(0, familyNumber(rule.family));
  writer.setU8(1, to?.prefixLength ?? 0);
  writer.setU8(2, from?.prefixLength ?? 0);
  writer.setU8(3, rule.tos ?? 0);
  writer.setU8(4, table < 256 ? table : k.RT_TABLE_UNSPEC);
  writer.setU8(7, action);
  writer.setU32(8, rule.invert === true ? k.FIB_RULE_INVERT : 0);
  if (protocol !== 0) writer.u8(k.FRA_PROTOCOL, protocol);
  writer.u32(k.FRA_PRIORITY, rule.priority);
  if (from !== undefined) writer.bytes(k.FRA_SRC, from.address);
  if (to !== undefined) writer.bytes(k.FRA_DST, to.address);
  if (mark !== undefined) {
    writer.u32(k.FRA_FWMARK, mark.value);
    if (mark.mask !== 0xffffffff) writer.u32(k.FRA_FWMASK, mark.mask);
  }
  if (inputInterface !== undefined) writer.text(k.FRA_IIFNAME, inputInterface);
  if (outputInterface !== undefined) writer.text(k.FRA_OIFNAME, outputInterface);
  if (table >= 256) writer.u32(k.FRA_TABLE, table);
  if (rule.suppressPrefixLength !== undefined) writer.u32(k.FRA_SUPPRESS_PREFIXLEN, rule.suppressPrefixLength);
  if (target !== undefined) writer.u32(k.FRA_GOTO, target);
  return writer.finish();
}

export function encodeListRules(family?: Family): Uint8Array {
  const writer = new BodyWriter(FIB_RULE_HDR);
  writer.setU8(0, familyNumber(family));
  return writer.finish();
}

/** In the order in which the kernel asks them, family by family. */
export function listRules(connection: Connection, family?: Family): Promise<Rule[]> {
  const decode = (payload: Uint8Array): Rule | undefined => {
    const rule = decodeRule(payload);
    return family !== undefined && rule?.family !== family ? undefined : rule;
  };
  return connection.dumpWith("list rules", k.RTM_GETRULE, encodeListRules(family), decode);
}

export function describeRule({ priority, family, from, to }: NewRule): string {
  const part = (word: string, prefix: Prefix | undefined): string =>
    prefix === undefined ? "" : ` ${word} ${formatPrefix(prefix.address, prefix.prefixLength)}`;
  return `IPv${family} rule ${priority}${part("from", from)}${part("to", to)}`;
}

export function addRule(connection: Connection, rule: NewRule): Promise<void> {
  const flags = k.NLM_F_CREATE | k.NLM_F_EXCL;
  return connection.request(() => `add ${describeRule(rule)}`, k.RTM_NEWRULE, flags, encodeRule(rule));
}

export function deleteRule(connection: Connection, rule: NewRule): Promise<void> {
  return connection.request(() => `delete ${describeRule(rule)}`, k.RTM_DELRULE, 0, encodeRule(rule));
}
