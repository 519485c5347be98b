import { expect, test } from "vitest";
import { encodeAdvertisement, type Rejection } from "../../src/vrrp/advertisement.ts";
import { type Cause, describeCause, describeRefusal, formatDuration, newActiveReason } from "../../src/vrrp/reasons.ts";
import { address, altered, v2Fields, v3Fields } from "../support/packets.ts";
import { signed } from "../support/signed.ts";

const peer = { source: address("192.0.2.12"), priority: 90, at: 0 };
const peer6 = { source: address("fe80::12"), priority: 100, at: 0 };

test.each<readonly [string, Cause, ReturnType<typeof newActiveReason>]>([
  ["everything it needs is there", { type: "startup" }, "priority"],
  ["priority 255: this node owns the address", { type: "owner" }, "priority"],
  ["interface eth0 is down", { type: "shutdown", why: "interface eth0 is down" }, "priority"],
  ["no advertisement from anybody for 3.61 s", { type: "nobody", silent: 3609.375 }, "no_response"],
  ["no advertisement from 192.0.2.12 for 36 ms", { type: "silent", peer, silent: 36.09 }, "no_response"],
  ["192.0.2.12 gave up the role (priority 0)", { type: "resigned", peer }, "priority"],
  ["preempting 192.0.2.12: its priority 90 is below our 100", { type: "preempted", peer, own: 100 }, "preempted"],
  ["192.0.2.12 has priority 90, above our 80", { type: "outranked", peer, own: 80 }, "priority"],
  [
    "fe80::12 has the same priority 100 and the higher address",
    { type: "outranked", peer: peer6, own: 100 },
    "priority",
  ],
  [
    "this process was not run and sent nothing for 5.20 s: listening before it goes on",
    { type: "stalled", silent: 5200 },
    "priority",
  ],
  ["the other address family lost the role", { type: "group" }, "priority"],
])("%s", (words, cause, reason) => {
  expect(describeCause(cause)).toBe(words);
  expect(newActiveReason(cause)).toBe(reason);
});

test.each<readonly [Rejection, Uint8Array, string]>([
  ["version", encodeAdvertisement(v2Fields), "it speaks VRRP 2, this router 3: both nodes will be active"],
  ["auth_type", altered(v2Fields, { 4: 0 }), "it has no password, this router has one: both nodes will be active"],
  ["auth_type", altered(v2Fields, { 4: 1 }), "it has a password, this router has none: both nodes will be active"],
  [
    "auth_type",
    altered(v2Fields, { 4: 2 }),
    "type 2, this router knows none and a password: both nodes will be active",
  ],
  ["auth_data", altered(v2Fields, { 4: 1 }), "another password than ours: both nodes will be active"],
  ["long", signed(v2Fields, 0), "it is signed, and this router has no auth_hmac: both nodes will be active"],
  ["long", signed(v3Fields, 0), "it is signed, and this router has no auth_hmac: both nodes will be active"],
])("%s of %o is told as: %s", (name, pdu, words) => {
  const datagram = { source: v2Fields.source, destination: v2Fields.destination, ttl: 255, pdu };
  expect(describeRefusal(name, datagram, { version: 3 })).toBe(
    `refused advertisement from 192.0.2.11: ${name} (${words})`,
  );
});

test("a message that is only too long is not taken for signed", () => {
  const pdu = Uint8Array.of(...encodeAdvertisement(v3Fields), ...new Uint8Array(28));
  const datagram = { source: v3Fields.source, destination: v3Fields.destination, ttl: 255, pdu };
  expect(describeRefusal("long", datagram, { version: 3 })).toBe("refused advertisement from 192.0.2.11: long");
});

test.each([
  [0, "0.00 ms"],
  [0.0078125, "0.01 ms"],
  [1, "1 ms"],
  [36.09, "36 ms"],
  [999, "999 ms"],
  [1000, "1.00 s"],
  [3609.375, "3.61 s"],
  [59_990, "59.99 s"],
  [60_000, "1 min 0 s"],
  [163_640, "2 min 44 s"],
])("%d ms are %s", (duration, text) => {
  expect(formatDuration(duration)).toBe(text);
});

// Rounding must not fill up the unit.
test.each([999.6, 59_996])("%d ms are told in seconds or minutes", (duration) => {
  expect(formatDuration(duration)).not.toMatch(/^(1000 ms|60\.00 s)$/);
});
