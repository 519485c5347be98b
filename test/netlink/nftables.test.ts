// Batches of nf_tables changes against what nft sends for the same table.
import { expect, test } from "vitest";
import { readU16, readU32 } from "../../src/netlink/host-order.ts";
import { encodeBatch, newElements, newTable } from "../../src/netlink/nftables.ts";
import { type FilterEntry, filterMessages } from "../../src/vrrp/filter-plan.ts";
import { formatAddress, parseAddress } from "../../src/wire/address.ts";
import { toHex } from "../support/hex.ts";
import { goldens } from "../support/netlink-golden.ts";

interface Message {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly body: string;
}

const NFT_MSG_NEWSET = 0xa09;
const NFTA_SET_USERDATA = 13;
const NLM_F_ACK = 4;

function messages(batch: Uint8Array): Message[] {
  const found: Message[] = [];
  for (let at = 0; at < batch.length; at += readU32(batch, at)) {
    const type = readU16(batch, at + 4);
    const body = batch.subarray(at + 16, at + readU32(batch, at));
    const kept = type === NFT_MSG_NEWSET ? withoutUserData(body) : body;
    found.push({ type, flags: readU16(batch, at + 6), sequence: readU32(batch, at + 8), body: toHex(kept) });
  }
  return found;
}

/** A note that nft leaves for itself. */
function withoutUserData(body: Uint8Array): Uint8Array {
  const kept = [...body.subarray(0, 4)];
  for (let at = 4; at < body.length; at += (readU16(body, at) + 3) & ~3) {
    if (readU16(body, at + 2) !== NFTA_SET_USERDATA)
      kept.push(...body.subarray(at, at + ((readU16(body, at) + 3) & ~3)));
  }
  return Uint8Array.from(kept);
}

test.each(goldens("nft-batch"))("$name is encoded as nft does", ({ bytes, value }) => {
  const entries = (value.entries as { address: Uint8Array; device: string }[]).map(
    ({ address, device }): FilterEntry => ({ address: formatAddress(address), device }),
  );
  const theirs = messages(bytes);
  const ours = messages(encodeBatch(filterMessages(entries), 0));
  // nft asks for no acknowledgement of its last change.
  const asked = ours.map((message) => ({ ...message, flags: message.flags & ~NLM_F_ACK }));
  expect(asked).toEqual(theirs);
  expect(ours.map(({ flags }) => flags & NLM_F_ACK).filter(Boolean)).toHaveLength(1);
  expect(ours.at(-2)?.flags).toBe((theirs.at(-2)?.flags ?? 0) | NLM_F_ACK);
});

test("without entries the table is taken away", () => {
  expect(filterMessages([]).map(({ type }) => type)).toEqual([0, 2]);
});

test("elements are spread over messages whose attributes can tell their length", () => {
  const keys = Array.from({ length: 2500 }, (_, i) => Uint8Array.of(10, 0, i >> 8, i & 255));
  const set = { name: "addresses4", id: 1, keyType: 7, keyLength: 4 };
  const found = newElements("viprd", set, keys);
  expect(found).toHaveLength(3);
  for (const { body } of found) expect(body.length).toBeLessThan(65_000);
  expect(newElements("viprd", set, [])).toEqual([]);
});

test("a batch begins and ends, and its messages are numbered behind the begin", () => {
  const batch = messages(encodeBatch([newTable("viprd")], 70));
  expect(batch.map(({ type, sequence }) => [type, sequence])).toEqual([
    [16, 70],
    [0xa00, 71],
    [17, 72],
  ]);
});

test("a link-local address is filtered on its interface only", () => {
  const entries = ["vrrp6.51", "vrrp6.52"].map((device) => ({ address: "fe80::1", device }));
  const body = toHex(filterMessages(entries).at(-1)?.body ?? new Uint8Array());
  const address = toHex(parseAddress("fe80::1") ?? new Uint8Array());
  for (const { device } of entries) {
    expect(body).toContain(address + toHex(new TextEncoder().encode(device)).padEnd(32, "0"));
  }
});
