import { describe, expect, test } from "vitest";
import { deadline, type Event, initialState, step } from "../../src/vrrp/router.ts";
import { advertisement, router, variants } from "./samples.ts";

describe.each(variants)("$name: initialize", (variant) => {
  const { own, lower, higher } = variant;

  test("a startup below priority 255 leads to backup, and nothing is sent", () => {
    expect(step(router(variant), initialState, { type: "startup" }, 10_000)).toEqual({
      state: {
        name: "backup",
        activeAdverInterval: 1000,
        activeDownTimer: 13_609.375,
        timerStart: 10_000,
        resigned: false,
        learned: false,
        willing: false,
      },
      actions: [],
      cause: { type: "startup" },
    });
  });

  test.each([true, false])("the startup of the address owner leads to active at once, preempt %s", (preempt) => {
    expect(step(router(variant, { priority: 255, preempt }), initialState, { type: "startup" }, 10_000)).toEqual({
      state: { name: "active", adverTimer: 11_000, answerAfter: 10_000 },
      actions: [
        { type: "send-advertisement", priority: 255 },
        { type: "add-addresses" },
        { type: "announce-addresses" },
      ],
      cause: { type: "owner" },
    });
  });

  const ignored: readonly (readonly [string, Event])[] = [
    ["a shutdown", { type: "shutdown", why: "stopped" }],
    ["a timer", { type: "timer" }],
    ["priority 0", advertisement(variant, 0, higher, 10_000)],
    ["a lower priority", advertisement(variant, 50, higher, 10_000)],
    ["the same priority from a lower address", advertisement(variant, 100, lower, 10_000)],
    ["the same priority from a higher address", advertisement(variant, 100, higher, 10_000)],
    ["its own packet", advertisement(variant, 100, own, 10_000)],
    ["a higher priority", advertisement(variant, 200, lower, 10_000)],
    ["changed parameters", { type: "parameters" }],
    ["a grant", { type: "grant" }],
    ["a yield", { type: "yield" }],
  ];
  test.each(ignored)("%s changes nothing", (_, event) => {
    for (const preempt of [true, false]) {
      expect(step(router(variant, { preempt }), initialState, event, 10_000)).toEqual({
        state: initialState,
        actions: [],
      });
    }
  });

  test("changed parameters do not start even the address owner", () => {
    const owner = router(variant, { priority: 255 });
    expect(step(owner, initialState, { type: "parameters" }, 10_000)).toEqual({ state: initialState, actions: [] });
  });

  test("no timer runs", () => {
    expect(deadline(initialState)).toBeUndefined();
  });
});
