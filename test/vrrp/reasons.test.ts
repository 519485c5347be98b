import { expect, test } from "vitest";
import { type Cause, describeCause, formatDuration, newActiveReason } from "../../src/vrrp/reasons.ts";
import { address } from "../support/packets.ts";

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
