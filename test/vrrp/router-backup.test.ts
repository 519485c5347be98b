import { describe, expect, test } from "vitest";
import { type Backup, deadline, type Event, initialState, type State, step } from "../../src/vrrp/router.ts";
import { advertisement, backup, router, variants } from "./samples.ts";

const becoming = [
  { type: "send-advertisement", priority: 100 },
  { type: "add-addresses" },
  { type: "announce-addresses" },
] as const;

describe.each(variants)("$name: backup", (variant) => {
  const { own, lower, higher, interval, down } = variant;
  const now = 12_000;
  /** The whole state after an advertisement was accepted at 11 999. */
  const accepted = (priority: number, source: Uint8Array): Backup => ({
    name: "backup",
    activeAdverInterval: interval,
    activeDownTimer: 11_999 + down,
    timerStart: 11_999,
    resigned: false,
    learned: variant.version === 3,
    active: { source, priority, at: 11_999 },
    willing: false,
  });

  test("its one timer is the Active_Down_Timer", () => {
    expect(deadline(backup(variant))).toBe(13_609.375);
  });

  const ignored: readonly (readonly [string, Event])[] = [
    ["a startup", { type: "startup" }],
    ["a timer that is not due", { type: "timer" }],
    ["a grant that it did not ask for", { type: "grant" }],
    ["a yield", { type: "yield" }],
  ];
  test.each(ignored)("%s changes nothing", (_, event) => {
    const state = backup(variant);
    expect(step(router(variant), state, event, now)).toEqual({ state, actions: [] });
  });

  test("a shutdown leads to initialize, and nothing is sent", () => {
    expect(step(router(variant), backup(variant), { type: "shutdown", why: "eth0 is down" }, now)).toEqual({
      state: initialState,
      actions: [],
      cause: { type: "shutdown", why: "eth0 is down" },
    });
  });

  test("the timer is not early by a microsecond", () => {
    const state = backup(variant);
    expect(step(router(variant), state, { type: "timer" }, 13_609.374)).toEqual({ state, actions: [] });
  });

  test("when the timer fires it becomes active: advertisement, addresses, announcements, in this order", () => {
    expect(step(router(variant), backup(variant), { type: "timer" }, 13_609.375)).toEqual({
      state: { name: "active", adverTimer: 14_609.375, answerAfter: 13_609.375, silenced: lower },
      actions: becoming,
      cause: { type: "silent", peer: { source: lower, priority: 150, at: 10_000 }, silent: 3609.375 },
    });
  });

  test("a timer that fires late starts the grid of advertisements at the moment of the takeover", () => {
    const { state } = step(router(variant), backup(variant), { type: "timer" }, 13_620);
    expect(state).toMatchObject({ name: "active", adverTimer: 14_620, answerAfter: 13_620 });
  });

  test("only a router that fell silent is remembered: one that resigned knows that it is gone", () => {
    const resigned = backup(variant, { resigned: true });
    expect(step(router(variant), resigned, { type: "timer" }, 13_609.375).state).not.toHaveProperty("silenced");
  });

  test.each([true, false])("as active it uses its own interval, not the learned one (preempt %s)", (preempt) => {
    const state = backup(variant, { activeAdverInterval: 40_000, activeDownTimer: 13_000 });
    expect(step(router(variant, { preempt }), state, { type: "timer" }, 13_000).state).toMatchObject({
      adverTimer: 14_000,
    });
  });

  test("priority 0 shortens the timer to the skew of the interval in use; the interval is not learned", () => {
    const { state, actions, cause } = step(
      router(variant),
      backup(variant),
      advertisement(variant, 0, lower, 11_999),
      now,
    );
    expect({ actions, cause }).toEqual({ actions: [], cause: undefined });
    expect(state).toEqual(
      backup(variant, {
        activeDownTimer: 11_999 + 609.375,
        timerStart: 11_999,
        resigned: true,
        active: { source: lower, priority: 0, at: 11_999 },
      }),
    );
  });

  test("priority 0 counts from its arrival with the learned interval: version 3 scales the skew, version 2 does not", () => {
    const state = backup(variant, { activeAdverInterval: 5000 });
    const skew = variant.version === 3 ? 3046.875 : 609.375;
    expect(deadline(step(router(variant), state, advertisement(variant, 0, lower, 11_990), now).state)).toBe(
      11_990 + skew,
    );
  });

  test("a repeated priority 0 starts the skew again", () => {
    const first = step(router(variant), backup(variant), advertisement(variant, 0, lower, 11_000), 11_000).state;
    const second = step(router(variant), first, advertisement(variant, 0, lower, 11_500), 11_500).state;
    expect([deadline(first), deadline(second)]).toEqual([11_609.375, 12_109.375]);
  });

  test("priority 0 is obeyed whoever sends it and whatever preempt says", () => {
    for (const source of [lower, higher]) {
      for (const preempt of [true, false]) {
        const event = advertisement(variant, 0, source, 11_999);
        expect(deadline(step(router(variant, { preempt }), backup(variant), event, now).state)).toBe(11_999 + 609.375);
      }
    }
  });

  test.each([1, 50, 99])("preempt on: priority %d is discarded, the timer keeps running", (priority) => {
    const step1 = step(router(variant), backup(variant), advertisement(variant, priority, higher, 11_999), now);
    expect(step1).toEqual({
      state: backup(variant, { delaySince: 11_999, lesser: { source: higher, priority, at: 11_999 } }),
      actions: [],
    });
  });

  test.each([1, 50, 99])("preempt off: priority %d is accepted", (priority) => {
    const event = advertisement(variant, priority, lower, 11_999);
    expect(step(router(variant, { preempt: false }), backup(variant), event, now)).toEqual({
      state: accepted(priority, lower),
      actions: [],
    });
  });

  test.each([true, false])("equal priority is accepted whatever the addresses (preempt %s)", (preempt) => {
    for (const source of [lower, higher]) {
      expect(
        step(router(variant, { preempt }), backup(variant), advertisement(variant, 100, source, 11_999), now),
      ).toEqual({
        state: accepted(100, source),
        actions: [],
      });
    }
  });

  test.each([true, false])("its own packet, of whatever priority, is discarded and told (preempt %s)", (preempt) => {
    const state = backup(variant);
    for (const priority of [0, 50, 100, 200, 255]) {
      expect(step(router(variant, { preempt }), state, advertisement(variant, priority, own, 11_999), now)).toEqual({
        state,
        actions: [{ type: "own-packet" }],
      });
    }
  });

  test.each([true, false])("a higher priority is accepted (preempt %s)", (preempt) => {
    for (const priority of [101, 254, 255]) {
      const event = advertisement(variant, priority, lower, 11_999);
      expect(step(router(variant, { preempt }), backup(variant), event, now)).toEqual({
        state: accepted(priority, lower),
        actions: [],
      });
    }
  });

  test("an accepted advertisement clears a resignation, a lesser router and willingness", () => {
    const state = backup(variant, {
      resigned: true,
      willing: true,
      delaySince: 11_000,
      lesser: { source: higher, priority: 50, at: 11_500 },
    });
    expect(step(router(variant), state, advertisement(variant, 150, lower, 11_999), now).state).toEqual(
      accepted(150, lower),
    );
  });

  test("an advertisement that was queued counts from its arrival, even when the timer is due already", () => {
    const state = step(router(variant), backup(variant), advertisement(variant, 150, lower, 13_600), 20_000).state;
    expect(deadline(state)).toBe(13_600 + down);
  });
});

