/** Tracked objects on a simulated LAN: what a failure moves, when, and that everything comes back. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { InstanceParameters, Track } from "../../src/vrrp/parameters.ts";
import { activeDownInterval, skewTime } from "../../src/vrrp/timing.ts";
import { Lab, type Node } from "../support/simulated-lab.ts";
import { dualStack } from "../vrrp/samples.ts";

const { RUNS } = process.env;
const explore = RUNS === undefined ? { seed: 20_240_501 } : { numRuns: Number(RUNS) };

const port = (priority?: number, name = "eth1"): Track => ({
  what: "interface",
  name,
  ...(priority === undefined ? {} : { priority }),
  reverse: false,
});
const check = (priority?: number, name = "web"): Track => ({ ...port(priority, name), what: "check" });

/** Priorities 200 and 100, half an interval after an advertisement of the first, which is active. */
function pair(
  best: Partial<InstanceParameters>,
  other: Partial<InstanceParameters> = {},
): {
  lab: Lab;
  best: Node;
  other: Node;
} {
  const lab = new Lab();
  const first = lab.node("best", 11, { ...best, priority: 200 });
  const second = lab.node("other", 12, other);
  for (const name of ["eth1", "eth2"]) first.kernel.createLink(name);
  lab.start();
  first.host.report("web", true);
  first.host.report("gateway", true);
  lab.run(10_000);
  const last = lab.adverts({ node: "best" }).at(-1)?.at ?? 0;
  lab.run(last + 500 - lab.now);
  return { lab, best: first, other: second };
}

const down = { up: false, running: false };
const up = { up: true, running: true };

describe("a tracked object whose failure lowers the priority", () => {
  test("is told at once; the backup takes over its down interval after the last advertisement it accepted", () => {
    const { lab, best, other } = pair({ track: [port(-110)] });
    const accepted = lab.adverts({ node: "best" }).at(-1)?.at ?? 0;
    const at = lab.now;
    best.kernel.alter("eth1", down);
    lab.run(1);
    expect(lab.adverts({ node: "best", from: at })).toMatchObject([{ at, priority: 90 }]);
    expect(best.status.priority).toEqual({
      base: 200,
      effective: 90,
      parts: [{ name: "interface eth1", change: -110 }],
    });
    lab.run(10_000);
    expect(lab.actives).toEqual(["other"]);
    const first = lab.adverts({ node: "other" })[0]?.at ?? 0;
    expect(first - accepted).toBeCloseTo(activeDownInterval(3, 100, 1000), 0);
    // Somebody held the address all the time.
    expect(best.transitions.at(-1)?.at).toBeGreaterThanOrEqual(first);
    expect(best.host.events.filter(({ type }) => type === "priority")).toMatchObject([
      { message: "priority 200 → 90: interface eth1 is down" },
    ]);

    best.kernel.alter("eth1", up);
    lab.run(3220);
    expect([lab.actives, best.status.priority.effective]).toEqual([["best"], 200]);
    expect(other.held).toEqual([]);
  });

  test("that is deleted and made again under its name lowers and restores it; a new name alone changes nothing", () => {
    const { lab, best } = pair({ track: [port(-110)] });
    const priority = () => best.status.priority.effective;
    best.kernel.alter("eth1", { name: "uplink" });
    lab.run(1);
    expect(priority()).toBe(200);
    best.kernel.deleteLink("uplink");
    lab.run(1);
    expect(priority()).toBe(90);
    expect(best.status.tracking).toMatchObject([
      { name: "interface eth1", failing: true, reason: "interface eth1 does not exist" },
    ]);
    best.kernel.createLink("eth1");
    lab.run(1);
    expect(priority()).toBe(200);
  });

  test("together with others never lowers it below 1", () => {
    const { lab, best } = pair({ track: [port(-150), port(-150, "eth2")] });
    best.kernel.alter("eth1", down);
    best.kernel.alter("eth2", down);
    lab.run(300);
    expect(lab.adverts({ node: "best" }).at(-1)?.priority).toBe(1);
    best.kernel.alter("eth1", up);
    lab.run(300);
    expect(lab.adverts({ node: "best" }).at(-1)?.priority).toBe(50);
  });
});

