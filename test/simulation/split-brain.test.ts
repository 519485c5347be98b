/** Two routers active at once: what each of them tells, when it begins, how long it lasts and how it ends. */
import { expect, test } from "vitest";
import type { VrrpEvent } from "../../src/vrrp/status.ts";
import { forge, forged4 } from "../support/simulated-forger.ts";
import { Lab, type Node } from "../support/simulated-lab.ts";

function eventsOf(node: Node, type: VrrpEvent["type"]): VrrpEvent[] {
  return node.host.events.filter((event) => event.type === type);
}

function pair(changes: { readonly one?: number; readonly two?: number; readonly preempt?: boolean } = {}) {
  const { one = 200, two = 100, preempt = true } = changes;
  const lab = new Lab();
  const nodes = [
    lab.node("one", 11, { priority: one, preempt }),
    lab.node("two", 12, { priority: two, preempt }),
  ] as const;
  return { lab, nodes };
}

test("a partition that heals: the survivor tells both views, the count and the duration, and announces again", () => {
  const { lab, nodes } = pair();
  const [one, two] = nodes;
  lab.start();
  lab.run(10_000);
  lab.lan.cut("one", "two");
  lab.run(14_000);
  expect(one.status.split_brains).toMatchObject([{ ended: null, outcome: "ongoing" }]);
  const own = { address: "192.0.2.11", priority: 200 };
  const rival = { address: "192.0.2.12", priority: 100 };
  expect(eventsOf(one, "split_brain_start")).toMatchObject([{ own, rival }]);
  lab.lan.heal();
  const announced = lab.lan.announcements.length;
  lab.run(6000);
  expect(lab.actives).toEqual(["one"]);
  // Heard each second from 3.6 s after the cut, and once more when it gives way.
  const [end] = eventsOf(one, "split_brain_end");
  expect(eventsOf(one, "split_brain_end")).toHaveLength(1);
  expect(end).toMatchObject({ outcome: "kept", own, rivals: [{ ...rival, adverts: 13 }] });
  expect(end).toMatchObject({ duration_ms: 11_391 });
  expect(lab.lan.announcements.slice(announced).some(({ node }) => node === "one")).toBe(true);
  expect(one.status.split_brains).toMatchObject([{ outcome: "kept", ended: expect.any(String) }]);
  // The one that gives way cannot tell a heal from a return.
  expect(eventsOf(two, "split_brain_start")).toEqual([]);
  expect(two.transitions.at(-1)?.reason).toBe("192.0.2.11 has priority 200, above our 100");
});

test("an ordinary preemption and its farewell are no split brain, on either side", () => {
  const { lab, nodes } = pair();
  const [one, two] = nodes;
  two.start();
  lab.run(5000);
  one.start();
  lab.run(10_000);
  expect(lab.actives).toEqual(["one"]);
  for (const node of nodes) expect(eventsOf(node, "split_brain_start")).toEqual([]);
  expect([one.status.split_brains, two.status.split_brains]).toEqual([[], []]);
});

test("a tie that was active on both sides is told by the one that gives way, since it became active", () => {
  const { lab, nodes } = pair({ one: 100 });
  const [one, two] = nodes;
  lab.lan.partition(["one"], ["two"]);
  lab.start();
  lab.run(20_000);
  expect(lab.actives).toEqual(["one", "two"]);
  lab.lan.heal();
  lab.run(6000);
  expect(lab.actives).toEqual(["two"]);
  const lost = eventsOf(one, "split_brain_end")[0];
  expect(lost).toMatchObject({ outcome: "lost", rivals: [{ address: "192.0.2.12", priority: 100, adverts: 1 }] });
  expect((lost as { duration_ms: number }).duration_ms).toBeGreaterThan(16_000);
  // Since when the other one was active it cannot know.
  expect((lost as { message: string }).message).toMatch(/^two routers were active for at most 1[67]\.\d+ s: /);
  expect(two.host.events.filter(({ type }) => type.startsWith("split_brain")).length % 2).toBe(0);
});

test("a role that is left ends it", () => {
  const { lab, nodes } = pair();
  const [one] = nodes;
  lab.start();
  lab.run(10_000);
  lab.lan.cut("one", "two");
  lab.run(8000);
  one.kernel.setCarrier(false);
  lab.run(10);
  expect(eventsOf(one, "split_brain_end")).toMatchObject([{ outcome: "left" }]);
});

test("invented senders fill no memory: eight are listed, the rest is counted", () => {
  const lab = new Lab();
  const one = lab.node("one", 11, { priority: 200 });
  lab.start();
  lab.run(5000);
  for (let i = 0; i < 50; i++) forge(lab, { ...forged4, source: Uint8Array.of(198, 51, 100, i + 1), priority: 50 });
  lab.run(500);
  expect(one.status.split_brains).toMatchObject([{ unlisted: 42 }]);
  expect(one.status.split_brains[0]?.rivals).toHaveLength(8);
  expect(eventsOf(one, "split_brain_start")).toHaveLength(1);
});
