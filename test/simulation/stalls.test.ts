/** Processes that are stopped, machines that are paused or suspended: who listens, who speaks, who holds the address. */
import { describe, expect, test } from "vitest";
import type { StallEvent } from "../../src/vrrp/status.ts";
import { Lab, type Node } from "../support/simulated-lab.ts";
import { dualStack } from "../vrrp/samples.ts";

function stallsOf(node: Node): StallEvent[] {
  return node.host.events.filter((event) => event.type === "stall");
}

describe("a process that does not run for a while", () => {
  test("counts from the arrival of what it reads late, not from the reading", () => {
    const lab = new Lab();
    const [best, other] = [lab.node("best", 11, { priority: 200 }), lab.node("other", 12)];
    other.delays = { timer: () => 0, wake: () => 400 };
    lab.start();
    lab.run(10_000);
    best.crash();
    lab.run(5000);
    expect(lab.takeover(best, other)).toBeCloseTo(3609.375, 0);
  });

  test("as backup: packets are read before an overdue timer is believed", () => {
    let stalls = 0;
    for (let seed = 1; seed <= 20; seed++) {
      const lab = new Lab(seed);
      const [active, backup] = [lab.node("active", 11, { priority: 200 }), lab.node("backup", 12)];
      lab.start();
      lab.run(10_000);
      backup.pause();
      lab.run(10_000 + 100 * seed);
      backup.resume();
      lab.run(30_000);
      expect(lab.adverts({ node: "backup" })).toEqual([]);
      expect(backup.transitions.map(({ to }) => to)).toEqual(["backup"]);
      expect(active.transitions.map(({ to }) => to)).toEqual(["backup", "active"]);
      stalls += backup.host.stalls.count;
    }
    // Whether the timer comes first or the packets.
    expect(stalls).toBe(20);
  });

  test("as active with the lower rank: it gives way without an advertisement", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const lab = new Lab(seed);
      const [lower, higher] = [
        lab.node("lower", 11, { preempt: false }),
        lab.node("higher", 12, { priority: 150, preempt: false }),
      ];
      lower.start();
      lab.run(4000);
      higher.start();
      lab.run(4000);
      expect(lab.actives).toEqual(["lower"]);
      lower.pause();
      lab.run(4600);
      const resumed = lab.now;
      lower.resume();
      lab.run(10_000);
      expect(lab.actives).toEqual(["higher"]);
      expect(lower.held).toEqual([]);
      expect(lab.adverts({ node: "lower", from: resumed })).toEqual([]);
    }
  });

  test("as active with the higher rank: it listens, and takes the role back without two being active", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const lab = new Lab(seed);
      const [best, other] = [lab.node("best", 11, { priority: 200 }), lab.node("other", 12)];
      lab.start();
      lab.run(10_000);
      best.pause();
      lab.run(4000 + 50 * seed);
      expect(other.state).toBe("active");
      best.resume();
      lab.run(5);
      expect([lab.actives, best.held]).toEqual([["other"], []]);
      const resumed = lab.now;
      lab.run(1300);
      expect([lab.actives, best.held, other.held]).toEqual([["best"], ["192.0.2.1"], []]);
      expect((lab.adverts({ node: "best", from: resumed })[0]?.at ?? 0) - resumed).toBeCloseTo(1218.75 - 5, 0);
      expect(best.transitions.at(-1)?.reason).toMatch(/^preempting 192\.0\.2\.12/);
    }
  });

  test("as the only one: the role is interrupted for an interval and a skew, addresses come back", () => {
    const lab = new Lab();
    const alone = lab.node("alone", 11);
    alone.start();
    lab.run(4000);
    alone.pause();
    lab.run(20_000);
    expect(alone.held).toEqual([]);
    const announced = lab.lan.announcements.length;
    alone.resume();
    lab.run(5);
    expect(alone.state).toBe("backup");
    lab.run(1609.375);
    expect([alone.state, alone.held]).toEqual(["active", ["192.0.2.1"]]);
    expect(lab.lan.announcements.length).toBeGreaterThan(announced);
  });

  test("as the address owner: it goes on, nobody else may have the role", () => {
    const lab = new Lab();
    const owner = lab.node("owner", 11, { priority: 255 });
    owner.start();
    lab.run(4000);
    owner.pause();
    lab.run(20_000);
    const resumed = lab.now;
    owner.resume();
    lab.run(5);
    expect(owner.state).toBe("active");
    expect(lab.adverts({ node: "owner", from: resumed })).toHaveLength(1);
  });

  test("as active, shorter than the down interval: one late advertisement, no change", () => {
    const lab = new Lab();
    const [best, other] = [lab.node("best", 11, { priority: 200 }), lab.node("other", 12)];
    lab.start();
    lab.run(10_000);
    best.pause();
    lab.run(2000);
    best.resume();
    lab.run(5000);
    expect(best.transitions.map(({ to }) => to)).toEqual(["backup", "active"]);
    expect(other.transitions.map(({ to }) => to)).toEqual(["backup"]);
  });

  test("both families of an instance listen and come back together", () => {
    const lab = new Lab();
    const alone = lab.node("alone", 11, dualStack());
    alone.start();
    lab.run(4000);
    alone.pause();
    lab.run(4000);
    alone.resume();
    lab.run(5);
    expect(alone.status.routers.map(({ state }) => state)).toEqual(["backup", "backup"]);
    lab.run(1610);
    expect(alone.status.routers.map(({ state }) => state)).toEqual(["active", "active"]);
  });
});

