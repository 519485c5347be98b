import { expect, test } from "vitest";
import { Lab } from "../support/simulated-lab.ts";

test("cold start: the better router speaks first, Active_Down_Interval after its start; the other one never", () => {
  const lab = new Lab();
  const better = lab.node("better", 11, { priority: 200 });
  const other = lab.node("other", 12);
  lab.start();
  lab.run(60_000);
  expect(lab.adverts()[0]?.at).toBeCloseTo(3218.75, 6);
  expect(lab.adverts({ node: "other" })).toEqual([]);
  expect(better.held).toEqual(["192.0.2.1"]);
  expect(other.held).toEqual([]);
  expect(lab.adverts()).toHaveLength(57);
});
