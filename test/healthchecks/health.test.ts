import { describe, expect, test } from "vitest";
import { type Advice, describeAdvice } from "../../src/healthchecks/advice.ts";
import {
  type Health,
  initialVerdict,
  isChanging,
  judge,
  newHealth,
  nextDue,
  putOff,
  reopened,
  spread,
  type Verdict,
} from "../../src/healthchecks/health.ts";
import type { CommonParameters } from "../../src/healthchecks/parameters.ts";

function common(changes: Partial<CommonParameters> = {}): CommonParameters {
  return {
    name: "web",
    interval: 1000,
    timeout: 500,
    rise: 2,
    fall: 3,
    jitter: 0,
    fastInterval: 1000,
    initial: "unknown",
    ...changes,
  };
}

/** "+" a success, "-" a failure; returns the verdict after each. */
function play(results: string, parameters: CommonParameters, health: Health): { verdicts: string; health: Health } {
  let verdicts = "";
  let now = health;
  for (const [i, sign] of [...results].entries()) {
    now = judge(parameters, now, { ok: sign === "+", reason: `result ${i + 1}`, latency: 1, at: 1000 * (i + 1) });
    verdicts += now.up === null ? "?" : now.up ? "U" : "D";
  }
  return { verdicts, health: now };
}

describe("beside up and down", () => {
  const parameters = common();
  const result = { ok: true, reason: "well", latency: 1, at: 1000 };
  const up = judge(parameters, newHealth(parameters, 0), result);

  test("what could not be found out changes nothing, not even what was never known", () => {
    const undecided = { ...result, ok: false, undecided: true } as const;
    const before = newHealth(parameters, 0);
    expect(judge(parameters, before, undecided)).toEqual({ ...before, runs: 1, last: undecided });
    const failing = judge(parameters, up, { ...result, ok: false });
    expect(judge(parameters, failing, undecided)).toMatchObject({ up: true, failures: 1, failedRuns: 1, runs: 3 });
  });

  test("advice stays until the same is spoken of again, a weight until any weight is", () => {
    const say = (health: Health, advice: Advice) => judge(parameters, health, { ...result, advice });
    const first = say(up, { mode: "drain", weightPercent: 50 });
    expect(judge(parameters, first, result).advice).toEqual({ mode: "drain", weightPercent: 50 });
    const second = say(first, { mode: "ready", maxConnections: 9 });
    expect(second.advice).toEqual({ mode: "ready", weightPercent: 50, maxConnections: 9 });
    const third = say(second, { weight: 7 });
    expect(third.advice).toEqual({ mode: "ready", weight: 7, maxConnections: 9 });
    expect(say(third, { weightOffset: -1 }).advice).toEqual({ mode: "ready", weightOffset: -1, maxConnections: 9 });
    expect(describeAdvice(third.advice)).toBe("ready, weight 7, at most 9 connections");
    expect(describeAdvice({ weightOffset: 3, mode: "maint" })).toBe("maint, weight +3");
  });

  test("advice outlives a restart, and what was said by other parameters ends with the first result by the new ones", () => {
    const known = { up: true, reason: "before", advice: { weight: 7 }, warning: "it expires" };
    const after = newHealth(parameters, 0, known);
    expect(judge(parameters, after, result).advice).toEqual({ weight: 7 });
    expect(judge(parameters, reopened(after), result).advice).toBeUndefined();
  });

  test("a warning is that of the last success", () => {
    const warned = judge(parameters, up, { ...result, warning: "it expires in 9 days" });
    expect(warned.warning).toBe("it expires in 9 days");
    const failed = judge(parameters, warned, { ...result, ok: false });
    expect(failed.warning).toBe("it expires in 9 days");
    expect(judge(parameters, failed, result).warning).toBeUndefined();
  });
});