describe("a host that is late each time", () => {
  const late = { timer: () => 600, wake: () => 0 };

  test("alone it becomes active, and stays so", () => {
    const lab = new Lab();
    const alone = lab.node("alone", 11);
    alone.delays = late;
    alone.start();
    lab.run(8000);
    expect(alone.transitions.map(({ to }) => to)).toEqual(["backup", "active"]);
    lab.run(60_000);
    expect(alone.transitions.map(({ to }) => to)).toEqual(["backup", "active"]);
  });

  test("as backup it takes over when the active router dies, and not before", () => {
    const lab = new Lab();
    const [best, other] = [lab.node("best", 11, { priority: 200 }), lab.node("other", 12)];
    other.delays = late;
    lab.start();
    lab.run(60_000);
    expect(other.transitions.map(({ to }) => to)).toEqual(["backup"]);
    best.crash();
    lab.run(8000);
    expect(lab.actives).toEqual(["other"]);
  });
});

/** With its network: nothing queues up. */
function freeze(lab: Lab, node: Node): void {
  node.pause();
  for (const other of lab.nodes) lab.lan.cut(other.name, node.name);
}

function thaw(lab: Lab, node: Node): void {
  lab.lan.heal();
  node.resume();
}

describe("a machine that is paused with its network", () => {
  test.each([500, 1500, 3000, 3500, 3700, 9000])("as backup, for %d ms: it never takes over", (duration) => {
    for (let seed = 1; seed <= 20; seed++) {
      const lab = new Lab(seed);
      const [, backup] = [lab.node("active", 11, { priority: 200 }), lab.node("backup", 12)];
      lab.start();
      lab.run(10_000 + 50 * seed);
      freeze(lab, backup);
      lab.run(duration);
      thaw(lab, backup);
      lab.run(10_000);
      expect(lab.adverts({ node: "backup" })).toEqual([]);
    }
  });

  test("as backup, while the active router dies: it takes over after it has listened", () => {
    const lab = new Lab();
    const [active, backup] = [lab.node("active", 11, { priority: 200 }), lab.node("backup", 12)];
    lab.start();
    lab.run(10_000);
    freeze(lab, backup);
    active.crash();
    lab.run(20_000);
    thaw(lab, backup);
    const resumed = lab.now;
    lab.run(5000);
    expect((lab.adverts({ node: "backup" })[0]?.at ?? 0) - resumed).toBeCloseTo(1609.375, 0);
  });

  test("as active without preemption: it finds the other one active and stays away", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const lab = new Lab(seed);
      const [best, other] = [
        lab.node("best", 11, { priority: 200, preempt: false }),
        lab.node("other", 12, { preempt: false }),
      ];
      lab.start();
      lab.run(10_000);
      freeze(lab, best);
      lab.run(4500 + 50 * seed);
      expect(other.state).toBe("active");
      const resumed = lab.now;
      thaw(lab, best);
      lab.run(10_000);
      expect(lab.adverts({ node: "best", from: resumed })).toEqual([]);
      expect([lab.actives, best.held]).toEqual([["other"], []]);
    }
  });
});

test("one stall is told once, whatever the number of routers, with its begin, its end and the part spent suspended", () => {
  const lab = new Lab();
  const many = Array.from({ length: 20 }, (_, i) => ({ name: `i${i}`, vrid: i + 1 }));
  const node = lab.node("node", 11, ...many);
  node.start();
  lab.run(10_000);
  node.pause();
  node.kernel.suspended += 5000;
  lab.run(6000);
  node.resume();
  lab.run(100);
  const [stall] = stallsOf(node);
  expect(stallsOf(node)).toHaveLength(1);
  expect(stall).toMatchObject({ suspended_ms: 5000, ended: "1970-02-01T00:00:16.000Z" });
  expect(stall?.duration_ms).toBeGreaterThan(5000);
  expect(stall?.duration_ms).toBeLessThanOrEqual(6000);
  expect(stall?.message).toMatch(/^the VRRP process was not run for 5\.\d+ s: this machine was suspended for 5\.00 s$/);
  expect(node.host.stalls).toMatchObject({ count: 1, last: { suspended_ms: 5000 } });
});

test("steps of the wall clock change time stamps and nothing else", () => {
  const steps = [3_600_000, -3_600_000, ...Array.from({ length: 10 }, () => 1000), -1, -86_400_000];
  const play = (stepped: boolean) => {
    const lab = new Lab();
    const [best, other] = [lab.node("best", 11, { priority: 200 }), lab.node("other", 12)];
    lab.start();
    for (const step of steps) {
      lab.run(700);
      if (stepped) for (const node of lab.nodes) node.kernel.wallClockOffset += step;
    }
    best.crash();
    lab.run(10_000);
    return {
      adverts: lab.adverts(),
      moves: other.transitions,
      stamps: other.status.transitions.map(({ at }) => at),
      stalls: other.host.stalls.count,
    };
  };
  const [steady, stepped] = [play(false), play(true)];
  expect(stepped.adverts).toEqual(steady.adverts);
  expect([stepped.moves, stepped.stalls]).toEqual([steady.moves, 0]);
  expect(stepped.stamps).not.toEqual(steady.stamps);
});
