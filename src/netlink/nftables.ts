/**
 * The part of nf_tables (linux/netfilter/nf_tables.h) that a packet filter of our own needs: a table with sets, a base
 * chain and rules, changed in batches that take effect as a whole or not at all. Numbers are in network order here.
 */
import { BodyWriter } from "./attributes.ts";
import { NLM_F_ACK, NLM_F_APPEND, NLM_F_CREATE, NLM_F_REQUEST } from "./constants.ts";
import { encodeMessage, messageLength } from "./message.ts";
import * as n from "./nftables-constants.ts";

export interface NftMessage {
  /** NFT_MSG_… */
  readonly type: number;
  readonly flags: number;
  readonly body: Uint8Array;
}

export interface SetPlan {
  readonly name: string;
  /** By which rules and elements of the same batch mean it. */
  readonly id: number;
  /** A number that only nft reads, to show the elements: six bits for each part of the key. */
  readonly keyType: number;
  readonly keyLength: number;
}

export type Expression =
  | { readonly type: "meta"; readonly key: number; readonly register: number }
  | { readonly type: "cmp"; readonly operator: number; readonly register: number; readonly value: Uint8Array }
  | {
      readonly type: "payload";
      readonly base: number;
      readonly offset: number;
      readonly length: number;
      readonly register: number;
    }
  | { readonly type: "lookup"; readonly set: SetPlan; readonly register: number }
  | { readonly type: "verdict"; readonly verdict: number };

/** An attribute's length has 16 bits. */
const elementsPerMessage = 1000;

export function newTable(table: string): NftMessage {
  const writer = begin(table);
  writer.bytes(n.NFTA_TABLE_FLAGS, u32(0));
  return { type: n.NFT_MSG_NEWTABLE, flags: 0, body: writer.finish() };
}

/** It must be there: in a batch of its own making, or known to be. */
export function deleteTable(table: string): NftMessage {
  return { type: n.NFT_MSG_DELTABLE, flags: 0, body: begin(table).finish() };
}

export function newSet(table: string, { name, id, keyType, keyLength }: SetPlan): NftMessage {
  const writer = begin(table);
  writer.text(n.NFTA_SET_NAME, name);
  writer.bytes(n.NFTA_SET_FLAGS, u32(0));
  writer.bytes(n.NFTA_SET_KEY_TYPE, u32(keyType));
  writer.bytes(n.NFTA_SET_KEY_LEN, u32(keyLength));
  writer.bytes(n.NFTA_SET_ID, u32(id));
  return { type: n.NFT_MSG_NEWSET, flags: NLM_F_CREATE, body: writer.finish() };
}

/** A chain that packets pass on a hook, and that lets them go on unless a rule says otherwise. */
export function newBaseChain(table: string, name: string, hook: number, priority: number): NftMessage {
  const writer = begin(table);
  writer.text(n.NFTA_CHAIN_NAME, name);
  writer.text(n.NFTA_CHAIN_TYPE, "filter");
  writer.bytes(n.NFTA_CHAIN_POLICY, u32(n.NF_ACCEPT));
  nested(writer, n.NFTA_CHAIN_HOOK, () => {
    writer.bytes(n.NFTA_HOOK_HOOKNUM, u32(hook));
    writer.bytes(n.NFTA_HOOK_PRIORITY, u32(priority));
  });
  return { type: n.NFT_MSG_NEWCHAIN, flags: NLM_F_CREATE, body: writer.finish() };
}

export function newRule(table: string, chain: string, expressions: readonly Expression[]): NftMessage {
  const writer = begin(table);
  writer.text(n.NFTA_RULE_CHAIN, chain);
  nested(writer, n.NFTA_RULE_EXPRESSIONS, () => {
    for (const expression of expressions) {
      nested(writer, n.NFTA_LIST_ELEM, () => {
        writer.text(n.NFTA_EXPR_NAME, expression.type === "verdict" ? "immediate" : expression.type);
        nested(writer, n.NFTA_EXPR_DATA, () => writeExpression(writer, expression));
      });
    }
  });
  return { type: n.NFT_MSG_NEWRULE, flags: NLM_F_CREATE | NLM_F_APPEND, body: writer.finish() };
}

