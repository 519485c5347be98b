import { expect, test } from "vitest";
import { Lab } from "../support/simulated-lab.ts";

test("without preemption a better router waits until the active one dies", () => {
  const lab = new Lab();
  const [better, other] = [lab.node("better", 11, { priority: 200, preempt: false }), lab.node("other", 12)];
  other.start();
  lab.run(10_400);
  better.start();
  lab.run(60_000);
  expect(lab.actives).toEqual(["other"]);
  other.crash();
  lab.run(5000);
  expect(lab.takeover(other, better)).toBeCloseTo(3218.75, 0);
});

test("a preemption delay counts from the first lower advertisement and ends within a down interval", () => {
  const lab = new Lab();
  const [better, other] = [lab.node("better", 11, { priority: 200, preemptDelay: 10_000 }), lab.node("other", 12)];
  other.start();
  lab.run(10_400);
  better.start();
  lab.run(30_000);
  const heard = lab.adverts({ node: "other", from: 10_400 })[0]?.at ?? 0;
  const taken = lab.adverts({ node: "better" })[0]?.at ?? 0;
  expect(taken - heard).toBeGreaterThanOrEqual(10_000);
  expect(taken - heard).toBeLessThanOrEqual(10_000 + 3219);
  expect(lab.actives).toEqual(["better"]);
});

test("a preemption delay does not delay the takeover from a dead router", () => {
  const lab = new Lab();
  const [better, other] = [lab.node("better", 11, { priority: 200, preemptDelay: 60_000 }), lab.node("other", 12)];
  other.start();
  lab.run(10_400);
  better.start();
  lab.run(4000);
  other.crash();
  lab.run(5000);
  expect(lab.takeover(other, better)).toBeCloseTo(3218.75, 0);
});

test("a preemption delay does not keep the last router of a cold start waiting", () => {
  const lab = new Lab();
  lab.node("alone", 11, { priority: 200, preemptDelay: 60_000 });
  lab.start();
  lab.run(5000);
  expect(lab.adverts()[0]?.at).toBeCloseTo(3218.75, 6);
});

test("a still better router ends the delay for good", () => {
  const lab = new Lab();
  const [better, other, best] = [
    lab.node("better", 11, { priority: 200, preemptDelay: 10_000 }),
    lab.node("other", 12),
    lab.node("best", 13, { priority: 220 }),
  ];
  other.start();
  lab.run(10_400);
  better.start();
  lab.run(3000);
  best.start();
  lab.run(60_000);
  expect(better.transitions.map(({ to }) => to)).toEqual(["backup"]);
  expect(lab.actives).toEqual(["best"]);
});

test("a priority that is lowered and raised while active moves the role there and back, with no gap", () => {
  const lab = new Lab();
  const first = lab.node("first", 11, { priority: 200 });
  lab.node("second", 12);
  lab.start();
  lab.run(10_400);
  first.reload({ priority: 90 });
  const lowered = lab.now;
  lab.run(10_000);
  expect(lab.actives).toEqual(["second"]);
  const lastAccepted = lab.adverts({ node: "first", priority: 200 }).at(-1)?.at ?? 0;
  const taken = lab.adverts({ node: "second", priority: 100 })[0]?.at ?? 0;
  expect(taken - lastAccepted).toBeCloseTo(3609.375, 0);
  // It went on advertising until it was relieved.
  expect(lab.adverts({ node: "first", from: lowered, to: taken, priority: 90 }).length).toBeGreaterThanOrEqual(3);
  first.reload({ priority: 200 });
  lab.run(10_000);
  expect(lab.actives).toEqual(["first"]);
});
