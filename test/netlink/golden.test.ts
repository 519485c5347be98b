// The codecs against bytes captured from ip and the kernel.
import { expect, test } from "vitest";
import { decodeAddress, encodeDeleteAddress, encodeNewAddress, type NewAddress } from "../../src/netlink/address.ts";
import { align } from "../../src/netlink/attributes.ts";
import * as k from "../../src/netlink/constants.ts";
import { readU16 } from "../../src/netlink/host-order.ts";
import {
  decodeLink,
  encodeDeleteLink,
  encodeDeleteLinks,
  encodeNewLink,
  encodeSetLink,
  type LinkSettings,
  type NewLink,
} from "../../src/netlink/link.ts";
import {
  decodeAnswer,
  encodeMessage,
  MESSAGE_HEADER,
  MessageReader,
  messageLength,
} from "../../src/netlink/message.ts";
import { decodeNeighbor, encodeNeighbor, type NewNeighbor } from "../../src/netlink/neighbor.ts";
import { decodeRoute, encodeDeleteRoute, encodeNewRoute, type NewRoute } from "../../src/netlink/route.ts";
import { decodeRule, encodeRule, type NewRule } from "../../src/netlink/rule.ts";
import { toHex } from "../support/hex.ts";
import { type Golden, goldens } from "../support/netlink-golden.ts";

const decoders: Record<string, (payload: Uint8Array, type: number, flags: number) => unknown> = {
  link: decodeLink,
  address: decodeAddress,
  route: decodeRoute,
  rule: decodeRule,
  neighbor: decodeNeighbor,
  answer: decodeAnswer,
};

// The file decides which of the shapes its value has.
const encoders: Record<string, { type: number; encode: (value: never) => Uint8Array }> = {
  "new-link": { type: k.RTM_NEWLINK, encode: (value: NewLink) => encodeNewLink(value) },
  "set-link": {
    type: k.RTM_NEWLINK,
    encode: ({ index, ...settings }: LinkSettings & { index: number }) => encodeSetLink(index, settings),
  },
  "delete-links": { type: k.RTM_DELLINK, encode: ({ group }: { group: number }) => encodeDeleteLinks(group) },
  "delete-link": { type: k.RTM_DELLINK, encode: ({ index }: { index: number }) => encodeDeleteLink(index) },
  "new-address": { type: k.RTM_NEWADDR, encode: (value: NewAddress) => encodeNewAddress(value) },
  "delete-address": { type: k.RTM_DELADDR, encode: (value: NewAddress) => encodeDeleteAddress(value) },
  "new-route": { type: k.RTM_NEWROUTE, encode: (value: NewRoute) => encodeNewRoute(value) },
  "delete-route": { type: k.RTM_DELROUTE, encode: (value: NewRoute) => encodeDeleteRoute(value) },
  "new-rule": { type: k.RTM_NEWRULE, encode: (value: NewRule) => encodeRule(value) },
  "new-neighbor": { type: k.RTM_NEWNEIGH, encode: (value: NewNeighbor) => encodeNeighbor(value) },
};

function message(bytes: Uint8Array): MessageReader {
  const reader = new MessageReader(bytes);
  expect(reader.next()).toBe(true);
  return reader;
}

function decode({ kind }: Golden, bytes: Uint8Array): unknown {
  const { type, flags } = message(bytes);
  return decoders[kind]?.(message(bytes).payload(), type, flags);
}

/** ip writes attributes in the order of its command line. So: the fixed part, then what follows it, sorted. */
function parts(bytes: Uint8Array): string[] {
  const { type } = message(bytes);
  const structure = type === k.RTM_NEWADDR || type === k.RTM_DELADDR ? 8 : type < k.RTM_NEWADDR ? 16 : 12;
  const found: string[] = [];
  for (let at = MESSAGE_HEADER + structure; at < bytes.length; ) {
    const length = align(readU16(bytes, at));
    found.push(toHex(bytes.subarray(at, at + length)));
    at += Math.max(length, 4);
  }
  return [toHex(bytes.subarray(0, MESSAGE_HEADER + structure)), ...found.sort()];
}

test.each(goldens(...Object.keys(decoders)))("$name is decoded as the kernel meant it", (golden) => {
  expect(decode(golden, golden.bytes)).toEqual(golden.value);
});

test.each(goldens(...Object.keys(encoders)))(
  "$name is encoded as ip does, but for the order of attributes",
  ({ kind, bytes, value }) => {
    const encoder = encoders[kind];
    const { flags, sequence } = message(bytes);
    const body = encoder?.encode(value as never) ?? new Uint8Array();
    // What was in the buffer before must not shine through, not even in the padding.
    const buffer = new Uint8Array(messageLength(body) + 8).fill(0xa5);
    const end = encodeMessage(buffer, 4, encoder?.type ?? 0, flags, sequence, body);
    expect(parts(buffer.subarray(4, end))).toEqual(parts(bytes));
    expect([buffer[3], buffer[end]]).toEqual([0xa5, 0xa5]);
  },
);

test.each(goldens(...Object.keys(decoders)))(
  "no prefix of $name throws, and none is longer than the whole",
  (golden) => {
    const payload = message(golden.bytes).payload();
    const { type, flags } = message(golden.bytes);
    for (let length = 0; length < payload.length; length++) {
      const value = decoders[golden.kind]?.(payload.subarray(0, length), type, flags);
      expect(Object.keys(value ?? {}).length).toBeLessThanOrEqual(Object.keys(golden.value).length + 1);
    }
  },
);

test.each(goldens("new-address", "new-route", "new-rule", "new-neighbor"))("$name survives decoding", (golden) => {
  const kind = golden.kind.slice("new-".length);
  expect(decoders[kind]?.(message(golden.bytes).payload(), 0, 0)).toMatchObject(golden.value);
});

test("an address with an owner is encoded and decoded; a kernel that knows none gives 0", () => {
  const entry: NewAddress = {
    family: 4,
    index: 3,
    address: Uint8Array.of(192, 0, 2, 1),
    prefixLength: 32,
    protocol: 112,
  };
  expect(decodeAddress(encodeNewAddress(entry))).toMatchObject({ protocol: 112 });
  expect(decodeAddress(encodeNewAddress({ ...entry, protocol: 0 }))).toMatchObject({ protocol: 0 });
});

test("news of other families and of half a link are nobody's", () => {
  const bridgePort = encodeSetLink(4, { name: "port" });
  bridgePort[0] = 7;
  expect(decodeLink(bridgePort)).toBeUndefined();
  const multicastRoute = encodeNewRoute({ family: 4, destination: new Uint8Array(4), prefixLength: 0 });
  multicastRoute[0] = 128;
  expect(decodeRoute(multicastRoute)).toBeUndefined();
});
