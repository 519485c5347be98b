/**
 * Two instances in a group, one over IPv4 and one over IPv6: two networks as far as VRRP is concerned, which can be cut
 * one by one.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { InstanceParameters, SyncGroupParameters, Track } from "../../src/vrrp/parameters.ts";
import type { StateName } from "../../src/vrrp/status.ts";
import { skewTime } from "../../src/vrrp/timing.ts";
import { SimulatedKernel } from "../support/simulated-kernel.ts";
import { Lab, type Node } from "../support/simulated-lab.ts";
import { instance, virtualAddress } from "../vrrp/samples.ts";

const { RUNS } = process.env;
const explore = RUNS === undefined ? { seed: 20_240_502 } : { numRuns: Number(RUNS) };

const check = (name: string, priority?: number): Track => ({
  what: "check",
  name,
  ...(priority === undefined ? {} : { priority }),
  reverse: false,
});
const edge: SyncGroupParameters = { name: "edge", members: ["out", "in"], track: [], memberWeights: false };
const out = { name: "out", families: [4] as const, virtualAddresses: [virtualAddress("192.0.2.1")] };
const inside = { name: "in", families: [6] as const, virtualAddresses: [virtualAddress("fe80::51")] };

interface Settings {
  readonly out?: Partial<InstanceParameters>;
  readonly in?: Partial<InstanceParameters>;
  readonly group?: Partial<SyncGroupParameters>;
}

function node(
  lab: Lab,
  name: string,
  number: number,
  priority: number,
  settings: Settings = {},
  linkLocal?: string,
): Node {
  const added = lab.add(
    new SimulatedKernel(name, number, lab.lan, linkLocal),
    { ...out, priority, ...settings.out },
    { ...inside, priority, ...settings.in },
  );
  added.groups = [{ ...edge, ...settings.group }];
  return added;
}

function states({ host }: Node): StateName[] {
  return ["out", "in"].map((name) => host.instances.get(name)?.state ?? "initialize");
}

function group({ host }: Node) {
  const [first] = host.groups.status();
  if (first === undefined) throw new Error("there is no group");
  return first;
}

function told({ host }: Node): string[] {
  return host.events.flatMap((event) =>
    event.type === "group_transition" ? [`${event.from} → ${event.to}: ${event.reason}`] : [],
  );
}

function reasonsOf({ host }: Node, name: string): string[] {
  return host.events.flatMap((event) => (event.type === "transition" && event.instance === name ? [event.reason] : []));
}

/** `best` with 200 is active, half an interval after its last advertisement; `other` has 100. */
function pair(settings: Settings = {}, others: Settings = settings): { lab: Lab; best: Node; other: Node } {
  const lab = new Lab();
  const best = node(lab, "best", 11, 200, settings);
  const other = node(lab, "other", 12, 100, others);
  lab.start();
  for (const { host } of [best, other]) for (const name of ["a", "b"]) host.report(name, true);
  lab.run(10_000);
  const last = lab.adverts({ node: "best" }).at(-1)?.at ?? 0;
  lab.run(last + 500 - lab.now);
  return { lab, best, other };
}

const watched = { out: { track: [check("a")] }, in: { track: [check("b")] } };

test("members start together, and the group tells its transitions", () => {
  const { best, other } = pair();
  expect([states(best), states(other)]).toEqual([
    ["active", "active"],
    ["backup", "backup"],
  ]);
  expect([group(best).state, group(other).state]).toEqual(["active", "backup"]);
  expect(told(best).map((text) => text.split(":")[0])).toEqual(["initialize → backup", "backup → active"]);
  const starts = best.host.events.filter((event) => event.type === "transition" && event.to === "backup");
  expect(starts).toHaveLength(2);
  expect(new Set(starts.map(({ at }) => at)).size).toBe(1);
});

test("members whose devices with virtual MAC addresses are still to be made start together, and none calls it a fault", () => {
  const lab = new Lab();
  const best = node(lab, "best", 11, 200, {
    out: { virtualMac: { device4: "vrrp.51", sendFromBase: false } },
    in: { vrid: 52, virtualMac: { device6: "vrrp6.52", sendFromBase: false } },
  });
  best.start();
  expect(group(best).state).toBe("initialize");
  lab.run(10_000);
  const kinds = best.host.events.map((event) => (event.type === "transition" ? event.to : event.type));
  expect(kinds).toEqual(["backup", "backup", "group_transition", "active", "active", "group_transition"]);
});

