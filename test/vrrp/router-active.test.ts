import { describe, expect, test } from "vitest";
import { deadline, type Event, initialState, type State, step } from "../../src/vrrp/router.ts";
import { active, advertisement, router, variants } from "./samples.ts";

const advert = { type: "send-advertisement", priority: 100 } as const;

describe.each(variants)("$name: active", (variant) => {
  const { version, own, lower, higher, interval, down } = variant;
  const now = 10_400;

  test("its one timer is the Adver_Timer", () => {
    expect(deadline(active())).toBe(11_000);
  });

  const ignored: readonly (readonly [string, Event])[] = [
    ["a startup", { type: "startup" }],
    ["a timer that is not due", { type: "timer" }],
    ["a grant", { type: "grant" }],
  ];
  test.each(ignored)("%s changes nothing", (_, event) => {
    expect(step(router(variant), active(), event, now)).toEqual({ state: active(), actions: [] });
  });

  test("a shutdown removes the addresses, then gives the role up with priority 0", () => {
    expect(step(router(variant), active(), { type: "shutdown", why: "stopped" }, now)).toEqual({
      state: initialState,
      actions: [{ type: "remove-addresses" }, { type: "send-advertisement", priority: 0 }],
      cause: { type: "shutdown", why: "stopped" },
    });
  });

  test("a yield leads to backup without an advertisement", () => {
    expect(step(router(variant), active(), { type: "yield" }, now)).toEqual({
      state: {
        name: "backup",
        activeAdverInterval: 1000,
        activeDownTimer: 14_009.375,
        timerStart: 10_400,
        resigned: false,
        learned: false,
        willing: false,
      },
      actions: [{ type: "remove-addresses" }],
      cause: { type: "group" },
    });
  });

  test("when the timer fires it advertises, and the timer moves one interval along its grid", () => {
    expect(step(router(variant), active(), { type: "timer" }, 11_003.5)).toEqual({
      state: active({ adverTimer: 12_000 }),
      actions: [advert],
    });
  });

  test("after a stall of many intervals one advertisement is sent, and the grid goes on", () => {
    expect(step(router(variant), active(), { type: "timer" }, 17_300)).toEqual({
      state: active({ adverTimer: 18_000 }),
      actions: [advert],
    });
  });

  test("priority 0 is answered at once, and the timer starts again", () => {
    for (const source of [lower, higher, own]) {
      expect(step(router(variant), active(), advertisement(variant, 0, source, now), now)).toEqual({
        state: active({ adverTimer: 11_400, answerAfter: 10_500 }),
        actions: [advert],
      });
    }
  });

  test("priority 0 that comes too soon after an answer is answered as soon as one may be sent, however many come", () => {
    const state = active({ answerAfter: 10_450 });
    const waiting = active({ answerAfter: 10_450, adverTimer: 10_450 });
    const heard = step(router(variant), state, advertisement(variant, 0, lower, now), now);
    expect(heard).toEqual({ state: waiting, actions: [] });
    expect(step(router(variant), waiting, advertisement(variant, 0, lower, now), now)).toEqual(heard);
    expect(step(router(variant), waiting, { type: "timer" }, 10_450)).toEqual({
      state: active({ answerAfter: 10_550, adverTimer: 11_450 }),
      actions: [advert],
    });
  });

  const losing: readonly (readonly [string, number, Uint8Array])[] = [
    ["a lower priority", 99, higher],
    ["the lowest priority", 1, higher],
    ["the same priority from a lower address", 100, lower],
  ];
  test.each(losing)("%s is discarded; in version 3 it is answered at once, off the grid", (_, priority, source) => {
    for (const preempt of [true, false]) {
      const lesser = { type: "lesser-active", peer: { source, priority, at: 10_399 }, interval };
      const event = advertisement(variant, priority, source, 10_399);
      expect(step(router(variant, { preempt }), active(), event, now)).toEqual(
        version === 3
          ? { state: active({ answerAfter: 10_500 }), actions: [advert, lesser] }
          : { state: active(), actions: [lesser] },
      );
    }
  });

  test.each(losing)("%s too soon after an answer is only told", (_, priority, source) => {
    const state = active({ answerAfter: 10_400.001 });
    expect(step(router(variant), state, advertisement(variant, priority, source, now), now)).toEqual({
      state,
      actions: [{ type: "lesser-active", peer: { source, priority, at: now }, interval }],
    });
  });

  test.each([1, 100, 200, 255])("its own packet with priority %i is told and never answered", (priority) => {
    expect(step(router(variant), active(), advertisement(variant, priority, own, now), now)).toEqual({
      state: active(),
      actions: [{ type: "own-packet" }],
    });
  });

  test("priority 0 under its own address is answered: the backups have heard it too", () => {
    const { actions } = step(router(variant), active(), advertisement(variant, 0, own, now), now);
    expect(actions).toEqual([{ type: "send-advertisement", priority: 100 }]);
  });

  const winning: readonly (readonly [string, number, Uint8Array])[] = [
    ["a higher priority from a lower address", 101, lower],
    ["the owner's priority", 255, lower],
    ["the same priority from a higher address", 100, higher],
  ];
  test.each(winning)(
    "%s leads to backup: addresses away, nothing sent, the interval learned",
    (_, priority, source) => {
      for (const preempt of [true, false]) {
        const peer = { source, priority, at: 10_399 };
        const event = advertisement(variant, priority, source, 10_399);
        expect(step(router(variant, { preempt }), active(), event, now)).toEqual({
          state: {
            name: "backup",
            activeAdverInterval: interval,
            activeDownTimer: 10_399 + down,
            timerStart: 10_399,
            resigned: false,
            learned: variant.version === 3,
            active: peer,
            willing: false,
          },
          actions: [{ type: "remove-addresses" }],
          cause: { type: "outranked", peer, own: 100 },
        });
      }
    },
  );

  test("a router that was taken for dead hears once more from the one that gives way, and announces itself again", () => {
    const state = active({ silenced: lower });
    const actions = (source: Uint8Array) =>
      step(router(variant), state, advertisement(variant, 150, source, now), now).actions;
    expect(actions(lower)).toEqual([advert, { type: "remove-addresses" }]);
    expect(actions(higher)).toEqual([{ type: "remove-addresses" }]);
  });

  test.each([
    ["higher", higher],
    ["lower", lower],
  ])("a router that follows another family leaves a tie with a %s address open, for three intervals", (_, source) => {
    const follower = router(variant, { coupled: true, decidesTies: false });
    let state: State = active();
    for (let at = 10_400; at <= 13_400; at += 1000) {
      const tie = { since: 10_400, last: at };
      const next = step(follower, state, advertisement(variant, 100, source, at), at);
      expect(next).toEqual({ state: { ...active(), tie }, actions: [] });
      state = next.state;
    }
    const decided = step(follower, state, advertisement(variant, 100, source, 14_400), 14_400).state;
    expect(decided.name).toBe(source === higher ? "backup" : "active");
  });

  test("a router that follows another family obeys a higher priority at once", () => {
    const follower = router(variant, { coupled: true, decidesTies: false });
    expect(step(follower, active(), advertisement(variant, 101, lower, now), now).state.name).toBe("backup");
  });

  test("of two owners the one with the lower address gives way", () => {
    const owner = router(variant, { priority: 255 });
    expect(step(owner, active(), advertisement(variant, 255, higher, now), now).state.name).toBe("backup");
    expect(step(owner, active(), advertisement(variant, 255, lower, now), now).state.name).toBe("active");
  });
});
