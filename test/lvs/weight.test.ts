/** Weights: file, advice, operator, slow start. */
import { describe, expect, test } from "vitest";
import type { AdminEntry, Advice } from "../../src/lvs/parameters.ts";
import { slowWeight, standing } from "../../src/lvs/weight.ts";
import { adminEntry, realServer } from "../support/simulated-balancer.ts";

const server = realServer(21, { weight: 10, upperThreshold: 100, lowerThreshold: 80 });
const stands = (advice: Advice | undefined, ...admin: readonly AdminEntry[]) =>
  standing(server, "web", { advices: advice === undefined ? [] : [{ check: "agent", advice }], admin, wall: 1000 });

describe("the weight", () => {
  const rows: { name: string; advice?: Advice; admin?: AdminEntry[]; weight: number }[] = [
    { name: "is that of the file", weight: 10 },
    { name: "is a share of it on advice", advice: { weightPercent: 75 }, weight: 8 },
    { name: "is another on advice", advice: { weight: 3 }, weight: 3 },
    { name: "does not fall below 0", advice: { weightOffset: -20 }, weight: 0 },
    { name: "rises by an offset", advice: { weightOffset: 5 }, weight: 15 },
    {
      name: "is what an operator says",
      advice: { weight: 3 },
      admin: [adminEntry(21, { type: "weight", weight: 7 })],
      weight: 7,
    },
    {
      name: "is a share on an operator's word",
      admin: [adminEntry(21, { type: "weight_percent", percent: 1 })],
      weight: 1,
    },
    {
      name: "is what was said last, though the clock was put back",
      admin: [
        adminEntry(21, { type: "weight", weight: 7 }, { since: 5 }),
        adminEntry(21, { type: "weight", weight: 9 }, { since: 2 }),
      ],
      weight: 9,
    },
    {
      name: "is not what was said until earlier",
      admin: [adminEntry(21, { type: "weight", weight: 7 }, { until: 1000 })],
      weight: 10,
    },
    {
      name: "is not what was said of another port",
      admin: [adminEntry(21, { type: "weight", weight: 7 }, { port: 81 })],
      weight: 10,
    },
    {
      name: "is not what was said for another service",
      admin: [adminEntry(21, { type: "weight", weight: 7 }, { service: "mail" })],
      weight: 10,
    },
  ];
  test.each(rows)("$name", ({ advice, admin = [], weight }) => expect(stands(advice, ...admin).weight).toBe(weight));
});

test("maintenance goes before draining, and an operator before an agent", () => {
  const drain = adminEntry(21, { type: "drain" }, { reason: "disk" });
  expect(stands({ mode: "maint" }, drain)).toMatchObject({ mode: "drain", reason: "drained by root (uid 0): disk" });
  expect(stands(undefined, drain, adminEntry(21, { type: "maintenance" })).mode).toBe("maintenance");
  expect(stands({ mode: "maint" })).toMatchObject({ mode: "maintenance", reason: "in maintenance, says agent" });
  expect(stands({ mode: "ready" }).mode).toBe("ready");
});

test("a limit on advice takes the lower threshold along, as the kernel refuses one above it", () => {
  expect(stands({ maxConnections: 30 })).toMatchObject({ upperThreshold: 30, lowerThreshold: 30 });
});

test("a slow start goes up in steps and arrives", () => {
  const seen: number[] = [];
  let elapsed = 0;
  for (let step = slowWeight(20, elapsed, 9000); step !== undefined; step = slowWeight(20, elapsed, 9000)) {
    seen.push(step.weight);
    elapsed += step.next;
  }
  expect(seen).toEqual([2, 4, 6, 8, 10, 12, 14, 16, 18]);
  expect(elapsed).toBe(9000);
  expect(slowWeight(1, 0, 9000)).toBeUndefined();
});
