/** RFC 9568 section 7.1: what a receiver verifies before the state machine sees a packet, and in which order. */
import { expect, test } from "vitest";
import { judgeFrame } from "../../src/cli/decode-packet.ts";
import { decodeAdvertisement, encodeAdvertisement } from "../../src/vrrp/advertisement.ts";
import { ethernet, ipPacket, joined } from "../support/captures.ts";
import { hex } from "../support/hex.ts";
import { addressList, altered, options4, options6, v2Fields, v3Fields, v6Fields } from "../support/packets.ts";

test("a message that is complete and right is accepted", () => {
  for (const fields of [v2Fields, v3Fields, v6Fields]) {
    const options = fields.family === 4 ? options4 : options6;
    expect(decodeAdvertisement(encodeAdvertisement(fields), options)).toMatchObject({ vrid: 51, priority: 100 });
  }
});

test("every message shorter than it claims is refused as too short", () => {
  for (const fields of [v2Fields, v3Fields, v6Fields]) {
    const pdu = encodeAdvertisement(fields);
    const options = fields.family === 4 ? options4 : options6;
    for (let length = 0; length < pdu.length; length++) {
      expect(decodeAdvertisement(pdu.subarray(0, length), options)).toBe("short");
    }
  }
});

test("a message longer than it claims is refused as too long", () => {
  for (const fields of [v2Fields, v3Fields, v6Fields]) {
    const pdu = joined(encodeAdvertisement(fields), new Uint8Array(1));
    expect(decodeAdvertisement(pdu, fields.family === 4 ? options4 : options6)).toBe("long");
  }
});

test("a trailer behind the addresses, such as an authentication extension, makes the message too long", () => {
  expect(decodeAdvertisement(joined(encodeAdvertisement(v3Fields), new Uint8Array(28)), options4)).toBe("long");
});

/**
 * The order when several things are wrong. Each row spoils one thing more than the row below, so every row has to be
 * answered with its own name: [name, what is done to a good IPv4 packet].
 */
interface Wrong {
  version?: number;
  type?: number;
  count?: number;
  length?: number;
  checksum?: boolean;
  vrid?: number;
  interval?: number;
  ttl?: number;
}
const ladder: readonly (readonly [string, Wrong])[] = [
  ["ttl", { ttl: 1, length: 7 }],
  ["short", { length: 7, version: 4 }],
  ["version", { version: 4, type: 2 }],
  ["type", { type: 2, count: 0 }],
  ["count_zero", { count: 0, length: 11 }],
  ["short", { length: 11, checksum: false }],
  ["long", { length: 13, checksum: false }],
  ["checksum", { checksum: false, vrid: 0 }],
  ["vrid_zero", { vrid: 0, interval: 0 }],
  ["interval_zero", { interval: 0 }],
];

test("of several faults the first in the order of the checks is reported", () => {
  let wrong: Wrong = {};
  for (const [name, more] of ladder.toReversed()) {
    // What was wrong further down stays wrong, as far as the new fault leaves it possible.
    wrong = { ...wrong, ...more };
    const answer = judgeFrame(1, ethernet(ipPacket(v3Fields, spoiled(wrong), wrong.ttl)), how);
    expect(answer).toMatchObject({ valid: false, error: name });
    if (name === "long") wrong = { ...wrong, length: 11 };
  }
});

const how = {
  version: "any",
  checksum: "either",
  firstLinkLocal: "strict",
  source: undefined,
  destination: undefined,
} as const;

function spoiled(wrong: Wrong): Uint8Array {
  const { version = 3, type = 1, count = 1, vrid = 51, interval = 100 } = wrong;
  const pdu = altered(v3Fields, { 0: (version << 4) | type, 1: vrid, 3: count, 5: interval });
  if (wrong.checksum === false) pdu[7] = (pdu[7] ?? 0) ^ 0x55;
  return joined(pdu, new Uint8Array(8)).subarray(0, wrong.length ?? 12);
}

test("a malformed IP header comes before everything else", () => {
  const packet = ipPacket(v3Fields, undefined, 1);
  packet[0] = 0x44;
  expect(judgeFrame(1, ethernet(packet), how)).toMatchObject({ error: "ip", ttl: 1, source: "192.0.2.11" });
});

test("the first IPv6 address is looked at last", () => {
  const fields = { ...v6Fields, addressBytes: addressList("2001:db8::1") };
  expect(decodeAdvertisement(altered(fields, { 1: 0 }), options6)).toBe("vrid_zero");
  expect(decodeAdvertisement(altered(fields, { 4: 0, 5: 0 }), options6)).toBe("interval_zero");
  expect(decodeAdvertisement(altered(fields, {}), options6)).toBe("first_not_link_local");
});

test("mixing address families shows as a length error", () => {
  const pdu = altered({ ...v3Fields, addressBytes: hex("fe80 0000 0000 0000 0000 0000 0000 0001") }, { 3: 1 });
  expect(decodeAdvertisement(pdu, options4)).toBe("long");
  expect(decodeAdvertisement(altered(v6Fields, { 3: 3 }), options6)).toBe("short");
});
