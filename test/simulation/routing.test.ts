import { describe, expect, test } from "vitest";
import type { Route } from "../../src/netlink/route.ts";
import { toRoute } from "../../src/vrrp/route-entry.ts";
import type { RouteParameters, RuleParameters } from "../../src/vrrp/routing-parameters.ts";
import { toRule } from "../../src/vrrp/rule-entry.ts";
import { formatAddress } from "../../src/wire/address.ts";
import { Lab, type Node } from "../support/simulated-lab.ts";
import { dualStack, type instance } from "../vrrp/samples.ts";

function route(destination: string, changes: Partial<RouteParameters> = {}): RouteParameters {
  return {
    family: 4,
    type: "unicast",
    destination,
    prefixLength: 24,
    nextHops: [{ gateway: "192.0.2.254", device: "eth0", weight: 1, onlink: false }],
    table: 100,
    metric: 0,
    tos: 0,
    scope: 0,
    ...changes,
  };
}

function rule(priority: number, changes: Partial<RuleParameters> = {}): RuleParameters {
  return { family: 4, priority, not: false, tos: 0, action: "table", table: 100, ...changes };
}

const routes = [route("198.51.100.0", { preferredSource: "192.0.2.1" }), route("198.51.101.0")];
const rules = [rule(1000, { from: { address: "192.0.2.1", prefixLength: 32 } }), rule(1001)];
const somebody = 99;

function alone(changes: Parameters<typeof instance>[0] = {}): { lab: Lab; node: Node } {
  const lab = new Lab();
  const node = lab.node("alone", 11, { routes, rules, ...changes });
  node.start();
  lab.run(10_000);
  return { lab, node };
}

function held(node: Node): string[] {
  const { tables } = node.kernel;
  return [
    ...tables.routes.map(({ destination, protocol }) => `${formatAddress(destination)} ${protocol}`),
    ...tables.rules.map(({ priority, protocol }) => `${priority} ${protocol}`),
  ].sort();
}

function told(node: Node): string[] {
  return node.host.events.flatMap((event) =>
    event.type === "repair" || event.type === "warning" ? [`${event.type}: ${event.message}`] : [],
  );
}

function built(parameters: RouteParameters, changes: Partial<Route> = {}): Route {
  const made = toRoute(parameters, () => 2);
  if (typeof made === "string") throw new Error(made);
  return { ...made, ...changes };
}

const everything = ["1000 112", "1001 112", "198.51.100.0 112", "198.51.101.0 112"];