describe.each(variants)("$name: why a backup becomes active", (variant) => {
  const { higher, lower } = variant;
  const cause = (state: State, now = 13_609.375) => step(router(variant), state, { type: "timer" }, now).cause;
  const nobody: Backup = {
    name: "backup",
    activeAdverInterval: 1000,
    activeDownTimer: 13_609.375,
    timerStart: 10_000,
    resigned: false,
    learned: false,
    willing: false,
  };

  test("nobody was ever heard", () => {
    expect(cause(nobody)).toEqual({ type: "nobody", silent: 3609.375 });
  });

  test("the active router fell silent", () => {
    const peer = { source: lower, priority: 150, at: 10_000 };
    expect(cause(backup(variant))).toEqual({ type: "silent", peer, silent: 3609.375 });
  });

  test("the active router resigned", () => {
    const state = step(router(variant), backup(variant), advertisement(variant, 0, lower, 12_000), 12_000).state;
    const peer = { source: lower, priority: 0, at: 12_000 };
    expect(cause(state)).toEqual({ type: "resigned", peer });
  });

  test("a lesser router is living and is preempted", () => {
    const lesser = { source: higher, priority: 50, at: 13_000 };
    expect(cause({ ...nobody, delaySince: 11_000, lesser })).toEqual({ type: "preempted", peer: lesser, own: 100 });
  });

  test("a lesser router that was heard long ago is not what it preempts", () => {
    const lesser = { source: higher, priority: 50, at: 11_000 };
    expect(cause({ ...nobody, delaySince: 11_000, lesser })).toEqual({ type: "nobody", silent: 3609.375 });
  });
});
