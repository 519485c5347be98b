import { describe, expect, test } from "vitest";
import { address } from "../support/packets.ts";
import { Lab, type Node } from "../support/simulated-lab.ts";
import { dualStack } from "../vrrp/samples.ts";

/** Three routers, the best one active since a while. */
function three(changes: Parameters<typeof dualStack>[0] = {}): { lab: Lab; nodes: readonly [Node, Node, Node] } {
  const lab = new Lab();
  const node = (name: string, number: number, priority: number) => lab.node(name, number, { ...changes, priority });
  const nodes = [node("best", 11, 200), node("second", 12, 150), node("third", 13, 100)] as const;
  lab.start();
  lab.run(10_400);
  return { lab, nodes };
}

test.each([
  ["version 3", { version: 3 }, 3414.0625],
  ["version 2", { version: 2 }, 3414.0625],
  ["version 2, 5 s", { version: 2, advertisementInterval: 5000 }, 15_414.0625],
  ["10 ms", { advertisementInterval: 10 }, 34.140625],
  ["40.95 s", { advertisementInterval: 40_950 }, 139_805.859375],
] as const)("%s: the next best takes over one down interval after the last advertisement", (_, changes, expected) => {
  const { lab, nodes } = three(changes);
  const [best, second] = nodes;
  lab.run(130_000);
  best.crash();
  lab.run(2 * expected);
  // The LAN needs up to 0.1 ms to carry the last advertisement.
  expect(lab.takeover(best, second) - expected).toBeGreaterThanOrEqual(0.05);
  expect(lab.takeover(best, second) - expected).toBeLessThanOrEqual(0.11);
  expect(lab.adverts({ node: "third" })).toEqual([]);
  expect(second.transitions.at(-1)?.reason).toMatch(/^no advertisement from 192\.0\.2\.11 for /);
  expect(second.status.routers[0]?.new_active_reason).toBe("no_response");
});

test("and the third when the second fails as well", () => {
  const { lab, nodes } = three();
  const [best, second, third] = nodes;
  best.crash();
  lab.run(10_000);
  second.crash();
  lab.run(10_000);
  expect(lab.takeover(second, third)).toBeCloseTo(3609.375, 0);
});

test("a crashed process leaves its addresses to their lease", () => {
  const { lab, nodes } = three({ lease: 5000 });
  nodes[0].crash();
  expect(nodes[0].held).toEqual(["192.0.2.1"]);
  lab.run(5001);
  expect(nodes[0].held).toEqual([]);
  expect(nodes[1].held).toEqual(["192.0.2.1"]);
});

test("a process that is started after a crash removes what was left over before it does anything else", () => {
  const { lab, nodes } = three({ lease: 60_000 });
  nodes[0].crash();
  lab.run(100);
  nodes[0].start();
  expect(nodes[0].held).toEqual([]);
  expect(nodes[0].state).toBe("backup");
});

test("an address that is kept alive never disappears while its router is active", () => {
  const lab = new Lab();
  const node = lab.node("a", 11, dualStack({ lease: 2000 }));
  lab.start();
  lab.run(4000);
  lab.time.settled.push(() => expect(node.held).toHaveLength(3));
  lab.run(60_000);
});

describe("stop", () => {
  test.each([
    ["version 3", { version: 3 }, 414.0625],
    ["version 2, 5 s", { version: 2, advertisementInterval: 5000 }, 414.0625],
    ["10 ms", { advertisementInterval: 10 }, 4.140625],
  ] as const)("%s: the next best takes over one skew after priority 0, the third stays silent", (_, changes, skew) => {
    const { lab, nodes } = three(changes);
    const [best, second] = nodes;
    lab.run(30_000);
    best.stop();
    expect(best.held).toEqual([]);
    lab.run(60_000);
    expect(lab.adverts({ priority: 0 })).toMatchObject([{ node: "best", count: 1 }]);
    expect(lab.takeover(best, second) - skew).toBeGreaterThanOrEqual(0.05);
    expect(lab.takeover(best, second) - skew).toBeLessThanOrEqual(0.11);
    expect(lab.adverts({ node: "third" })).toEqual([]);
    expect(second.transitions.at(-1)?.reason).toBe("192.0.2.11 gave up the role (priority 0)");
    expect(second.status.routers[0]?.new_active_reason).toBe("priority");
    expect(second.status.counters.priority_zero_received).toBe(1);
  });

  test("a backup that stops says nothing", () => {
    const { lab, nodes } = three();
    nodes[1].stop();
    lab.run(5000);
    expect(lab.adverts({ node: "second" })).toEqual([]);
    expect(lab.actives).toEqual(["best"]);
  });

  test("two nodes that stop together leave no address and send at most one priority 0 each", () => {
    const { lab, nodes } = three();
    nodes[0].stop();
    nodes[1].stop();
    lab.run(1000);
    expect(lab.adverts({ priority: 0 })).toHaveLength(1);
    expect([nodes[0].held, nodes[1].held]).toEqual([[], []]);
  });
});

