import { expect, test } from "vitest";
import { restartDelay } from "../../src/daemon/restart.ts";

test("a child that keeps dying is started at once, then after 1, 2, 4 … 60 s", () => {
  const delays: number[] = [];
  let previous: number | undefined;
  for (let i = 0; i < 10; i++) {
    previous = restartDelay(previous, 100);
    delays.push(previous);
  }
  expect(delays).toEqual([0, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
});

test.each([
  [32_000, 59_999, 60_000],
  [32_000, 60_000, 0],
  [0, 3_600_000, 0],
])("after a delay of %d ms and a life of %d ms the next delay is %d ms", (previous, lived, delay) => {
  expect(restartDelay(previous, lived)).toBe(delay);
});
