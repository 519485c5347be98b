import { expect, onTestFinished, test } from "vitest";
import { now } from "../../src/socket/clock.ts";
import { OneShotTimer } from "../../src/socket/timer.ts";
import { until } from "./support.ts";

function timer(): { timer: OneShotTimer; fired: number[] } {
  const fired: number[] = [];
  const result = new OneShotTimer(() => fired.push(now()));
  onTestFinished(() => result.close());
  return { timer: result, fired };
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

test("the clock is monotonic, in milliseconds, and finer than one", () => {
  const times = Array.from({ length: 1000 }, now);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  const [uptime] = [Number(process.hrtime.bigint()) / 1e6];
  expect(Math.abs(uptime - now())).toBeLessThan(1000);
  expect(times.some((time) => time % 1 !== 0)).toBe(true);
});

test("a timer fires once, never before its instant, and fractions count", async () => {
  const { timer: wake, fired } = timer();
  for (const delay of [0.3, 1.7, 5.25]) {
    const at = now() + delay;
    fired.length = 0;
    wake.arm(at);
    await until(() => fired.length > 0, "the timer");
    expect(fired[0]).toBeGreaterThanOrEqual(at);
  }
  await pause(20);
  expect(fired).toHaveLength(1);
});

test("an instant of the past fires at the next turn of the loop, not inside arm", async () => {
  for (const at of [now() - 5, 0, -1, Number.NEGATIVE_INFINITY]) {
    const { timer: wake, fired } = timer();
    wake.arm(at);
    expect(fired).toEqual([]);
    await until(() => fired.length > 0, "the timer");
  }
});

test("arming again replaces the instant, sooner or later", async () => {
  const { timer: wake, fired } = timer();
  wake.arm(now() + 60_000);
  wake.arm(now() + 1);
  await until(() => fired.length > 0, "the sooner instant");
  wake.arm(now() + 1);
  wake.arm(now() + 60_000);
  await pause(20);
  expect(fired).toHaveLength(1);
});

test("an expiry that the loop has not told yet is taken back by arming anew", async () => {
  const { timer: wake, fired } = timer();
  wake.arm(now() + 0.1);
  const end = now() + 3;
  while (now() < end);
  wake.arm(now() + 60_000);
  await pause(20);
  expect(fired).toEqual([]);
});

test("disarm and close silence it", async () => {
  const { timer: wake, fired } = timer();
  wake.arm(now() + 2);
  wake.disarm();
  await pause(10);
  wake.arm(now() + 2);
  wake.close();
  wake.close();
  wake.arm(now() + 1);
  await pause(10);
  expect(fired).toEqual([]);
});

test("it can be armed and closed from its own callback", async () => {
  let rounds = 0;
  const wake: OneShotTimer = new OneShotTimer(() => {
    rounds++;
    if (rounds < 10) wake.arm(now() + 0.2);
    else wake.close();
  });
  wake.arm(now());
  await until(() => rounds === 10, "ten rounds");
});

test("the same instant twice in a row fires twice", async () => {
  const { timer: wake, fired } = timer();
  const at = now() - 1;
  wake.arm(at);
  await until(() => fired.length === 1, "the first");
  wake.arm(at);
  await until(() => fired.length === 2, "the second");
});

test("an instant that is no number is refused", () => {
  expect(() => timer().timer.arm(Number.NaN)).toThrow(RangeError);
});
