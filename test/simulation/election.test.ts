import { expect, test } from "vitest";
import { Lab } from "../support/simulated-lab.ts";
import { dualStack, virtualAddress } from "../vrrp/samples.ts";

test("cold start: the better router speaks first, Active_Down_Interval after its start; the other one never", () => {
  const lab = new Lab();
  const better = lab.node("better", 11, { priority: 200 });
  const other = lab.node("other", 12);
  lab.start();
  lab.run(60_000);
  expect(lab.adverts()[0]?.at).toBeCloseTo(3218.75, 6);
  expect(lab.adverts({ node: "other" })).toEqual([]);
  expect([better.held, other.held]).toEqual([["192.0.2.1"], []]);
  expect(lab.adverts()).toHaveLength(57);
  expect(other.status.counters.adverts_received).toBe(57);
});

test.each([
  [1000, 3218.75],
  [5000, 15_218.75],
])("cold start in version 2 with %d ms: the skew does not grow with the interval", (advertisementInterval, first) => {
  const lab = new Lab();
  lab.node("better", 11, { version: 2, priority: 200, advertisementInterval });
  lab.node("other", 12, { version: 2, advertisementInterval });
  lab.start();
  lab.run(20_000);
  expect(lab.adverts()[0]).toMatchObject({ node: "better", version: 2, interval: advertisementInterval });
  expect(lab.adverts()[0]?.at).toBeCloseTo(first, 6);
});

test.each([
  [100, 3609.375],
  [1, 3996.09375],
  [254, 3007.8125],
])("a router of priority %d that is alone becomes active after its own down interval", (priority, first) => {
  const lab = new Lab();
  lab.node("alone", 11, { priority });
  lab.start();
  lab.run(5000);
  expect(lab.adverts()[0]?.at).toBeCloseTo(first, 6);
});

test("the first thing told on the wire is an advertisement; the addresses are there before they are announced", () => {
  const lab = new Lab();
  const node = lab.node("a", 11, dualStack());
  const missing: string[] = [];
  const sendFrame = lab.lan.sendFrame.bind(lab.lan);
  lab.lan.sendFrame = (from, frame) => {
    const before = lab.lan.announcements.length;
    sendFrame(from, frame);
    const announced = lab.lan.announcements[before]?.address;
    if (announced !== undefined && !node.held.includes(announced)) missing.push(announced);
  };
  lab.start();
  lab.run(5000);
  const first = lab.adverts()[0]?.at ?? 0;
  expect(lab.lan.announcements[0]?.at).toBeGreaterThanOrEqual(first);
  expect(missing).toEqual([]);
  const inTheFirstSecond = lab.lan.announcements.filter(({ at }) => at < first + 1000).map(({ address }) => address);
  expect(inTheFirstSecond.sort()).toEqual([
    ...["192.0.2.1", "192.0.2.1", "192.0.2.1"],
    ...["2001:db8::51", "2001:db8::51", "2001:db8::51"],
    ...["fe80::51", "fe80::51", "fe80::51"],
  ]);
});

test("a late joiner of lower priority stays silent", () => {
  const lab = new Lab();
  const active = lab.node("active", 11, { priority: 200 });
  const joiner = lab.node("joiner", 12);
  lab.start(active);
  lab.run(10_400);
  lab.start(joiner);
  lab.run(60_000);
  expect(lab.adverts({ node: "joiner" })).toEqual([]);
  expect(joiner.status.counters.adverts_received).toBe(60);
});

test("a late joiner of higher priority preempts after its own down interval; the other one leaves without priority 0", () => {
  const lab = new Lab();
  const former = lab.node("former", 12);
  const joiner = lab.node("joiner", 11, { priority: 200 });
  lab.start(former);
  lab.run(10_400);
  lab.start(joiner);
  lab.run(60_000);
  expect((lab.adverts({ node: "joiner" })[0]?.at ?? 0) - 10_400).toBeCloseTo(3218.75, 6);
  expect(former.transitions.at(-1)?.at).toBeLessThan(10_400 + 3218.75 + 1);
  expect(former.transitions.at(-1)).toMatchObject({
    to: "backup",
    reason: "192.0.2.11 has priority 200, above our 100",
  });
  expect(joiner.transitions.at(-1)).toMatchObject({
    to: "active",
    reason: "preempting 192.0.2.12: its priority 100 is below our 200",
  });
  expect(lab.adverts({ priority: 0 })).toEqual([]);
  expect(joiner.status.routers[0]?.new_active_reason).toBe("preempted");
});

