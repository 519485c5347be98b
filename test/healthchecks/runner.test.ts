import { describe, expect, onTestFinished, test } from "vitest";
import type { CheckType, Outcome } from "../../src/healthchecks/check-type.ts";
import type { Health, Verdict } from "../../src/healthchecks/health.ts";
import type { CheckParameters, CommonParameters } from "../../src/healthchecks/parameters.ts";
import { CheckRunner, type Doubt } from "../../src/healthchecks/runner.ts";
import { until } from "../daemon/support.ts";
import { common } from "./support.ts";

type Probe = CheckType<CheckParameters>["probe"];

const via = { host: "192.0.2.10", port: 80, mark: 1, server: "192.0.2.21" };

const good: Outcome = { ok: true, reason: "good" };
const bad: Outcome = { ok: false, reason: "bad" };

function parametersOf(changes: Partial<CommonParameters> = {}): CheckParameters {
  return { ...common(changes), type: "tcp", host: "127.0.0.1", port: 1 };
}

function run(
  probe: Probe,
  changes: Partial<CommonParameters> = {},
  more: { watch?: CheckType<CheckParameters>["watch"]; known?: Verdict; doubt?: Doubt } = {},
) {
  const verdicts: string[] = [];
  const changed = ({ up, reason }: Health) => verdicts.push(`${up ? "up" : "down"}: ${reason}`);
  const { watch, known, doubt } = more;
  const type = { probe, ...(watch === undefined ? {} : { watch }) };
  const parameters = { ...parametersOf(changes), ...(doubt === undefined ? {} : { via }) };
  const options = {
    type,
    changed,
    ...(known === undefined ? {} : { known }),
    ...(doubt === undefined ? {} : { doubt }),
  };
  const runner = new CheckRunner(parameters, options);
  onTestFinished(() => void runner.stop());
  runner.start(0);
  return { runner, verdicts };
}

/** Settles when it is told to stop. */
const untilAborted = (signal: AbortSignal): Promise<Outcome> =>
  new Promise((resolve) =>
    signal.addEventListener("abort", () =>
      resolve({ ok: false, reason: `asked: ${(signal.reason as Error).message}` }),
    ),
  );

test("each result is judged, and a change is told once", async () => {
  const results = [good, good, bad, bad, good];
  const { runner, verdicts } = run(() => Promise.resolve(results.shift() ?? good));
  await until(() => runner.health.runs >= 6, "six runs");
  expect(verdicts).toEqual(["up: good", "down: bad", "up: good"]);
});

test("what a probe throws is a failure with the words of the error", async () => {
  const { verdicts } = run(() => {
    throw new Error("a mistake of ours");
  });
  await until(() => verdicts.length === 1, "the failure");
  expect(verdicts).toEqual(["down: a mistake of ours"]);
});

test("no run begins before its time: failures in a row are that far apart", async () => {
  const begun: number[] = [];
  const interval = 7.3;
  run(
    () => {
      begun.push(performance.now());
      return Promise.resolve(good);
    },
    { interval, timeout: 5, fastInterval: interval },
  );
  await until(() => begun.length >= 150, "150 runs");
  const elapsed = (begun.at(-1) ?? 0) - (begun[0] ?? 0);
  // All of them lie on the grid; on a busy machine some of its points have none.
  expect(Math.round(elapsed / interval)).toBeGreaterThanOrEqual(begun.length - 1);
});

test("a reason is one line, whoever it comes from", async () => {
  const { runner, verdicts } = run(() => Promise.resolve({ ok: false, reason: "it says:\n  no\r\n" }));
  await until(() => runner.health.runs >= 1, "one run");
  expect(verdicts).toEqual(["down: it says: no"]);
});

describe("a check on a way that others can change", () => {
  test("a success that is doubted brings nothing up, and does not count", async () => {
    let doubted = true;
    const known = { up: false, reason: "refused" };
    const doubt = () => Promise.resolve(doubted ? "any server may have answered" : undefined);
    const { runner, verdicts } = run(() => Promise.resolve(good), { rise: 2 }, { known, doubt });
    await until(() => runner.health.runs >= 3, "three runs");
    expect(verdicts).toEqual([]);
    expect(runner.status()).toMatchObject({ state: "down", last: { reason: "good; any server may have answered" } });
    expect(runner.health.successes).toBe(0);
    doubted = false;
    await until(() => verdicts.length === 1, "the verdict");
    expect(verdicts).toEqual(["up: good (2 times in a row)"]);
  });

  test("a failure that is doubted takes nothing down", async () => {
    let doubted = true;
    const doubt: Doubt = (_check, _elapsed, ok) => Promise.resolve(!ok && doubted ? "that says nothing" : undefined);
    const results = [good];
    const { runner, verdicts } = run(() => Promise.resolve(results.shift() ?? bad), {}, { doubt });
    await until(() => runner.health.runs >= 4, "four runs");
    expect(verdicts).toEqual(["up: good"]);
    expect(runner.health).toMatchObject({ failures: 0, last: { reason: "bad; that says nothing" } });
    doubted = false;
    await until(() => verdicts.length === 2, "the verdict");
    expect(verdicts).toEqual(["up: good", "down: bad"]);
  });

  test("nobody asks about results that change nothing", async () => {
    const asked: boolean[] = [];
    const doubt: Doubt = async (_check, _elapsed, ok) => void asked.push(ok);
    const results = [good, good, bad, bad];
    const { runner } = run(() => Promise.resolve(results.shift() ?? bad), {}, { doubt });
    await until(() => runner.health.runs >= 6, "six runs");
    expect(asked).toEqual([true, false]);
  });

  test("a stop while it is asked ends it", async () => {
    let answer: (doubt: undefined) => void = () => {};
    const doubt = () => new Promise<undefined>((resolve) => (answer = resolve));
    const { runner, verdicts } = run(() => Promise.resolve(good), {}, { doubt });
    await until(() => runner.health.runs === 0 && answer.length === 1, "the question");
    await runner.stop();
    answer(undefined);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(verdicts).toEqual([]);
  });
});