describe("rise and fall", () => {
  test.each<[string, Partial<CommonParameters>, string, string]>([
    ["the first success decides when nothing is known", {}, "+", "U"],
    ["the first failure decides when nothing is known", {}, "-", "D"],
    ["fall failures in a row bring it down", {}, "+---", "UUUD"],
    ["a success in between begins the count anew", {}, "+--+--+---", "UUUUUUUUUD"],
    ["rise successes in a row bring it up", {}, "-++", "DDU"],
    ["a failure in between begins the count anew", {}, "-+-+-++", "DDDDDDU"],
    ["1 and 1 follow every result", { rise: 1, fall: 1 }, "+-+-", "UDUD"],
    ["initial: down needs rise successes", { initial: "down" }, "++", "DU"],
    ["initial: down stays down with failures", { initial: "down" }, "---", "DDD"],
    ["initial: up needs fall failures", { initial: "up" }, "---", "UUD"],
    ["initial: up forgets a single failure", { initial: "up" }, "-+--+", "UUUUU"],
  ])("%s", (_what, changes, results, verdicts) => {
    const parameters = common(changes);
    expect(play(results, parameters, newHealth(parameters, 0)).verdicts).toBe(verdicts);
  });

  test("the reason of a change is that of the result that decided, with how many there were", () => {
    const parameters = common();
    const { health } = play("+---", parameters, newHealth(parameters, 0));
    expect(health).toMatchObject({ up: false, since: 4000, reason: "result 4 (3 times in a row)" });
    expect(health.changes).toEqual([
      { at: 1000, up: true, reason: "result 1" },
      { at: 4000, up: false, reason: "result 4 (3 times in a row)" },
    ]);
    expect(health).toMatchObject({ successes: 0, failures: 3, runs: 4, failedRuns: 3 });
  });

  test("results that confirm the verdict change neither its reason nor since when", () => {
    const parameters = common();
    const { health } = play("++++", parameters, newHealth(parameters, 0));
    expect(health).toMatchObject({ up: true, since: 1000, reason: "result 1", successes: 4 });
    expect(health.last).toMatchObject({ reason: "result 4" });
  });

  test("twenty changes are kept", () => {
    const parameters = common({ rise: 1, fall: 1 });
    const { health } = play("+-".repeat(30), parameters, newHealth(parameters, 0));
    expect(health.changes.length).toBe(20);
    expect(health.changes.at(-1)).toMatchObject({ at: 60_000, up: false });
  });
});

test.each<[CommonParameters["initial"], boolean | null]>([
  ["unknown", null],
  ["up", true],
  ["down", false],
])("initial: %s counts as %s before there is a result", (initial, up) => {
  expect(initialVerdict({ initial }).up).toBe(up);
});

describe("a verdict from before", () => {
  const known: Verdict = { up: true, reason: "as it was" };
  test("a restart goes on with it: fall failures are needed", () => {
    const parameters = common({ initial: "down" });
    const health = newHealth(parameters, 0, known);
    expect(health).toMatchObject(known);
    expect(play("---", parameters, health).verdicts).toBe("UUD");
  });

  test("one that was not known is no verdict", () => {
    const parameters = common({ initial: "down" });
    expect(newHealth(parameters, 0, { up: null, reason: "?" }).up).toBe(false);
  });

  test("other parameters: it stays until the first result, which decides alone", () => {
    const parameters = common();
    const { health } = play("++-", parameters, newHealth(parameters, 0));
    const changed = reopened(health);
    expect(changed).toMatchObject({ up: true, failures: 0, runs: 3 });
    expect(play("-", parameters, changed).verdicts).toBe("D");
    expect(play("+", parameters, changed).verdicts).toBe("U");
  });
});

describe("when the next run is due", () => {
  const parameters = common({ fastInterval: 200 });
  const up = play("+", parameters, newHealth(parameters, 0)).health;
  const doubted = play("+-", parameters, newHealth(parameters, 0)).health;
  const down = play("-", parameters, newHealth(parameters, 0)).health;
  const recovering = play("-+", parameters, newHealth(parameters, 0)).health;

  test.each<[string, Health, number, number]>([
    ["one interval after the last one was due, not after it ended", up, 5300, 6000],
    ["at once when its time has passed", up, 6100, 6000],
    ["only the last of several that have passed is made up for", up, 8700, 8000],
    ["after a failure of what is up: sooner", doubted, 5010, 5200],
    ["sooner, and at once when that has passed", doubted, 5390, 5200],
    ["what is down and stays down: at the interval", down, 5010, 6000],
    ["after a success of what is down: sooner", recovering, 5010, 5200],
  ])("%s", (_what, health, now, due) => {
    expect(nextDue(parameters, health, 5000, now)).toBe(due);
  });

  test("changing is what could go on to another verdict", () => {
    expect([up, doubted, down, recovering].map(isChanging)).toEqual([false, true, false, true]);
    expect(isChanging(newHealth(parameters, 0))).toBe(false);
  });
});

test("jitter puts a run off by a part of it, and does not add up", () => {
  expect([0, 0.5, 1].map((random) => putOff(5000, 200, random))).toEqual([5000, 5100, 5200]);
  const health = newHealth(common(), 0);
  expect(nextDue(common({ jitter: 200 }), health, 5000, putOff(5000, 200, 1) + 30)).toBe(6000);
});

test("first runs are spread over a second, or over the interval where that is shorter", () => {
  expect([0, 1, 2, 3].map((i) => spread(i, 4, 60_000))).toEqual([0, 250, 500, 750]);
  expect(spread(3, 4, 200)).toBe(150);
  expect(spread(0, 1, 1000)).toBe(0);
});