describe("routes and rules follow the role", () => {
  test("they are added after the addresses, routes first, and removed before them, rules first", () => {
    const lab = new Lab();
    const [best, other] = [
      lab.node("best", 11, { priority: 200, routes, rules }),
      lab.node("other", 12, { routes, rules }),
    ];
    const order: string[] = [];
    const { kernel } = best;
    const { addAddress, deleteAddress } = kernel;
    kernel.addAddress = (entry) => {
      if (formatAddress(entry.address) === "192.0.2.1") order.push("+address");
      return addAddress.call(kernel, entry);
    };
    kernel.deleteAddress = (entry) => {
      if (formatAddress(entry.address) === "192.0.2.1") order.push("-address");
      return deleteAddress.call(kernel, entry);
    };
    kernel.tables.onChange = () => {};
    lab.start();
    lab.run(10_000);
    expect([held(best), held(other)]).toEqual([everything, []]);
    const asked = [...kernel.tables.asked];
    expect(asked.map((line) => line.split(" ").slice(0, 2).join(" "))).toEqual([
      "add 198.51.100.0",
      "add 198.51.101.0",
      "add rule",
      "add rule",
    ]);
    best.stop();
    lab.run(5000);
    expect([held(best), held(other)]).toEqual([[], everything]);
    expect(kernel.tables.asked.slice(asked.length)).toEqual([
      "delete rule 1001",
      "delete rule 1000",
      "delete 198.51.101.0",
      "delete 198.51.100.0",
    ]);
    // The route uses the address as its source: it could not have been added before.
    expect(order.filter((word, i) => order[i - 1] !== word)).toEqual(["+address", "-address"]);
    expect(told(best)).toEqual([]);
  });

  test("those of a family go with its router", () => {
    const route6 = route("2001:db8:9::", {
      family: 6,
      prefixLength: 48,
      nextHops: [{ gateway: "2001:db8::fe", device: "eth0", weight: 1, onlink: false }],
      metric: 1024,
    });
    const { lab, node } = alone(
      dualStack({ routes: [...routes, route6], rules: [...rules, rule(1002, { family: 6 })] }),
    );
    expect(held(node)).toEqual([...everything, "1002 112", "2001:db8:9:: 112"].sort());
    node.stop();
    lab.run(100);
    expect(held(node)).toEqual([]);
  });

  test("the status tells what is there", () => {
    const { node } = alone();
    expect(node.status.routes).toEqual([
      {
        text: "198.51.100.0/24 via 192.0.2.254 dev eth0 src 192.0.2.1 table 100",
        present: true,
        foreign: false,
        error: null,
      },
      { text: "198.51.101.0/24 via 192.0.2.254 dev eth0 table 100", present: true, foreign: false, error: null },
    ]);
    expect(node.status.rules.map(({ text, present }) => [text, present])).toEqual([
      ["from 192.0.2.1/32 priority 1000 table 100", true],
      ["priority 1001 table 100", true],
    ]);
  });
});

