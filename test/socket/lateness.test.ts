import { expect, test } from "vitest";
import { Lateness, latenessBounds, quantile } from "../../src/socket/lateness.ts";

test("every timer falls into the class of the first bound that it does not exceed", () => {
  const lateness = new Lateness();
  for (const late of [0, 0.1, 0.11, 4999, 5000, 5001]) lateness.add(late);
  const { counts, timers, max, total } = lateness.figures;
  expect([timers, max, total]).toEqual([6, 5001, 15_000.21]);
  expect(counts).toHaveLength(latenessBounds.length + 1);
  expect([counts[0], counts[1], counts.at(-2), counts.at(-1)]).toEqual([2, 1, 2, 1]);
});

test("a quantile is a bound that so many stayed below, and never more than the greatest", () => {
  const lateness = new Lateness();
  expect(quantile(lateness.figures, 0.99)).toBe(0);
  for (let i = 0; i < 98; i++) lateness.add(0.15);
  lateness.add(3);
  lateness.add(40);
  expect(quantile(lateness.figures, 0.5)).toBe(0.2);
  expect(quantile(lateness.figures, 0.99)).toBe(5);
  expect(quantile(lateness.figures, 1)).toBe(40);
});
