import { describe, expect, test } from "vitest";
import { initialState, type State, step } from "../../src/vrrp/router.ts";
import { absence, nextLook, wakeAt } from "../../src/vrrp/vigil.ts";
import { active, advertisement, backup, router, variants, version3 } from "./samples.ts";

describe("looking up", () => {
  test("a backup looks when an advertisement is half an interval late, then each interval", () => {
    const first = nextLook(backup(version3), undefined, false, 10_000);
    expect(first).toEqual({ at: 11_500, missed: 0 });
    expect(nextLook(backup(version3), first, true, 11_500)).toEqual({ at: 12_500, missed: 1 });
    expect(nextLook(backup(version3), { at: 12_500, missed: 1 }, false, 12_000)).toEqual({ at: 13_500, missed: 0 });
  });

  test("no other state looks", () => {
    expect([nextLook(active(), undefined, false, 0), nextLook(initialState, undefined, true, 0)]).toEqual([
      undefined,
      undefined,
    ]);
  });

  test("the earlier of the look and the deadline wakes it", () => {
    expect(wakeAt(backup(version3), { at: 11_500, missed: 0 })).toBe(11_500);
    expect(wakeAt(backup(version3), { at: 14_000, missed: 0 })).toBe(13_609.375);
    expect(wakeAt(active(), undefined)).toBe(11_000);
    expect(wakeAt(initialState, undefined)).toBeUndefined();
  });
});

describe("an absence", () => {
  const own = router(version3);
  const look = { at: 11_500, missed: 0 };

  test.each([10_000, 11_500, 11_520])("is none at %d", (now) => {
    expect(absence(own, backup(version3), look, now)).toBeUndefined();
  });

  test("of a backup counts from the look that was missed: more than half an interval means to listen", () => {
    expect(absence(own, backup(version3), look, 12_000)).toMatchObject({ late: 500, mustListen: false });
    expect(absence(own, backup(version3), look, 12_001)).toMatchObject({ mustListen: true, stall: false });
    expect(absence(own, backup(version3), look, 13_501)).toMatchObject({ mustListen: true, stall: true });
  });

  test("of an active router means to listen when its backups can have acted: after its own down interval", () => {
    expect(absence(own, active(), undefined, 13_609)).toMatchObject({ silent: 3609, mustListen: false, stall: true });
    expect(absence(own, active(), undefined, 13_610)).toMatchObject({ silent: 3610, late: 2610, mustListen: true });
  });

  test("of the address owner never means to listen", () => {
    expect(absence({ ...own, priority: 255 }, active(), undefined, 99_000)).toMatchObject({ mustListen: false });
  });
});

describe.each(variants)("$name: after an absence", (variant) => {
  const own = router(variant);
  // One interval and the skew of priority 100.
  const listening = 1609.375;

  test("an active router lets go of the addresses without a word and listens", () => {
    expect(step(own, active(), { type: "stalled", silent: 5200 }, 20_000)).toEqual({
      state: {
        name: "backup",
        activeAdverInterval: 1000,
        activeDownTimer: 20_000 + listening,
        listenSince: 20_000,
        listenUntil: 20_000 + listening,
        timerStart: 20_000,
        resigned: false,
        learned: false,
        willing: false,
      },
      actions: [{ type: "remove-addresses" }],
      cause: { type: "stalled", silent: 5200 },
    });
  });

  test("the address owner stays", () => {
    const owner = router(variant, { priority: 255 });
    expect(step(owner, active(), { type: "stalled", silent: 5200 }, 20_000)).toEqual({ state: active(), actions: [] });
  });

  test("a backup believes no silence before it has listened, and keeps a timer that is later", () => {
    const until = 13_000 + listening;
    const listens = { ...backup(variant), listenSince: 13_000, listenUntil: until, activeDownTimer: until };
    expect(step(own, backup(variant), { type: "stalled", silent: 0 }, 13_000)).toEqual({ state: listens, actions: [] });
    const kept = { ...backup(variant), listenSince: 10_000, listenUntil: 10_000 + listening };
    expect(step(own, backup(variant), { type: "stalled", silent: 0 }, 10_000)).toEqual({ state: kept, actions: [] });
  });

  test("absences while it listens prolong that to one down interval at most", () => {
    let state: State = backup(variant);
    for (const now of [13_000, 14_500, 16_000]) state = step(own, state, { type: "stalled", silent: 600 }, now).state;
    expect(state).toMatchObject({ listenUntil: 13_000 + 3609.375, activeDownTimer: 13_000 + 3609.375 });
  });

  test.each([
    ["long enough for others to act", 15_000, 4000],
    ["that began after it had listened", 16_000, 600],
  ])("an absence %s begins the listening anew", (_, now, silent) => {
    const before = step(own, backup(variant), { type: "stalled", silent: 600 }, 13_000).state;
    const { state } = step(own, before, { type: "stalled", silent }, now);
    expect(state).toMatchObject({ listenSince: now, listenUntil: now + listening, activeDownTimer: now + listening });
  });

  test("an absence that begins less than half an interval after the listening goes on with it", () => {
    const first = step(own, backup(variant), { type: "stalled", silent: 600 }, 13_000).state;
    const { state } = step(own, first, { type: "stalled", silent: 600 }, 13_000 + listening + 400 + 600);
    expect(state).toMatchObject({ listenSince: 13_000, listenUntil: 13_000 + 3609.375 });
  });

  test("one that was willing with others is so again when it has listened", () => {
    const coupled = router(variant, { coupled: true });
    const willing = backup(variant, { willing: true, activeDownTimer: 17_000 });
    const { state } = step(coupled, willing, { type: "stalled", silent: 5000 }, 15_000);
    expect(state).toMatchObject({ willing: false, activeDownTimer: 15_000 + listening });
    expect(step(coupled, state, { type: "grant" }, 15_100).state.name).toBe("backup");
    expect(step(coupled, state, { type: "timer" }, 15_000 + listening).state).toMatchObject({ willing: true });
  });

  test.each([0, 150])("what arrived before it listened does not shorten the listening: priority %d", (priority) => {
    const listens = { ...backup(variant), listenUntil: 20_000, activeDownTimer: 20_000 };
    const { state } = step(own, listens, advertisement(variant, priority, variant.lower, 11_000), 18_500);
    expect(state).toMatchObject({ name: "backup", activeDownTimer: 20_000, listenUntil: 20_000 });
  });

  test.each([18_500, 20_500])("who is heard afterwards, at %d, is followed as ever", (at) => {
    const listens = { ...backup(variant), listenUntil: 20_000, activeDownTimer: 20_000 };
    const { state } = step(own, listens, advertisement(variant, 150, variant.lower, at), at);
    expect(state).toMatchObject({ activeDownTimer: at + variant.down });
    expect(state).not.toHaveProperty("listenUntil");
  });
});