test("a fault of one member makes all resign at once; the other node takes over after its skew; then all return", () => {
  const { lab, best, other } = pair(watched);
  best.host.report("b", false, "timeout");
  expect(states(best)).toEqual(["initialize", "initialize"]);
  expect(lab.adverts({ node: "best", priority: 0 }).map(({ family }) => family)).toEqual([6, 4]);
  expect(reasonsOf(best, "in").at(-1)).toBe("check b failed: timeout");
  expect(reasonsOf(best, "out").at(-1)).toBe("sync group edge: in: check b failed: timeout");
  expect(told(best).at(-1)).toBe("active → initialize: in: check b failed: timeout");
  expect(group(best)).toMatchObject({
    state: "initialize",
    reasons: ["in: check b failed: timeout"],
    members: [
      { name: "out", blocks: null },
      { name: "in", blocks: "check b failed: timeout" },
    ],
  });
  lab.run(skewTime(3, 100, 1000) + 1);
  expect(states(other)).toEqual(["active", "active"]);
  // A second cause in the other member: the first alone does not bring them back.
  best.host.report("a", false);
  best.host.report("b", true);
  expect(states(best)).toEqual(["initialize", "initialize"]);
  best.host.report("a", true);
  expect(states(best)).toEqual(["backup", "backup"]);
  lab.run(3220);
  expect([states(best), states(other)]).toEqual([
    ["active", "active"],
    ["backup", "backup"],
  ]);
});

test("a network that is cut on one side only moves nothing, and it is told who keeps whom waiting", () => {
  const { lab, best, other } = pair();
  lab.lan.cut("best", "other", 6);
  lab.run(30_000);
  expect([states(best), states(other)]).toEqual([
    ["active", "active"],
    ["backup", "backup"],
  ]);
  expect(lab.adverts({ node: "other" })).toEqual([]);
  expect(other.host.logs.map(({ message }) => message)).toContain(
    "willing to become active, waiting for out (192.0.2.11 is active there)",
  );
  expect(group(other).members).toEqual([
    { name: "out", state: "backup", blocks: "192.0.2.11 is active, priority 200" },
    { name: "in", state: "backup", blocks: null },
  ]);
  const willing = [...other.host.instances.values()].map((each) => each.status().routers[0]?.willing);
  expect(willing).toEqual([false, true]);
});

test("a better router on one network makes all give way, and all come back together", () => {
  const { lab, best } = pair();
  const rival = lab.node("rival", 13, { ...inside, priority: 250 });
  rival.start();
  lab.run(4000);
  expect(states(best)).toEqual(["backup", "backup"]);
  expect(reasonsOf(best, "out").at(-1)).toBe(
    "sync group edge: in lost the role: fe80::d has priority 250, above our 200",
  );
  rival.stop();
  lab.run(8000);
  expect(states(best)).toEqual(["active", "active"]);
});

test("equal priorities: the first member decides for both networks, though the addresses there say otherwise", () => {
  const lab = new Lab();
  const left = node(lab, "left", 21, 100, {}, "fe80::11");
  const right = node(lab, "right", 12, 100, {}, "fe80::99");
  lab.start();
  lab.lan.partition(["left"], ["right"]);
  lab.run(10_000);
  lab.lan.heal();
  lab.run(1010);
  expect([states(left), states(right)]).toEqual([
    ["active", "active"],
    ["backup", "backup"],
  ]);
});

test("a member that gives way to whoever took its address takes the others with it", () => {
  const { lab, best, other } = pair({ out: { onRemoval: "yield" } });
  best.kernel.deleteByHand("192.0.2.1");
  lab.run(400);
  expect(states(best)).toEqual(["backup", "backup"]);
  expect(lab.adverts({ node: "best", priority: 0 }).map(({ family }) => family)).toEqual([4, 6]);
  expect(
    told(best)
      .slice(-2)
      .map((text) => text.split(":")[0]),
  ).toEqual(["active → initialize", "initialize → backup"]);
  expect(reasonsOf(best, "in").at(-2)).toMatch(/^sync group edge: out: .*; on_removal: yield$/);
  lab.run(skewTime(3, 100, 1000));
  expect(states(other)).toEqual(["active", "active"]);
});