/** As many messages as it takes; none without elements. */
export function newElements(table: string, set: SetPlan, keys: readonly Uint8Array[]): NftMessage[] {
  const messages: NftMessage[] = [];
  for (let start = 0; start < keys.length; start += elementsPerMessage) {
    const writer = begin(table);
    writer.text(n.NFTA_SET_ELEM_LIST_SET, set.name);
    writer.bytes(n.NFTA_SET_ELEM_LIST_SET_ID, u32(set.id));
    nested(writer, n.NFTA_SET_ELEM_LIST_ELEMENTS, () => {
      for (const [i, key] of keys.slice(start, start + elementsPerMessage).entries()) {
        nested(writer, i + 1, () => {
          nested(writer, n.NFTA_SET_ELEM_KEY, () => writer.bytes(n.NFTA_DATA_VALUE, key));
        });
      }
    });
    messages.push({ type: n.NFT_MSG_NEWSETELEM, flags: NLM_F_CREATE, body: writer.finish() });
  }
  return messages;
}

/**
 * One datagram. Messages are numbered from `sequence` + 1 on; the kernel acknowledges the last one, and the batch's
 * begin answers with `sequence` if the whole is refused.
 */
export function encodeBatch(messages: readonly NftMessage[], sequence: number): Uint8Array {
  const frame = new BodyWriter(4);
  frame.setU16(2, n.NFNL_SUBSYS_NFTABLES << 8);
  const limits = frame.finish();
  const length = messages.reduce((sum, { body }) => sum + messageLength(body), 2 * messageLength(limits));
  const batch = new Uint8Array(length);
  let at = encodeMessage(batch, 0, n.NFNL_MSG_BATCH_BEGIN, NLM_F_REQUEST, sequence, limits);
  for (const [i, { type, flags, body }] of messages.entries()) {
    const last = i === messages.length - 1 ? NLM_F_ACK : 0;
    const number = (n.NFNL_SUBSYS_NFTABLES << 8) | type;
    at = encodeMessage(batch, at, number, NLM_F_REQUEST | flags | last, sequence + 1 + i, body);
  }
  encodeMessage(batch, at, n.NFNL_MSG_BATCH_END, NLM_F_REQUEST, sequence + 1 + messages.length, limits);
  return batch;
}

/** struct nfgenmsg: u8 family, u8 version, u16 resource; then the table, which is attribute 1 of every kind of message. */
function begin(table: string): BodyWriter {
  const writer = new BodyWriter(4);
  writer.setU8(0, n.NFPROTO_INET);
  writer.text(n.NFTA_TABLE_NAME, table);
  return writer;
}

function nested(writer: BodyWriter, type: number, write: () => void): void {
  writer.nested(n.NLA_F_NESTED | type, write);
}

function writeExpression(writer: BodyWriter, expression: Expression): void {
  switch (expression.type) {
    case "meta":
      writer.bytes(n.NFTA_META_KEY, u32(expression.key));
      writer.bytes(n.NFTA_META_DREG, u32(expression.register));
      return;
    case "cmp":
      writer.bytes(n.NFTA_CMP_SREG, u32(expression.register));
      writer.bytes(n.NFTA_CMP_OP, u32(expression.operator));
      nested(writer, n.NFTA_CMP_DATA, () => writer.bytes(n.NFTA_DATA_VALUE, expression.value));
      return;
    case "payload":
      writer.bytes(n.NFTA_PAYLOAD_DREG, u32(expression.register));
      writer.bytes(n.NFTA_PAYLOAD_BASE, u32(expression.base));
      writer.bytes(n.NFTA_PAYLOAD_OFFSET, u32(expression.offset));
      writer.bytes(n.NFTA_PAYLOAD_LEN, u32(expression.length));
      return;
    case "lookup":
      writer.bytes(n.NFTA_LOOKUP_SREG, u32(expression.register));
      writer.text(n.NFTA_LOOKUP_SET, expression.set.name);
      writer.bytes(n.NFTA_LOOKUP_SET_ID, u32(expression.set.id));
      return;
    case "verdict":
      writer.bytes(n.NFTA_IMMEDIATE_DREG, u32(n.NFT_REG_VERDICT));
      nested(writer, n.NFTA_IMMEDIATE_DATA, () => {
        nested(writer, n.NFTA_DATA_VERDICT, () => writer.bytes(n.NFTA_VERDICT_CODE, u32(expression.verdict)));
      });
      return;
  }
}

function u32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}
