import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Active, deadline, type RouterParameters, type State, step } from "../../src/vrrp/router.ts";
import { active, advertisement, backup, router, variants, version2, version3 } from "./samples.ts";

/** Feeds `events` in order, the timer whenever it is due; gives back when advertisements were sent. */
function sendingTimes(
  parameters: RouterParameters,
  from: Active,
  events: readonly { readonly at: number; readonly priority: number; readonly source: Uint8Array }[],
  until: number,
): number[] {
  let state: State = from;
  const sent: number[] = [];
  const feed = (event: Parameters<typeof step>[2], now: number) => {
    const next = step(parameters, state, event, now);
    state = next.state;
    if (next.actions.some(({ type }) => type === "send-advertisement")) sent.push(now);
  };
  for (const { at, priority, source } of [...events, { at: until, priority: 1, source: new Uint8Array(4) }]) {
    for (let due = deadline(state); due !== undefined && due <= at; due = deadline(state)) feed({ type: "timer" }, due);
    if (at < until) feed({ type: "advertisement", priority, interval: 1000, source, at }, at);
  }
  return sent;
}

describe("answers to other routers", () => {
  test.each([
    [1000, 100],
    [400, 100],
    [100, 25],
    [10, 2.5],
  ])("at an interval of %d ms they are at least %d ms apart, the first at once", (interval, gap) => {
    const flood = Array.from({ length: 500 }, (_, i) => ({ at: 10_000 + i, priority: 50, source: version3.higher }));
    const parameters = router(version3, { interval });
    const quiet = active({ adverTimer: 1e9 });
    const sent = sendingTimes(parameters, quiet, flood, 10_500);
    expect(sent[0]).toBe(10_000);
    // The flood has a packet each millisecond: the first one allowed again is answered.
    expect(sent).toHaveLength(Math.ceil(500 / Math.ceil(gap)));
  });

  test("200 lesser advertisements a second: ten answers a second beside the grid, and the grid holds", () => {
    const flood = Array.from({ length: 2000 }, (_, i) => ({
      at: 10_000.5 + i * 5,
      priority: 50,
      source: version3.higher,
    }));
    const sent = sendingTimes(router(version3), active(), flood, 20_000);
    for (let at = 11_000; at < 20_000; at += 1000) expect(sent).toContain(at);
    expect(sent.length).toBeLessThanOrEqual(10 * 10 + 10);
  });

  test("whatever is received, the gap between two advertisements is never more than the interval", () => {
    const packets = fc.array(
      fc.record({
        gap: fc.double({ min: 0, max: 700, noNaN: true }),
        priority: fc.constantFrom(0, 0, 1, 50, 99, 100),
        source: fc.constantFrom(version3.lower, version3.own),
      }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(packets, fc.constantFrom(2, 3), (gaps, version) => {
        let at = 10_000;
        const events = gaps.map(({ gap, priority, source }) => {
          at += gap;
          return { at, priority, source };
        });
        const until = at + 3000;
        const sent = [10_000, ...sendingTimes(router({ version, own: version3.own }), active(), events, until), until];
        for (const [i, time] of sent.entries()) expect(time - (sent[i - 1] ?? time)).toBeLessThanOrEqual(1000 + 1e-6);
      }),
    );
  });
});

describe.each(variants)("$name: preemption delay", (variant) => {
  const { lower, higher, interval, down } = variant;
  const delayed = router(variant, { preemptDelay: 10_000 });
  const hear = (state: State, priority: number, at: number, source = higher) =>
    step(delayed, state, advertisement(variant, priority, source, at), at).state;

  test("a living lesser router is accepted for the delay, then discarded", () => {
    const fresh = step(delayed, { name: "initialize" }, { type: "startup" }, 0).state;
    const first = hear(fresh, 50, 1000);
    expect(first).toEqual({
      name: "backup",
      activeAdverInterval: interval,
      activeDownTimer: 1000 + down,
      timerStart: 1000,
      resigned: false,
      learned: variant.version === 3,
      active: { source: higher, priority: 50, at: 1000 },
      delaySince: 1000,
      willing: false,
    });
    let state = first;
    for (let at = 2000; at < 11_000; at += 1000) state = hear(state, 50, at);
    expect(deadline(state)).toBe(10_000 + down);
    const discarded = hear(state, 50, 11_000);
    expect(deadline(discarded)).toBe(10_000 + down);
    expect(discarded).toMatchObject({ lesser: { priority: 50, at: 11_000 }, delaySince: 1000 });
    // Not before the delay and not later than the delay and one Active_Down_Interval.
    expect(10_000 + down).toBeGreaterThanOrEqual(1000 + 10_000);
    expect(10_000 + down).toBeLessThanOrEqual(1000 + 10_000 + down);
  });

  test("a lesser router that dies is not waited for", () => {
    const state = hear(hear(backup(variant), 50, 11_000), 50, 12_000);
    expect(deadline(state)).toBe(12_000 + down);
    expect(step(delayed, state, { type: "timer" }, 12_000 + down).state.name).toBe("active");
  });

  test("a lesser router that resigns is not waited for", () => {
    const state = hear(hear(backup(variant), 50, 11_000), 0, 12_000);
    expect(deadline(state)).toBe(12_000 + variant.skew);
  });

  test.each([100, 150])("an advertisement of priority %d cancels the delay", (priority) => {
    const cancelled = hear(hear(backup(variant), 50, 11_000), priority, 12_000, lower);
    expect(cancelled).not.toHaveProperty("delaySince");
    expect(hear(cancelled, 50, 20_000)).toMatchObject({ delaySince: 20_000, timerStart: 20_000 });
  });

  test("the delay starts again after the instance was in initialize", () => {
    const state = hear(backup(variant), 50, 11_000);
    const stopped = step(delayed, state, { type: "shutdown", why: "" }, 12_000).state;
    const again = step(delayed, stopped, { type: "startup" }, 13_000).state;
    expect(again).not.toHaveProperty("delaySince");
  });

  test("it does not hold when nobody is there", () => {
    const fresh = step(delayed, { name: "initialize" }, { type: "startup" }, 0).state;
    expect(step(delayed, fresh, { type: "timer" }, 3609.375).state.name).toBe("active");
  });
});

describe("the learned interval, version 3", () => {
  const variant = version3;
  const hear = (parameters: RouterParameters, state: State, interval: number) =>
    step(parameters, state, { ...advertisement(variant, 220, variant.lower, 12_000), interval }, 12_000).state;

  test.each([
    [100, 12_360.9375],
    [10, 12_036.09375],
    [4000, 26_437.5],
    [40_950, 159_803.90625],
  ])("%d ms: every accepted advertisement sets it", (interval, due) => {
    expect(hear(router(variant), backup(variant), interval)).toMatchObject({
      activeAdverInterval: interval,
      activeDownTimer: due,
    });
  });

  test("a cap bounds what an advertisement can teach", () => {
    const capped = router(variant, { priority: 200, maxLearnedInterval: 3000 });
    expect(hear(capped, backup(variant), 40_950)).toMatchObject({
      activeAdverInterval: 3000,
      activeDownTimer: 12_000 + 9656.25,
    });
    expect(hear(capped, backup(variant), 2000)).toMatchObject({ activeAdverInterval: 2000 });
  });

  test("the cap holds for the advertisement that ends the active role as well", () => {
    const capped = router(variant, { maxLearnedInterval: 3000 });
    expect(hear(capped, active(), 40_950)).toMatchObject({ name: "backup", activeAdverInterval: 3000 });
  });

  test("a discarded advertisement teaches nothing", () => {
    const event = { ...advertisement(variant, 50, variant.lower, 12_000), interval: 40_950 };
    expect(step(router(variant), backup(variant), event, 12_000).state).toMatchObject({ activeAdverInterval: 1000 });
  });
});

describe("changed parameters", () => {
  const variant = version3;
  const changed = (parameters: Partial<RouterParameters>, state: State, now: number) =>
    step(router(variant, parameters), state, { type: "parameters" }, now);

  test("an active router keeps its grid when the new interval is longer or only the priority changed", () => {
    expect(changed({ interval: 5000 }, active(), 10_400)).toEqual({ state: active(), actions: [] });
    expect(changed({ priority: 90 }, active(), 10_400)).toEqual({ state: active(), actions: [] });
  });

  test("an active router advertises no later than a shorter interval allows", () => {
    expect(changed({ interval: 100 }, active(), 10_400)).toEqual({
      state: active({ adverTimer: 10_500 }),
      actions: [],
    });
  });

  test("a backup counts the new priority from the last accepted advertisement", () => {
    expect(changed({ priority: 200 }, backup(variant), 12_000)).toEqual({
      state: backup(variant, { activeDownTimer: 13_218.75 }),
      actions: [],
    });
  });

  test("a backup that never heard anybody uses the new interval", () => {
    const state = step(router(variant), { name: "initialize" }, { type: "startup" }, 10_000).state;
    expect(changed({ interval: 100 }, state, 10_010).state).toMatchObject({
      activeAdverInterval: 100,
      activeDownTimer: 10_360.9375,
    });
  });

  test("a backup that learned its interval keeps it, in version 3", () => {
    expect(changed({ interval: 5000 }, backup(variant), 12_000).state).toEqual(backup(variant));
  });

  test("a new cap is applied to the interval learned before", () => {
    const state = backup(variant, { activeAdverInterval: 40_950, activeDownTimer: 200_000 });
    expect(changed({ maxLearnedInterval: 3000 }, state, 12_000).state).toMatchObject({
      activeAdverInterval: 3000,
      activeDownTimer: 10_000 + 9000 + 1828.125,
    });
  });

  test("a backup whose active router resigned still waits for a skew only", () => {
    const resigned = step(
      router(variant),
      backup(variant),
      advertisement(variant, 0, variant.lower, 12_000),
      12_000,
    ).state;
    expect(changed({ priority: 200 }, resigned, 12_010).state).toMatchObject({
      activeDownTimer: 12_218.75,
      resigned: true,
    });
  });

  test("a backup that becomes the address owner becomes active at once", () => {
    expect(changed({ priority: 255 }, backup(variant), 12_000)).toMatchObject({
      state: { name: "active" },
      cause: { type: "owner" },
    });
  });

  test("a version 2 backup waits three of its own intervals, the new one included", () => {
    const parameters = router(version2, { interval: 5000 });
    expect(step(parameters, backup(version2), { type: "parameters" }, 12_000).state).toMatchObject({
      activeAdverInterval: 5000,
      activeDownTimer: 10_000 + 15_609.375,
    });
  });
});

describe("coupled routers", () => {
  const variant = version3;
  const coupled = router(variant, { coupled: true });

  test("a timer that fires makes it willing, not active, and starts again", () => {
    expect(step(coupled, backup(variant), { type: "timer" }, 13_610)).toEqual({
      state: backup(variant, { willing: true, activeDownTimer: 17_219.375 }),
      actions: [],
    });
  });

  test("a grant makes a willing router active", () => {
    expect(step(coupled, backup(variant, { willing: true }), { type: "grant" }, 13_700)).toMatchObject({
      state: { name: "active", adverTimer: 14_700, answerAfter: 13_700 },
      actions: [{ type: "send-advertisement" }, { type: "add-addresses" }, { type: "announce-addresses" }],
      cause: { type: "silent" },
    });
  });

  test.each([
    ["an accepted advertisement", 150],
    ["priority 0", 0],
  ])("%s ends the willingness", (_, priority) => {
    const event = advertisement(variant, priority, variant.lower, 13_700);
    expect(step(coupled, backup(variant, { willing: true }), event, 13_700).state).toMatchObject({ willing: false });
  });

  test("a lesser advertisement does not end it", () => {
    const event = advertisement(variant, 50, variant.lower, 13_700);
    expect(step(coupled, backup(variant, { willing: true }), event, 13_700).state).toMatchObject({ willing: true });
  });

  test("the address owner does not wait for a grant", () => {
    const owner = router(variant, { coupled: true, priority: 255 });
    expect(step(owner, { name: "initialize" }, { type: "startup" }, 0).state.name).toBe("active");
  });
});