describe("what the group tracks", () => {
  test("is a fault of all, or changes the priority of all", () => {
    const { lab, best } = pair({ group: { track: [check("a"), check("b", -150)] } });
    const at = lab.now;
    best.host.report("b", false, "timeout");
    const priorities = ["out", "in"].map((name) => best.host.instances.get(name)?.status().priority);
    for (const priority of priorities) {
      expect(priority).toEqual({ base: 200, effective: 50, parts: [{ name: "check b (sync group)", change: -150 }] });
    }
    expect(lab.adverts({ node: "best", from: at }).map(({ priority }) => priority)).toEqual([50, 50]);
    best.host.report("a", false);
    expect(best.status.reasons).toEqual(["sync group edge: check a failed"]);
    expect(group(best).reasons[0]).toBe("check a failed");
  });

  test("with yield_on_lower_priority hands the whole group over within the skew", () => {
    const yields = { yieldOnLowerPriority: true };
    const { lab, best, other } = pair({ out: yields, in: yields, group: { track: [check("b", -150)] } });
    best.host.report("b", false);
    lab.run(skewTime(3, 100, 1000) + 1);
    expect([states(best), states(other)]).toEqual([
      ["backup", "backup"],
      ["active", "active"],
    ]);
  });
});

describe("a reload", () => {
  const alone = () => {
    const lab = new Lab();
    const best = node(lab, "best", 11, 200);
    best.groups = [];
    best.start();
    lab.run(10_000);
    return { lab, best };
  };

  test("that makes or dissolves a group moves nothing", () => {
    const { lab, best } = alone();
    const before = best.host.events.filter(({ type }) => type === "transition").length;
    const uplink: Track = { what: "interface", name: "eth1", reverse: false };
    best.kernel.createLink("eth1");
    lab.run(1);
    // A check without a result yet is no reason to let go either.
    best.host.groups.configure([{ ...edge, track: [uplink, check("a"), check("b", -150)] }]);
    lab.run(10_000);
    expect([states(best), group(best).state]).toEqual([["active", "active"], "active"]);
    expect(best.status.priority.effective).toBe(200);
    best.host.groups.configure([{ ...edge, members: ["out"] }]);
    best.host.groups.configure([]);
    lab.run(10_000);
    expect(states(best)).toEqual(["active", "active"]);
    expect(best.host.events.filter(({ type }) => type === "transition")).toHaveLength(before);
  });

  test("that adds a new member lets it join after its own down interval, and one that removes it disturbs nobody", () => {
    const lab = new Lab();
    const best = lab.node("best", 11, { ...out, priority: 200 });
    best.groups = [{ ...edge, members: ["out"] }];
    best.start();
    lab.run(10_000);
    best.host.groups.configure([edge]);
    best.host.configure(instance({ ...inside, priority: 200 }));
    lab.run(3230);
    expect([states(best), group(best).state]).toEqual([["active", "active"], "active"]);
    best.host.remove("in", "removed from the configuration");
    best.host.groups.configure([{ ...edge, members: ["out"] }]);
    lab.run(5000);
    expect([best.state, best.transitions.length]).toEqual(["active", 2]);
    expect(told(best).filter((text) => text.startsWith("active"))).toEqual([
      "active → backup: in: everything it needs is there",
    ]);
  });

  test("that removes the member with the fault lets the others run", () => {
    const { lab, best } = pair(watched);
    best.host.report("b", false);
    best.host.groups.configure([{ ...edge, members: ["out"] }]);
    lab.run(4000);
    expect(states(best)).toEqual(["active", "initialize"]);
    best.host.groups.configure([edge]);
    expect(states(best)).toEqual(["initialize", "initialize"]);
  });

  test("that groups instances which different nodes hold ends with one node holding all", () => {
    const lab = new Lab();
    const [a, b] = [
      node(lab, "a", 11, 0, { out: { priority: 200 }, in: { priority: 50 } }),
      node(lab, "b", 12, 0, { out: { priority: 100 }, in: { priority: 150 } }),
    ];
    for (const each of [a, b]) each.groups = [];
    lab.start();
    lab.run(10_000);
    expect([states(a), states(b)]).toEqual([
      ["active", "backup"],
      ["backup", "active"],
    ]);
    for (const { host } of [a, b]) {
      host.groups.configure([edge]);
      lab.run(500);
    }
    lab.run(30_000);
    expect([group(a).state, group(b).state].sort()).toEqual(["active", "backup"]);
    expect([...states(a), ...states(b)].filter((state) => state === "active")).toHaveLength(2);
  });
});

