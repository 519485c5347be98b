/** A priority that changes while the router runs: told at once, within limits, and with a 0 before it when it yields. */
import { describe, expect, test } from "vitest";
import { type Active, type Backup, deadline, type Step, step } from "../../src/vrrp/router.ts";
import { activeDownInterval } from "../../src/vrrp/timing.ts";
import { active, advertisement, backup, router, variants, version3 } from "./samples.ts";

const lowered = { type: "parameters", priority: "lowered" } as const;
const raised = { type: "parameters", priority: "raised" } as const;
const advert = (priority: number) => ({ type: "send-advertisement", priority });

function activeAfter({ state }: Step): Active {
  if (state.name !== "active") throw new Error(`it is ${state.name}`);
  return state;
}

describe.each(variants)("$name", (variant) => {
  const plain = router(variant, { priority: 90 });
  const yielding = router(variant, { priority: 90, yieldOnLowerPriority: true });

  test("an active router tells a changed priority at once, and its grid stays", () => {
    for (const event of [lowered, raised]) {
      const result = step(plain, active(), event, 10_400);
      expect(result).toEqual({
        state: { name: "active", adverTimer: 11_000, answerAfter: 10_500 },
        actions: [advert(90)],
      });
    }
  });

  test("other changed parameters wait for the next advertisement", () => {
    expect(step(plain, active(), { type: "parameters" }, 10_400)).toEqual({ state: active(), actions: [] });
  });

  test("further changes wait until the gap is over; then the newest priority is told once, and the grid stays", () => {
    const first = step(plain, active(), lowered, 10_400);
    const second = step(router(variant, { priority: 80 }), first.state, lowered, 10_410);
    expect(second.actions).toEqual([]);
    const third = step(router(variant, { priority: 70 }), second.state, lowered, 10_420);
    expect(third.actions).toEqual([]);
    expect(deadline(third.state)).toBe(10_500);
    const told = step(router(variant, { priority: 70 }), third.state, { type: "timer" }, 10_500);
    expect(told).toEqual({
      state: { name: "active", adverTimer: 11_000, answerAfter: 10_600 },
      actions: [advert(70)],
    });
  });

  test("an advertisement on the grid tells it as well: nothing is owed after it", () => {
    const state = active({ answerAfter: 11_050, owed: "advertisement" });
    expect(step(plain, state, { type: "timer" }, 11_000)).toEqual({
      state: { name: "active", adverTimer: 12_000, answerAfter: 11_050 },
      actions: [advert(90)],
    });
  });

  test("a router that yields sends 0 and its new priority right after it, keeps the role, the addresses and the grid", () => {
    const yielded = step(yielding, active(), lowered, 10_400);
    expect(yielded).toEqual({
      state: { name: "active", adverTimer: 11_000, answerAfter: 10_500, owed: "advertisement" },
      actions: [advert(0), advert(90)],
    });
    // Once more, for a lesser router that heard the 0 alone.
    expect(step(yielding, yielded.state, { type: "timer" }, 10_500)).toEqual({
      state: { name: "active", adverTimer: 11_000, answerAfter: 10_600 },
      actions: [advert(90)],
    });
  });

  test("a yield that must wait is not forgotten by the advertisement on the grid, but by a raised priority", () => {
    const state = active({ answerAfter: 11_050, owed: "yield" });
    const onGrid = step(yielding, state, { type: "timer" }, 11_000);
    expect(onGrid.actions).toEqual([advert(90)]);
    expect(activeAfter(onGrid).owed).toBe("yield");
    const later = step(yielding, onGrid.state, { type: "timer" }, 11_050);
    expect(later.actions).toEqual([advert(0), advert(90)]);
    expect(activeAfter(later)).toMatchObject({ adverTimer: 12_000, answerAfter: 11_150, owed: "advertisement" });

    const back = step(router(variant, { priority: 200, yieldOnLowerPriority: true }), state, raised, 10_990);
    expect(activeAfter(back).owed).toBe("advertisement");
  });

  test("a better backup that hears the 0 and the priority takes over after its skew, a lesser one waits as before", () => {
    const better = router(variant, { priority: 100 });
    const heard = step(better, backup(variant), advertisement(variant, 0, variant.lower, 10_400), 10_400);
    const told = step(better, heard.state, advertisement(variant, 90, variant.lower, 10_400), 10_400);
    // The interval of the last accepted advertisement, 1 s, is the one that counts.
    expect(deadline(told.state)).toBeCloseTo(10_400 + 609.375, 9);
    expect(step(better, told.state, { type: "timer" }, 11_010).state.name).toBe("active");

    const lesser = router(variant, { priority: 80 });
    const calmed = [0, 90].reduce(
      (state, priority) => step(lesser, state, advertisement(variant, priority, variant.lower, 10_400), 10_400).state,
      backup(variant) as Step["state"],
    );
    expect(deadline(calmed)).toBeCloseTo(10_400 + activeDownInterval(variant.version, 80, variant.interval), 9);
  });
});

test("a willing backup that has nobody left to wait for becomes active", () => {
  const alone = router(version3, { coupled: false });
  const willing = backup(version3, { willing: true, activeDownTimer: 20_000 });
  expect(step(alone, willing, { type: "parameters" }, 14_000).state.name).toBe("active");
});

describe("a backup whose priority falls below that of the router it was about to relieve", () => {
  const lesser = { source: version3.lower, priority: 150, at: 12_900 };
  /** Priority 200, the timer runs since 10 000. */
  const about = backup(version3, { activeDownTimer: 13_218.75, lesser });
  const afterwards = (priority: number, state: Backup = about) =>
    step(router(version3, { priority, coupled: true }), state, lowered, 13_000).state as Backup;

  test("waits from that router's last advertisement on, and is not willing any more", () => {
    expect(afterwards(100)).toMatchObject({ activeDownTimer: 12_900 + 3609.375, active: lesser, willing: false });
    expect(afterwards(100).lesser).toBeUndefined();
    expect(afterwards(100, { ...about, willing: true }).willing).toBe(false);
    // An equal priority is accepted, too.
    expect(afterwards(150).active).toEqual(lesser);
  });

  test("goes on when it is still better", () => {
    expect(afterwards(160).lesser).toEqual(lesser);
  });

  test("goes on when that router has resigned since", () => {
    const resigned = { ...about, resigned: true, timerStart: 12_950, activeDownTimer: 13_100 };
    expect(afterwards(100, resigned).activeDownTimer).toBeCloseTo(12_950 + 609.375, 9);
  });
});