describe("a probe that hangs", () => {
  test("is told to stop at the deadline, and its own words are the reason", async () => {
    const { runner, verdicts } = run((_parameters, signal) => untilAborted(signal), { timeout: 20 });
    await until(() => verdicts.length === 1, "the deadline");
    expect(verdicts).toEqual(["down: asked: no answer within 20 ms"]);
    expect(runner.health.last?.latency).toBeGreaterThanOrEqual(19);
  });

  test("a success after the deadline is none", async () => {
    const { verdicts } = run(
      (_parameters, signal) => new Promise((resolve) => signal.addEventListener("abort", () => resolve(good))),
      { timeout: 20 },
    );
    await until(() => verdicts.length === 1, "the deadline");
    expect(verdicts).toEqual(["down: good, but too late"]);
  });

  test("and does not even then end is a failure at every interval, and is not begun a second time", async () => {
    let begun = 0;
    const { runner, verdicts } = run(
      () => {
        begun += 1;
        return new Promise(() => {});
      },
      { timeout: 20, fall: 3, initial: "up" },
    );
    await until(() => verdicts.length === 1, "three failures");
    expect(begun).toBe(1);
    expect(verdicts[0]).toMatch(/^down: the run that began \d+ s ago has not ended \(3 times in a row\)$/);
    expect(runner.health.failures).toBeGreaterThanOrEqual(3);
  });
});

test("runs never overlap, however long they take", async () => {
  let running = 0;
  let most = 0;
  const { runner } = run(
    async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 25));
      running -= 1;
      return good;
    },
    { interval: 10, timeout: 1000 },
  );
  await until(() => runner.health.runs >= 5, "five runs");
  expect(most).toBe(1);
});

test("a watch that cannot be had stops nobody: the runs at the interval tell", async () => {
  const watch = () => {
    throw new Error("too many open files");
  };
  const { runner } = run(() => Promise.resolve(good), {}, { watch });
  await until(() => runner.health.runs >= 2, "two runs");
});

test("a watch asks for a run between the intervals", async () => {
  let notice: (() => void) | undefined;
  const { runner } = run(
    () => Promise.resolve(good),
    { interval: 60_000 },
    {
      watch: (_parameters, changed) => {
        notice = changed;
        return () => {
          notice = undefined;
        };
      },
    },
  );
  await until(() => runner.health.runs === 1, "the first run");
  notice?.();
  await until(() => runner.health.runs === 2, "the run that was asked for");
  await runner.stop();
  expect(notice).toBeUndefined();
});

test("stopping tells the probe and waits until it has ended", async () => {
  let ended = false;
  const { runner } = run(
    (_parameters, signal) =>
      new Promise((resolve) => {
        signal.addEventListener("abort", () =>
          setTimeout(() => {
            ended = true;
            resolve(bad);
          }, 20),
        );
      }),
    { timeout: 60_000 },
  );
  await new Promise((resolve) => setTimeout(resolve, 10));
  await runner.stop();
  expect(ended).toBe(true);
});

test("changed parameters: the ongoing run counts no more, the verdict stays until the first by the new ones", async () => {
  const { runner, verdicts } = run(() => Promise.resolve(good), { fall: 100 });
  await until(() => verdicts.length === 1, "the first verdict");
  let aborted = false;
  runner.change(parametersOf({ fall: 100, timeout: 60_000 }), {
    probe: (_parameters, signal) => {
      signal.addEventListener("abort", () => {
        aborted = true;
      });
      return untilAborted(signal);
    },
  });
  runner.resume(0);
  const { runs } = runner.health;
  await new Promise((resolve) => setTimeout(resolve, 20));
  const other = { ...parametersOf({ fall: 100 }), port: 2 } as CheckParameters;
  expect(runner.change(other, { probe: () => Promise.resolve(bad) })).toBe(true);
  runner.resume(0);
  expect(runner.health).toMatchObject({ up: true, runs });
  await until(() => verdicts.length === 2, "the verdict by the new parameters");
  expect(aborted).toBe(true);
  expect(verdicts[1]).toBe("down: bad");
});

test("another rhythm, other numbers of results: what was seen so far still counts", async () => {
  const { runner, verdicts } = run(() => Promise.resolve(good), { interval: 60_000, rise: 2 });
  await until(() => verdicts.length === 1, "the first verdict");
  runner.change(parametersOf({ interval: 5, timeout: 20, fall: 3, fastInterval: 5 }), {
    probe: () => Promise.resolve(bad),
  });
  expect(runner.health).toMatchObject({ up: true, successes: 1 });
  runner.resume(0);
  await until(() => verdicts.length === 2, "the verdict by three failures");
  expect(verdicts[1]).toBe("down: bad (3 times in a row)");
});

test("a verdict from before a restart is told only when it is overturned", async () => {
  const { runner, verdicts } = run(() => Promise.resolve(good), {}, { known: { up: true, reason: "known" } });
  await until(() => runner.health.runs >= 2, "two runs");
  expect(verdicts).toEqual([]);
  expect(runner.status()).toMatchObject({ state: "up", reason: "known", last: { ok: true, reason: "good" } });
});