describe("what somebody else does to them", () => {
  test("a flushed table is put back within 500 ms, and told", () => {
    const { lab, node } = alone();
    node.kernel.tables.flush(100, somebody);
    node.kernel.tables.deleteRule(toRule(rule(1001)), somebody);
    expect(held(node)).toEqual(["1000 112"]);
    lab.run(20);
    expect(held(node)).toEqual(everything);
    expect(told(node)).toEqual([
      "repair: route 198.51.100.0/24 via 192.0.2.254 dev eth0 src 192.0.2.1 table 100 was removed by somebody else (netlink port 99): put back",
      "repair: route 198.51.101.0/24 via 192.0.2.254 dev eth0 table 100 was removed by somebody else (netlink port 99): put back",
      "repair: rule priority 1001 table 100 was removed by somebody else (netlink port 99): put back",
    ]);
    expect(node.transitions).toHaveLength(2);
  });

  test("a replaced route takes its place again, and the event tells by what it was replaced", () => {
    const { lab, node } = alone();
    node.kernel.tables.addRoute(
      built(route("198.51.101.0", { type: "blackhole", nextHops: [] }), { protocol: 3 }),
      true,
      somebody,
    );
    lab.run(20);
    expect(held(node)).toEqual(everything);
    expect(told(node)).toEqual([
      "repair: route 198.51.101.0/24 via 192.0.2.254 dev eth0 table 100 was replaced by 198.51.101.0/24 blackhole, protocol boot (netlink port 99): put back",
    ]);
  });

  test("again and again: the two do not fight at full speed, and peace ends the pauses", () => {
    const { lab, node } = alone();
    let removed = 0;
    const start = lab.now;
    while (lab.now < start + 60_000) {
      if (node.kernel.tables.routes.length > 0) {
        node.kernel.tables.flush(100, somebody);
        removed++;
      }
      lab.run(1);
    }
    expect(removed).toBeGreaterThan(5);
    expect(removed).toBeLessThan(40);
    // Our own doing between two of theirs is not what took the routes away.
    expect(told(node).filter((line) => !line.includes("(netlink port 99): put back"))).toEqual([]);
    lab.run(70_000);
    node.kernel.tables.flush(100, somebody);
    lab.run(20);
    expect(held(node)).toEqual(everything);
  });

  test("on_removal: ignore leaves it, tells it once, and holds it again with the next role", () => {
    const { lab, node } = alone({ onRemoval: "ignore" });
    node.kernel.tables.flush(100, somebody);
    node.kernel.deleteByHand("192.0.2.1");
    lab.run(30_000);
    expect([held(node), node.held]).toEqual([["1000 112", "1001 112"], []]);
    expect(told(node)).toHaveLength(3);
    expect(node.status.routes[1]).toMatchObject({
      present: false,
      error: "it was removed by somebody else (netlink port 99); left as it is, as on_removal says",
    });
    expect(told(node)[2]).toMatch(/^warning: .*left as it is, as on_removal says$/);
    node.kernel.setCarrier(false);
    node.kernel.setCarrier(true);
    lab.run(10_000);
    expect([held(node), node.held]).toEqual([everything, ["192.0.2.1"]]);
  });

  test.each([
    ["a route", (node: Node) => node.kernel.tables.flush(100, somebody)],
    ["a rule", (node: Node) => void node.kernel.tables.deleteRule(toRule(rule(1001)), somebody)],
    ["an address", (node: Node) => node.kernel.deleteByHand("192.0.2.1")],
  ])("on_removal: yield gives the role up for %s, so that the other has it", (_, remove) => {
    const lab = new Lab();
    const changes = { routes, rules, onRemoval: "yield", preempt: false } as const;
    const [best, other] = [lab.node("best", 11, { priority: 200, ...changes }), lab.node("other", 12, changes)];
    lab.start();
    lab.run(10_000);
    expect(best.state).toBe("active");
    remove(best);
    lab.run(2000);
    expect([best.state, other.state]).toEqual(["backup", "active"]);
    expect([held(best), held(other), best.held]).toEqual([[], everything, []]);
    expect(best.transitions.at(-2)).toMatchObject({
      to: "initialize",
      reason: expect.stringMatching(/was removed by somebody else.*; on_removal: yield$/),
    });
  });

  test("on_removal: yield does not give the role up for what the kernel does by itself", () => {
    const device = { nextHops: [{ device: "eth1", weight: 1, onlink: false }] };
    const lab = new Lab();
    const node = lab.node("alone", 11, { routes: [route("198.51.100.0", device)], onRemoval: "yield" });
    node.kernel.createLink("eth1");
    node.start();
    lab.run(10_000);
    expect(held(node)).toEqual(["198.51.100.0 112"]);
    node.kernel.alter("eth1", { up: false });
    lab.run(1000);
    expect([node.state, held(node)]).toEqual(["active", []]);
    node.kernel.alter("eth1", { up: true });
    lab.run(10);
    expect(held(node)).toEqual(["198.51.100.0 112"]);
    expect(told(node)).toEqual([
      "warning: route 198.51.100.0/24 dev eth1 table 100 is missing: it was removed by the kernel, with an interface or address; add 198.51.100.0: ENETDOWN; tried again until it is there",
      "repair: route 198.51.100.0/24 dev eth1 table 100 is there now (it was not: it was removed by the kernel, with an interface or address; add 198.51.100.0: ENETDOWN)",
    ]);
  });
});

describe("a route of ours that somebody changed, and that still has our number,", () => {
  const changed = built(route("198.51.101.0", { metric: 0, mtu: 1300 }));

  test("is put right", () => {
    const { lab, node } = alone();
    node.kernel.tables.addRoute(changed, true, somebody);
    lab.run(20);
    expect(node.kernel.tables.routes.map(({ mtu }) => mtu)).toEqual([undefined, undefined]);
    expect(told(node)).toHaveLength(1);
  });

  test("goes with the role, if that is given up for it", () => {
    const lab = new Lab();
    const changes = { routes, rules, onRemoval: "yield", preempt: false } as const;
    const [best, other] = [lab.node("best", 11, { priority: 200, ...changes }), lab.node("other", 12, changes)];
    lab.start();
    lab.run(10_000);
    best.kernel.tables.addRoute(changed, true, somebody);
    lab.run(2000);
    expect([best.state, other.state, held(best)]).toEqual(["backup", "active", []]);
  });

  test("is replaced when it was missed before", () => {
    const lab = new Lab();
    const node = lab.node("a", 11, { routes });
    node.start();
    lab.run(3000);
    node.kernel.tables.addRoute(changed, false, somebody);
    lab.run(10_000);
    expect(held(node)).toEqual(["198.51.100.0 112", "198.51.101.0 112"]);
    expect(node.kernel.tables.routes.map(({ mtu }) => mtu)).toEqual([undefined, undefined]);
  });
});