describe("a tracked object whose failure is a fault", () => {
  test.each([{ families: 1 }, { families: 2 }])(
    "resigns within the skew of the backup, $families families",
    ({ families }) => {
      const shape = families === 2 ? dualStack() : {};
      const { lab, best, other } = pair({ ...shape, track: [check()] }, shape);
      best.host.report("web", false, "connection refused");
      expect(lab.adverts({ priority: 0 })).toHaveLength(families);
      expect([best.state, best.held]).toEqual(["initialize", []]);
      expect(best.transitions.at(-1)?.reason).toBe("check web failed: connection refused");
      lab.run(skewTime(3, 100, 1000) + 1);
      expect(other.state).toBe("active");
      best.host.report("web", true);
      lab.run(3220);
      expect(lab.actives).toEqual(["best"]);
    },
  );

  test("and one of several causes clears by itself: the instance waits for the last", () => {
    const { lab, best } = pair({ track: [check(), port()] });
    best.host.report("web", false, "timeout");
    best.kernel.alter("eth1", { running: false });
    lab.run(1);
    expect(best.status.reasons).toEqual(["check web failed: timeout", "interface eth1 has no carrier"]);
    best.host.report("web", true);
    expect(best.status.reasons).toEqual(["interface eth1 has no carrier"]);
    best.kernel.alter("eth1", { running: true });
    lab.run(1);
    expect(best.state).toBe("backup");
  });

  test("without a result yet keeps a node that starts waiting, not one that runs", () => {
    const { lab, best, other } = pair({ track: [check(undefined, "gateway")] }, { track: [check(undefined, "never")] });
    expect([other.state, other.status.reasons]).toEqual(["initialize", ["check never has no result yet"]]);
    best.reload({ track: [check(undefined, "gateway"), check(undefined, "new")] });
    lab.run(20_000);
    expect([best.state, best.transitions.length]).toEqual(["active", 2]);
    best.host.report("new", false);
    expect(best.state).toBe("initialize");
  });

  test("counts for an address owner, too, whose priority nothing changes", () => {
    const lab = new Lab();
    const owner = lab.node("owner", 11, { priority: 255, track: [check(-100, "a"), check(undefined, "b")] });
    owner.start();
    owner.host.report("b", true);
    owner.host.report("a", false);
    lab.run(10);
    expect([owner.state, owner.status.priority]).toEqual(["active", { base: 255, effective: 255, parts: [] }]);
    owner.host.report("b", false);
    expect(owner.state).toBe("initialize");
  });
});

describe("a router that yields", () => {
  const yielding = { track: [check(-110)], yieldOnLowerPriority: true };

  test.each([{ families: 1 }, { families: 2 }])(
    "is relieved after the backup's skew, $families families",
    ({ families }) => {
      const shape = families === 2 ? dualStack() : {};
      const { lab, best, other } = pair({ ...shape, ...yielding }, shape);
      const at = lab.now;
      best.host.report("web", false);
      expect(lab.adverts({ node: "best", from: at, family: 4 }).map(({ priority }) => priority)).toEqual([0, 90]);
      const all = best.parameters.virtualAddresses.map(({ address }) => address);
      lab.time.settled.push(() => {
        const [a, b] = [best, other].map((node) => node.held.length === all.length || node.state === "active");
        if (!a && !b) throw new Error("nobody has the addresses");
      });
      lab.run(skewTime(3, 100, 1000) + 1);
      expect(lab.actives).toEqual(["other"]);
      expect([best.held, other.held]).toEqual([[], all]);
    },
  );

  test("keeps the role when nobody is better, whatever is lost", () => {
    for (const lost of [0, 1]) {
      const { lab, best } = pair(yielding, { priority: 80 });
      lab.lan.quality = { loss: lost };
      best.host.report("web", false);
      lab.run(1);
      lab.lan.quality = { loss: 0 };
      lab.run(20_000);
      expect([lab.actives, best.transitions.length]).toEqual([["best"], 2]);
    }
  });

  test("keeps the role when a lesser one hears the 0 and not the priority after it", () => {
    const { lab, best, other } = pair(yielding, { priority: 80 });
    lab.run(550);
    const deliver = other.kernel.deliver.bind(other.kernel);
    let heard = 0;
    other.kernel.deliver = (family, bytes) => {
      if (++heard !== 2) deliver(family, bytes);
    };
    const from = lab.now;
    best.host.report("web", false);
    lab.run(20_000);
    expect(lab.adverts({ node: "best", from }).map(({ priority }) => priority)).toEqual([0, ...Array(22).fill(90)]);
    expect([lab.actives, lab.nodes.map(({ transitions }) => transitions.length)]).toEqual([["best"], [2, 1]]);
  });

  test("keeps the role when the better one must not preempt, or not yet", () => {
    for (const patience of [{ preempt: false }, { preemptDelay: 60_000 }]) {
      const { lab, best } = pair(yielding, patience);
      best.host.report("web", false);
      lab.run(20_000);
      expect([lab.actives, best.transitions.length]).toEqual([["best"], 2]);
    }
  });

  test("of three, the best takes over, and only it", () => {
    const { lab, best } = pair(yielding);
    const third = lab.node("third", 13, { priority: 150 });
    third.start();
    lab.run(5000);
    best.host.report("web", false);
    lab.run(skewTime(3, 150, 1000) + 1);
    expect(lab.actives).toEqual(["third"]);
    lab.run(20_000);
    expect(lab.nodes.map(({ transitions }) => transitions.length)).toEqual([3, 1, 2]);
  });

  test("does not flood the network when its check flaps", () => {
    const { lab, best } = pair(yielding);
    const from = lab.now;
    for (let i = 0; i < 1000; i++) {
      best.host.report("web", i % 2 === 1);
      lab.run(1);
    }
    // At most one change each 100 ms, told with at most two advertisements, beside the one on the grid.
    expect(lab.adverts({ node: "best", from }).length).toBeLessThanOrEqual(2 * 11 + 1);
    const grid = lab
      .adverts({ node: "best", from: from - 600 })
      .filter(({ at }) => Math.abs((at - from + 500) % 1000) < 1);
    expect(grid.length).toBeGreaterThanOrEqual(2);
  });
});