test("a tie at cold start leaves one router", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const lab = new Lab(seed);
    const [a, b] = [lab.node("a", 11), lab.node("b", 12)];
    for (const node of [a, b]) node.delays = { timer: () => lab.time.between(0, 0.5), wake: () => 0.02 };
    a.start();
    lab.run(lab.time.between(0, 1));
    b.start();
    lab.run(3609.375 + 100);
    expect(lab.actives).toHaveLength(1);
    const [winner] = lab.actives;
    lab.run(60_000);
    expect(lab.actives).toEqual([winner]);
  }
});

test("a tie does not move the role to a late joiner, whatever its address", () => {
  const lab = new Lab();
  const [first, joiner] = [lab.node("first", 11), lab.node("joiner", 12)];
  first.start();
  lab.run(10_000);
  joiner.start();
  lab.run(60_000);
  expect(lab.actives).toEqual(["first"]);
  expect(joiner.transitions.map(({ to }) => to)).toEqual(["backup"]);
});

test.each([[[4]], [[6]]] as const)(
  "of two active routers with the same priority the higher address stays (IPv%s)",
  (families) => {
    const lab = new Lab();
    const parameters = { ...dualStack(), families };
    // 0x7f and 0x80: compared as unsigned numbers.
    const [lower, higher] = [lab.node("lower", 0x7f, parameters), lab.node("higher", 0x80, parameters)];
    lab.start();
    lab.lan.partition(["lower"], ["higher"]);
    lab.run(10_000);
    expect(lab.actives).toEqual(["lower", "higher"]);
    lab.lan.heal();
    lab.run(1001);
    expect(lab.actives).toEqual(["higher"]);
    expect(higher.transitions.map(({ to }) => to)).toEqual(["backup", "active"]);
    expect(lower.held).toEqual([]);
  },
);

test("of three routers only the best one ever speaks", () => {
  const lab = new Lab();
  for (const [i, priority] of [200, 150, 100].entries()) lab.node(`r${i}`, 11 + i, { priority });
  lab.start();
  lab.run(30_000);
  expect(new Set(lab.adverts().map(({ node }) => node))).toEqual(new Set(["r0"]));
});

test("the address owner is active at once and always preempts", () => {
  for (const preempt of [true, false]) {
    const lab = new Lab();
    const other = lab.node("other", 12, { preempt });
    const owner = lab.node("owner", 11, { priority: 255, preempt });
    owner.kernel.addByHand("192.0.2.1", 24);
    other.start();
    lab.run(10_400);
    owner.start();
    lab.run(100);
    expect(lab.actives).toEqual(["owner"]);
    expect(lab.adverts({ node: "owner" })[0]).toMatchObject({ at: 10_400, priority: 255 });
    expect(lab.lan.neighbors.get("192.0.2.1")).toBe("02:00:00:00:00:0b");
    // Its address is its own: it is neither leased nor taken away.
    owner.stop();
    expect(owner.held).toEqual(["192.0.2.1"]);
  }
});

test("two address owners that process what they hear leave one active, two that discard do not", () => {
  for (const [ownerConflict, actives] of [
    ["process", ["b"]],
    ["discard", ["a", "b"]],
  ] as const) {
    const lab = new Lab();
    const nodes = [
      lab.node("a", 11, { priority: 255, ownerConflict }),
      lab.node("b", 12, { priority: 255, ownerConflict }),
    ];
    lab.start();
    lab.run(30_000);
    expect(lab.actives).toEqual(actives);
    if (ownerConflict === "discard") expect(nodes[0]?.status.counters.rejected).toEqual({ owner: 30 });
  }
});

test("two virtual routers on one LAN share the load, and one node takes over both", () => {
  const lab = new Lab();
  const second = { name: "second", vrid: 52, virtualAddresses: [virtualAddress("192.0.2.2")] };
  const a = lab.node("a", 11, { priority: 200 }, { ...second, priority: 100 });
  const b = lab.node("b", 12, { priority: 100 }, { ...second, priority: 200 });
  lab.start();
  lab.run(10_000);
  const states = (name: string) => [a, b].map(({ host }) => host.instances.get(name)?.state);
  expect([states("web"), states("second")]).toEqual([
    ["active", "backup"],
    ["backup", "active"],
  ]);
  b.crash();
  lab.run(3610);
  expect(a.kernel.addresses()).toEqual(expect.arrayContaining(["192.0.2.1", "192.0.2.2"]));
  expect(lab.adverts({ node: "a", vrid: 51 }).length).toBeGreaterThan(9);
});
