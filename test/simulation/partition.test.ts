import { describe, expect, test } from "vitest";
import { Lab, type Node } from "../support/simulated-lab.ts";

function pair(changes: Parameters<Lab["node"]>[2] = {}): { lab: Lab; best: Node; other: Node } {
  const lab = new Lab();
  const best = lab.node("best", 11, { ...changes, priority: 200 });
  const other = lab.node("other", 12, changes);
  lab.start();
  lab.run(10_400);
  return { lab, best, other };
}

const macOfBest = "02:00:00:00:00:0b";

describe.each([
  ["version 3", {}],
  ["version 2", { version: 2 }],
  ["without preemption", { preempt: false }],
] as const)("%s: a partition", (_, changes) => {
  test("has one active router on each side; healed, the lower one yields within an interval and the better one never moves", () => {
    const { lab, best, other } = pair(changes);
    lab.lan.partition(["best"], ["other"]);
    lab.run(10_000);
    expect(lab.actives).toEqual(["best", "other"]);
    const healed = lab.now;
    lab.lan.heal();
    lab.run(1001);
    expect(lab.actives).toEqual(["best"]);
    expect(other.held).toEqual([]);
    expect(best.transitions.map(({ to }) => to)).toEqual(["backup", "active"]);
    expect(lab.adverts({ node: "other", from: healed, priority: 0 })).toEqual([]);
    lab.run(60_000);
    expect(lab.actives).toEqual(["best"]);
  });

  test("healed: the announcement that hosts heard last is the better router's, within an interval", () => {
    for (const offset of [0, 300, 600, 900]) {
      const { lab } = pair(changes);
      lab.lan.partition(["best"], ["other"]);
      lab.run(10_000 + offset);
      expect(lab.lan.neighbors.get("192.0.2.1")).toBe("02:00:00:00:00:0c");
      lab.lan.heal();
      lab.run(1100);
      expect(lab.lan.neighbors.get("192.0.2.1")).toBe(macOfBest);
    }
  });
});

test("a deaf backup becomes active and stays; the better router answers each of its advertisements, and no more", () => {
  const { lab, best, other } = pair();
  lab.lan.cut("best", "other");
  lab.run(4000);
  expect(lab.actives).toEqual(["best", "other"]);
  const from = lab.now;
  lab.run(60_000);
  expect(lab.actives).toEqual(["best", "other"]);
  expect(lab.adverts({ node: "best", from })).toHaveLength(120);
  expect(lab.adverts({ node: "other", from })).toHaveLength(60);
  lab.run(2000);
  // Told when it begins and once a minute, not with each advertisement.
  const told = best.host.events.flatMap((event) =>
    (event.type === "split_brain_start" || event.type === "conflict") && /^two routers/.test(event.message)
      ? [event.type]
      : [],
  );
  expect(told).toEqual(["split_brain_start", "conflict"]);
  lab.lan.heal();
  lab.run(1001);
  expect(lab.actives).toEqual(["best"]);
  expect(other.state).toBe("backup");
});

test("version 2 does not answer a lesser router", () => {
  const { lab } = pair({ version: 2 });
  lab.lan.cut("best", "other");
  lab.run(4000);
  const from = lab.now;
  lab.run(60_000);
  expect(lab.adverts({ node: "best", from })).toHaveLength(60);
});

test("a deaf active router is no harm, and neither is its restart", () => {
  const { lab, best } = pair();
  lab.lan.cut("other", "best");
  lab.run(20_000);
  expect(lab.actives).toEqual(["best"]);
  best.stop();
  lab.run(610);
  expect(lab.actives).toEqual(["other"]);
  best.start();
  lab.run(3219);
  expect(lab.actives).toEqual(["best"]);
});

test("a deaf newcomer of low priority disturbs nobody but itself", () => {
  const lab = new Lab();
  const [best, other] = [lab.node("best", 11, { priority: 200 }), lab.node("other", 12)];
  const newcomer = lab.node("newcomer", 13, { priority: 50 });
  lab.start(best, other);
  lab.run(10_400);
  lab.lan.cut("best", "newcomer");
  lab.lan.cut("other", "newcomer");
  newcomer.start();
  lab.run(60_000);
  expect(lab.actives).toEqual(["best", "newcomer"]);
  expect(best.transitions).toHaveLength(2);
  expect(other.transitions).toHaveLength(1);
});

test("half a mesh: who hears the better router does not care about the lesser one", () => {
  const lab = new Lab();
  const nodes = [200, 100, 50].map((priority, i) => lab.node(`r${i}`, 11 + i, { priority }));
  lab.start();
  lab.run(10_000);
  lab.lan.cut("r0", "r2");
  lab.lan.cut("r2", "r0");
  lab.run(30_000);
  expect(lab.actives).toEqual(["r0", "r2"]);
  expect(nodes[1]?.transitions).toHaveLength(1);
  lab.lan.heal();
  lab.run(1001);
  expect(lab.actives).toEqual(["r0"]);
});

test("two lost advertisements in a row cost nothing, four cost the role for a moment", () => {
  const { lab, other } = pair();
  lab.lan.cut("best", "other");
  lab.run(2100);
  lab.lan.mend("best", "other");
  lab.run(10_000);
  expect(other.transitions).toHaveLength(1);
  lab.lan.cut("best", "other");
  lab.run(4100);
  lab.lan.mend("best", "other");
  lab.run(1001);
  expect(other.transitions.map(({ to }) => to)).toEqual(["backup", "active", "backup"]);
  expect(lab.actives).toEqual(["best"]);
});

test("losing every tenth packet for ten minutes moves nothing for long", () => {
  const { lab, best, other } = pair();
  lab.lan.quality = { loss: 0.1, duplicate: 0.05, reorder: 0.05, least: 0.1, most: 5 };
  lab.run(600_000);
  lab.lan.quality = { loss: 0 };
  lab.run(1001);
  expect(lab.actives).toEqual(["best"]);
  // Three in a row are lost once in a thousand seconds.
  expect(other.transitions.length).toBeLessThanOrEqual(5);
  expect(best.transitions).toHaveLength(2);
});

test("every packet twice and some out of order: no state changes", () => {
  const { lab, best, other } = pair({ advertisementInterval: 100 });
  lab.run(3000);
  const before = other.transitions.length;
  const received = other.status.counters.adverts_received;
  lab.lan.quality = { duplicate: 1, reorder: 0.3 };
  lab.run(60_000);
  expect([best.transitions.length, other.transitions.length]).toEqual([2, before]);
  expect(other.status.counters.adverts_received - received).toBeGreaterThan(1195);
});