describe("what is not ours", () => {
  test("the same route of somebody else is left alone, and is ours to hold when it goes", () => {
    const lab = new Lab();
    const node = lab.node("a", 11, { routes });
    node.kernel.tables.addRoute(built(route("198.51.101.0"), { protocol: 4 }), false, somebody);
    node.start();
    lab.run(10_000);
    expect(held(node)).toEqual(["198.51.100.0 112", "198.51.101.0 4"]);
    expect(node.status.routes[1]).toMatchObject({ present: true, foreign: true, error: null });
    node.stop();
    lab.run(100);
    expect(held(node)).toEqual(["198.51.101.0 4"]);
    node.start();
    lab.run(10_000);
    node.kernel.tables.deleteRoute(built(route("198.51.101.0"), { protocol: 4 }), somebody);
    lab.run(20);
    expect(held(node)).toEqual(["198.51.100.0 112", "198.51.101.0 112"]);
  });

  test("another route in its place is not touched: ours waits and says for what", () => {
    const lab = new Lab();
    const node = lab.node("a", 11, { routes });
    const other = built(route("198.51.101.0", { type: "unreachable", nextHops: [] }), { protocol: 4 });
    node.kernel.tables.addRoute(other, false, somebody);
    node.start();
    lab.run(20_000);
    expect(held(node)).toEqual(["198.51.100.0 112", "198.51.101.0 4"]);
    expect([node.state, node.status.routes[1]?.error]).toEqual([
      "active",
      "its place is taken by 198.51.101.0/24 unreachable, protocol static",
    ]);
    expect(told(node)).toHaveLength(1);
    node.kernel.tables.deleteRoute(other, somebody);
    lab.run(20);
    expect(held(node)).toEqual(["198.51.100.0 112", "198.51.101.0 112"]);
  });

  test("the same rule of somebody else stays when ours goes", () => {
    const lab = new Lab();
    const node = lab.node("a", 11, { rules });
    node.kernel.tables.addRule({ ...toRule(rule(1001)), protocol: 3 }, somebody);
    node.start();
    lab.run(10_000);
    expect(held(node)).toEqual(["1000 112", "1001 112", "1001 3"]);
    node.stop();
    lab.run(100);
    expect(held(node)).toEqual(["1001 3"]);
  });

  test("what a killed run left is removed at the next start, and nothing else", () => {
    const { lab, node } = alone();
    node.kernel.tables.addRoute(built(route("203.0.113.0"), { protocol: 4 }), false, somebody);
    node.crash();
    lab.run(1000);
    expect(held(node)).toEqual([...everything, "203.0.113.0 4"].sort());
    node.start();
    lab.run(100);
    expect([node.state, held(node)]).toEqual(["backup", ["203.0.113.0 4"]]);
  });
});