test("a stop tells each member that viprd is stopping, and the group once", () => {
  const { lab, best, other } = pair();
  best.stop();
  expect(["out", "in"].map((name) => reasonsOf(best, name).at(-1))).toEqual(["viprd is stopping", "viprd is stopping"]);
  expect(told(best).filter((text) => text.includes("stopping"))).toHaveLength(1);
  lab.run(skewTime(3, 100, 1000) + 1);
  expect(states(other)).toEqual(["active", "active"]);
});

test("whatever happens, when it is quiet no group is half active, and one node holds all", () => {
  const actions = ["a", "b", "stop", "start", "crash", "cut4", "cut6", "mend", "unplug", "plug"] as const;
  const setting = fc.record({
    seed: fc.nat(1_000_000),
    priorities: fc.array(fc.constantFrom(50, 100, 100, 200), { minLength: 3, maxLength: 3 }),
    preempt: fc.boolean(),
    yields: fc.boolean(),
    events: fc.array(fc.record({ node: fc.nat(2), what: fc.constantFrom(...actions), wait: fc.nat(4000) }), {
      maxLength: 25,
    }),
  });
  fc.assert(
    fc.property(setting, ({ seed, priorities, preempt, yields, events }) => {
      const lab = new Lab(seed);
      const common = { preempt, yieldOnLowerPriority: yields };
      const nodes = priorities.map((priority, i) =>
        node(lab, `n${i}`, 11 + i, priority, {
          out: { ...common, track: [check("a")] },
          in: common,
          group: { track: [check("b", -120)] },
        }),
      );
      const works = nodes.map(() => new Map<string, boolean>());
      const report = (i: number) => {
        const { running, host } = nodes[i] ?? { running: false };
        if (running) for (const name of ["a", "b"]) host?.report(name, works[i]?.get(name) !== false);
      };
      const start = () => {
        lab.start();
        for (const i of nodes.keys()) report(i);
      };
      start();
      lab.run(5000);
      for (const { node: i, what, wait } of events) {
        const each = nodes[i];
        if (each === undefined) continue;
        const others = nodes.filter((other) => other !== each).map(({ name }) => name);
        if (what === "a" || what === "b") works[i]?.set(what, works[i]?.get(what) === false);
        if (what === "stop") each.stop();
        if (what === "crash") each.crash();
        if (what === "start") each.start();
        if (what === "cut4" || what === "cut6") {
          for (const other of others) lab.lan.cut(each.name, other, what === "cut4" ? 4 : 6);
        }
        if (what === "mend") lab.lan.heal();
        if (what === "unplug" || what === "plug") each.kernel.setCarrier(what === "plug");
        report(i);
        lab.run(wait);
      }
      lab.lan.heal();
      for (const { kernel } of nodes) kernel.setCarrier(true);
      for (const each of works) each.clear();
      start();
      lab.run(20_000);
      const found = nodes.map((each) => states(each));
      expect(found.filter((each) => each.every((state) => state === "active"))).toHaveLength(1);
      expect(found.filter((each) => each.every((state) => state === "backup"))).toHaveLength(2);
      const active = nodes.find(({ state }) => state === "active");
      if (preempt) expect(active?.parameters.priority).toBe(Math.max(...priorities));
      const before = nodes.map(({ host }) => host.events.length);
      lab.run(10_000);
      expect(nodes.map(({ host }) => host.events.length)).toEqual(before);
    }),
    { numRuns: 60, ...explore },
  );
});

test("a network card with a hundred members fails and recovers: each tells its own fault, none repeats those of all", () => {
  const lab = new Lab();
  const names = Array.from({ length: 100 }, (_, i) => `v${i}`);
  const members = names.map((name, i) => ({
    ...out,
    name,
    vrid: i + 1,
    virtualAddresses: [virtualAddress(`192.0.2.${i + 100}`)],
    track: [check(name)],
  }));
  const many = lab.add(new SimulatedKernel("many", 11, lab.lan), ...members);
  many.groups = [{ ...edge, members: names }];
  many.start();
  for (const name of names) many.host.report(name, true);
  lab.run(10_000);
  expect(group(many).state).toBe("active");

  const before = many.host.events.length;
  for (const name of names) many.host.report(name, false);
  lab.run(1000);
  for (const name of names) many.host.report(name, true);
  lab.run(1000);
  expect(group(many).state).toBe("backup");
  // To initialize, its own fault, the faults of others, to backup.
  expect(many.host.events.length - before).toBeLessThan(5 * names.length);
});