describe("the interface of the active router", () => {
  test.each(["carrier", "down"] as const)(
    "%s lost: initialize at once, addresses away; back: backup, and active after its down interval",
    (what) => {
      const { lab, nodes } = three();
      const [best, second] = nodes;
      const set = (good: boolean) => (what === "carrier" ? best.kernel.setCarrier(good) : best.kernel.setUp(good));
      set(false);
      lab.run(1);
      expect([best.state, best.held]).toEqual(["initialize", []]);
      expect(best.status.reasons).toEqual([
        what === "carrier" ? "interface eth0 has no carrier" : "interface eth0 is down",
      ]);
      lab.run(10_000);
      expect(lab.takeover(best, second)).toBeCloseTo(3414.0625, 0);
      const back = lab.now;
      set(true);
      lab.run(1);
      expect(best.state).toBe("backup");
      lab.run(10_000);
      expect((lab.adverts({ node: "best", from: back })[0]?.at ?? 0) - back).toBeCloseTo(3218.75, 0);
      expect(lab.actives).toEqual(["best"]);
    },
  );

  test("flaps while backup are nobody's business", () => {
    const { lab, nodes } = three();
    for (let i = 0; i < 10; i++) {
      nodes[1].kernel.setCarrier(false);
      lab.run(200);
      nodes[1].kernel.setCarrier(true);
      lab.run(200);
    }
    lab.run(5000);
    expect(lab.actives).toEqual(["best"]);
    expect(lab.adverts({ node: "second" })).toEqual([]);
  });

  test("deleted and made anew: a fresh start on the new one", () => {
    const { lab, nodes } = three();
    const [best] = nodes;
    best.kernel.deleteLink();
    lab.run(10_000);
    expect([best.state, best.status.reasons]).toEqual(["initialize", ["interface eth0 does not exist"]]);
    best.kernel.createLink();
    const back = lab.now;
    lab.run(10_000);
    expect(lab.actives).toEqual(["best"]);
    expect((lab.adverts({ node: "best", from: back })[0]?.at ?? 0) - back).toBeCloseTo(3218.75, 0);
    expect(best.held).toEqual(["192.0.2.1"]);
  });

  test("replaced within one turn of the loop: the role goes on with the addresses on the new one", () => {
    const { lab, nodes } = three();
    const [best] = nodes;
    best.pause();
    best.kernel.deleteLink();
    best.kernel.createLink();
    best.resume();
    lab.run(10_000);
    expect(lab.actives).toEqual(["best"]);
    expect(best.held).toEqual(["192.0.2.1"]);
  });

  test("renamed: nothing happens, not even to the rhythm", () => {
    const { lab, nodes } = three();
    nodes[0].kernel.alter("eth0", { name: "lan0" });
    lab.run(10_000);
    const times = lab.adverts({ node: "best" }).map(({ at }) => at);
    expect(times.slice(1).map((at, i) => Math.round((at - (times[i] ?? 0)) * 1e6) / 1e6)).toEqual(
      times.slice(1).map(() => 1000),
    );
    expect(lab.actives).toEqual(["best"]);
  });
});

test("another interface under the configured name: the role and the addresses stay with the network that they belong to", () => {
  const { lab, nodes } = three({ lease: 60_000 });
  const [best] = nodes;
  const former = best.kernel.link?.index ?? 0;
  best.kernel.alter("eth0", { name: "old0" });
  lab.run(1000);
  expect(best.state).toBe("active");
  best.kernel.createLink();
  lab.run(5);
  // It listens on the new one before it says anything there.
  expect([best.state, best.kernel.find(former, address("192.0.2.1"))]).toEqual(["backup", undefined]);
  expect(best.transitions.at(-2)?.reason).toBe("interface eth0 is another one now");
  expect(lab.adverts({ node: "best" }).at(-1)?.priority).toBe(0);
  lab.run(10_000);
  expect([lab.actives, best.held]).toEqual([["best"], ["192.0.2.1"]]);
});

test("IPv6 waits for its link-local address to pass duplicate address detection", () => {
  const lab = new Lab();
  const node = lab.node("a", 11, dualStack());
  node.kernel.setUp(false);
  node.start();
  expect(node.status.reasons[0]).toBe("interface eth0 is down");
  node.kernel.setUp(true);
  lab.run(500);
  expect(node.status.reasons).toEqual([
    "interface eth0: link-local address fe80::b is tentative (duplicate address detection has not finished)",
  ]);
  lab.run(501);
  expect(node.state).toBe("backup");
  lab.run(3609.375);
  expect(node.state).toBe("active");
});