describe("a route that cannot be added yet", () => {
  const far = route("198.51.102.0", { nextHops: [{ gateway: "10.77.0.1", weight: 1, onlink: false }] });

  test("breaks nothing, is told once, and is there as soon as its gateway can be reached", () => {
    const { lab, node } = alone({ routes: [...routes, far] });
    lab.run(60_000);
    expect([node.state, held(node)]).toEqual(["active", everything]);
    expect(told(node)).toEqual([
      "warning: route 198.51.102.0/24 via 10.77.0.1 table 100 is missing: add 198.51.102.0: ENETUNREACH; tried again until it is there",
    ]);
    expect(node.status.routes[2]).toMatchObject({ present: false, error: "add 198.51.102.0: ENETUNREACH" });
    node.kernel.addByHand("10.77.0.2", 24);
    lab.run(10);
    expect(held(node)).toContain("198.51.102.0 112");
    expect(node.status.routes[2]?.error).toBeNull();
  });

  test("is tried with growing pauses", () => {
    const { lab, node } = alone({ routes: [far], rules: [] });
    lab.run(60_000);
    const { length } = node.kernel.tables.asked;
    expect(length).toBeGreaterThan(10);
    expect(length).toBeLessThan(30);
  });

  test("on an interface that does not exist waits for it", () => {
    const elsewhere = route("198.51.102.0", { nextHops: [{ device: "eth1", weight: 1, onlink: false }] });
    const { lab, node } = alone({ routes: [elsewhere], rules: [] });
    expect([node.state, node.status.routes[0]?.error]).toEqual(["active", "interface eth1 does not exist"]);
    node.kernel.createLink("eth1");
    lab.run(10);
    expect(held(node)).toEqual(["198.51.102.0 112"]);
  });
});

describe("a reload", () => {
  test("touches the difference only, and replaces a changed route in one step", () => {
    const { lab, node } = alone();
    const before = node.kernel.tables.asked.length;
    node.reload({
      routes: [
        route("198.51.100.0", { preferredSource: "192.0.2.1" }),
        route("198.51.101.0", { mtu: 1400 }),
        route("198.51.102.0"),
      ],
      rules: [rule(1001), rule(1002)],
    });
    lab.run(1000);
    expect(node.kernel.tables.asked.slice(before)).toEqual([
      "replace 198.51.101.0",
      "delete rule 1000",
      "add 198.51.102.0",
      "add rule 1002",
    ]);
    expect(held(node)).toEqual(["1001 112", "1002 112", "198.51.100.0 112", "198.51.101.0 112", "198.51.102.0 112"]);
    expect(told(node)).toEqual([]);
    expect(node.transitions).toHaveLength(2);
  });

  test("of a backup adds nothing", () => {
    const lab = new Lab();
    const [, other] = [lab.node("best", 11, { priority: 200 }), lab.node("other", 12)];
    lab.start();
    lab.run(10_000);
    other.reload({ routes, rules });
    lab.run(1000);
    expect(held(other)).toEqual([]);
  });
});

describe("a reload that", () => {
  test("leads a route to a gateway that cannot be reached leaves nothing of the old one behind", () => {
    const { lab, node } = alone();
    const far = { gateway: "10.77.0.1", weight: 1, onlink: false };
    node.reload({ routes: [route("198.51.101.0", { nextHops: [far] })], rules: [] });
    lab.run(1000);
    expect(held(node)).toEqual([]);
    expect(node.status.routes[0]).toMatchObject({ present: false, error: "add 198.51.101.0: ENETUNREACH" });
    node.kernel.addByHand("10.77.0.2", 24);
    lab.run(10);
    expect(held(node)).toEqual(["198.51.101.0 112"]);
  });

  test("sets on_removal: repair brings back what was left as somebody else wanted it", () => {
    const { lab, node } = alone({ onRemoval: "ignore" });
    node.kernel.tables.flush(100, somebody);
    node.kernel.deleteByHand("192.0.2.1");
    lab.run(1000);
    expect(node.held).toEqual([]);
    node.reload({ onRemoval: "repair" });
    lab.run(10);
    expect([held(node), node.held]).toEqual([everything, ["192.0.2.1"]]);
  });
});

test("a large table is put back in portions, and that counts as one repair", () => {
  const many = Array.from({ length: 200 }, (_, i) => route(`10.1.${i}.0`));
  const { lab, node } = alone({ routes: many, rules: [] });
  expect(held(node)).toHaveLength(200);
  for (let i = 0; i < 5; i++) {
    node.kernel.tables.flush(100, somebody);
    lab.run(400);
    expect(held(node)).toHaveLength(200);
  }
});