test("a check that flaps moves the addresses three times at most, and its node gets them back when it is quiet", () => {
  const flapDamping = { suppress: 2, reuse: 1, halfLife: 30_000 };
  const { lab, best } = pair({ track: [check()], flapDamping });
  for (let i = 0; i < 20; i++) {
    best.host.report("web", false, "timeout");
    lab.run(2000);
    best.host.report("web", true);
    lab.run(5000);
  }
  expect(best.transitions.filter(({ to }) => to === "initialize")).toHaveLength(3);
  expect([best.state, best.status.reasons]).toEqual(["initialize", ["check web flaps and is held as failing"]]);
  lab.run(65_000);
  expect([lab.actives, best.status.reasons]).toEqual([["best"], []]);
});

test("after any schedule of failures the priorities are exact, and when all is well the best is active", () => {
  const objects = ["web", "gateway", "eth1", "eth2"];
  const setting = fc.record({
    seed: fc.nat(1_000_000),
    changes: fc.array(fc.constantFrom<number | undefined>(-254, -110, -20, 30, undefined), {
      minLength: 4,
      maxLength: 4,
    }),
    yields: fc.boolean(),
    events: fc.array(fc.record({ node: fc.nat(1), object: fc.nat(3), wait: fc.nat(3000) }), { maxLength: 30 }),
  });
  fc.assert(
    fc.property(setting, ({ seed, changes, yields, events }) => {
      const lab = new Lab(seed);
      const track = objects.map((name, i) => (i < 2 ? check(changes[i], name) : port(changes[i], name)));
      const nodes = [150, 100].map((priority, i) =>
        lab.node(`n${i}`, 11 + i, { priority, track, yieldOnLowerPriority: yields }),
      );
      for (const { kernel } of nodes) for (const name of objects.slice(2)) kernel.createLink(name);
      lab.start();
      const works = nodes.map(() => objects.map(() => true));
      const set = (n: number, o: number, works: boolean) => {
        const node = nodes[n];
        const name = objects[o] ?? "";
        if (o < 2) node?.host.report(name, works);
        else node?.kernel.alter(name, works ? up : down);
      };
      for (const n of [0, 1]) for (const o of [0, 1]) set(n, o, true);
      lab.run(5000);
      for (const { node, object, wait } of events) {
        const states = works[node] ?? [];
        states[object] = states[object] !== true;
        set(node, object, states[object] === true);
        lab.run(wait);
      }
      lab.run(10);
      for (const [n, node] of nodes.entries()) {
        const sum = changes.reduce<number>((total, change = 0, o) => {
          const fails = works[n]?.[o] === false;
          return total + (fails === change < 0 ? change : 0);
        }, node.parameters.priority);
        expect(node.status.priority.effective).toBe(Math.min(Math.max(sum, 1), 254));
      }
      for (const n of [0, 1]) for (const o of [0, 1, 2, 3]) set(n, o, true);
      lab.run(9000);
      const bonus = changes.reduce<number>((total, change = 0) => total + Math.max(change, 0), 0);
      expect(nodes.map(({ status }) => status.priority.effective)).toEqual(
        [150, 100].map((priority) => Math.min(priority + bonus, 254)),
      );
      expect(lab.actives).toEqual(["n0"]);
    }),
    { numRuns: 40, ...explore },
  );
});
