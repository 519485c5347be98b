/** Address families that come and go by reload, while the instance keeps its role. */
import { expect, test } from "vitest";
import type { InstanceParameters } from "../../src/vrrp/parameters.ts";
import { Lab } from "../support/simulated-lab.ts";
import { dualStack, instance } from "../vrrp/samples.ts";

const { families, virtualAddresses } = dualStack();
const both = { families, virtualAddresses };
const only4 = { families: instance().families, virtualAddresses: instance().virtualAddresses };
const only6 = { families: [6 as const], virtualAddresses: virtualAddresses.slice(1) };

function pair(changes: Partial<InstanceParameters>): Lab {
  const lab = new Lab();
  lab.node("best", 11, { ...changes, priority: 200 });
  lab.node("other", 12, changes);
  lab.start();
  lab.run(10_400);
  return lab;
}

const gaps = (lab: Lab, node: string) => {
  const times = lab.adverts({ node, family: 4 }).map(({ at }) => at);
  return new Set(times.slice(1).map((at, i) => Math.round(at - (times[i] ?? 0))));
};

test("a family that comes joins the role after its own down interval; the other one is not disturbed", () => {
  const lab = pair(only4);
  for (const node of lab.nodes) {
    node.reload(both);
    lab.run(10_000);
  }
  const [best, other] = lab.nodes;
  expect(best?.held).toEqual(["192.0.2.1", "fe80::51", "2001:db8::51"]);
  expect(other?.held).toEqual([]);
  expect([best?.transitions.length, other?.transitions.length]).toEqual([2, 1]);
  expect((lab.adverts({ family: 6 })[0]?.at ?? 0) - 10_400).toBeCloseTo(3218.75, 0);
  expect(gaps(lab, "best")).toEqual(new Set([1000]));
  // From then on they are one.
  best?.crash();
  lab.run(3610);
  expect(other?.held).toEqual(["192.0.2.1", "fe80::51", "2001:db8::51"]);
});

test("the backup may be reloaded first: its new family waits for the old one", () => {
  const lab = pair(only4);
  const [best, other] = lab.nodes;
  other?.reload(both);
  lab.run(30_000);
  expect([lab.actives, other?.held]).toEqual([["best"], []]);
  best?.reload(both);
  lab.run(10_000);
  expect(lab.adverts({ node: "other" })).toEqual([]);
  expect(best?.held).toHaveLength(3);
});

test("a family that goes resigns and takes its addresses with it; the other one is not disturbed", () => {
  const lab = pair(both);
  const [best, other] = lab.nodes;
  best?.reload(only4);
  expect(best?.held).toEqual(["192.0.2.1"]);
  expect(best?.kernel.holds("fe80::51")).toBe(false);
  expect(lab.adverts({ priority: 0 })).toMatchObject([{ family: 6, count: 2 }]);
  lab.run(10_000);
  other?.reload(only4);
  lab.run(10_000);
  expect(lab.actives).toEqual(["best"]);
  expect([best?.transitions.length, other?.transitions.length]).toEqual([2, 1]);
  expect(gaps(lab, "best")).toEqual(new Set([1000]));
});

test("one family in the place of the other is another virtual router", () => {
  const lab = pair(only4);
  for (const node of lab.nodes) node.reload(only6);
  lab.run(5000);
  expect(lab.actives).toEqual(["best"]);
  expect(lab.nodes[0]?.held).toEqual(["fe80::51", "2001:db8::51"]);
  expect(lab.nodes.map(({ kernel }) => kernel.holds("192.0.2.1"))).toEqual([false, false]);
  expect(lab.adverts({ priority: 0 })).toMatchObject([{ family: 4 }]);
});
