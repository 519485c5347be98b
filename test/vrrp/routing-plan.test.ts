import { describe, expect, test } from "vitest";
import type { Route } from "../../src/netlink/route.ts";
import { routePlace, rulePlace } from "../../src/netlink/subjects.ts";
import { toRoute } from "../../src/vrrp/route-entry.ts";
import type { RouteParameters, RuleParameters } from "../../src/vrrp/routing-parameters.ts";
import { findRoutingLeftOvers, standingOfRoute, standingOfRule } from "../../src/vrrp/routing-plan.ts";
import { toRule } from "../../src/vrrp/rule-entry.ts";
import { address } from "../support/packets.ts";

const plain: RouteParameters = {
  family: 4,
  type: "unicast",
  destination: "198.51.100.0",
  prefixLength: 24,
  nextHops: [{ gateway: "192.0.2.254", device: "eth0", weight: 1, onlink: false }],
  preferredSource: "192.0.2.10",
  table: 100,
  metric: 50,
  tos: 0,
  scope: 0,
};

function built(changes: Partial<RouteParameters> = {}): Route {
  const route = toRoute({ ...plain, ...changes }, () => 2);
  if (typeof route === "string") throw new Error(route);
  return route;
}

const wanted = built();
const boot = 3;
const hop = { gateway: address("192.0.2.253"), index: 2, weight: 1, onlink: false };

describe("a wanted route against what stands at its place", () => {
  test.each<[string, Route, readonly Route[], string]>([
    ["nothing", wanted, [], "absent"],
    ["itself", wanted, [wanted], "present"],
    ["itself behind another one", wanted, [{ ...wanted, protocol: boot, nextHops: [hop] }, wanted], "present"],
    ["the same of somebody else", wanted, [{ ...wanted, protocol: boot }], "foreign"],
    ["another gateway", wanted, [{ ...wanted, nextHops: [hop] }], "taken"],
    [
      "another interface",
      wanted,
      [{ ...wanted, nextHops: wanted.nextHops.map((its) => ({ ...its, index: 3 })) }],
      "taken",
    ],
    ["another type", wanted, [{ ...wanted, type: 6 }], "taken"],
    ["another source", wanted, [{ ...wanted, preferredSource: address("192.0.2.11") }], "taken"],
    ["another MTU", wanted, [{ ...wanted, mtu: 1400 }], "taken"],
    ["another scope", wanted, [{ ...wanted, scope: 253 }], "taken"],
    ["a nexthop object", wanted, [{ ...wanted, nextHopId: 7 }], "taken"],
    ["one hop more", wanted, [{ ...wanted, nextHops: [...wanted.nextHops, hop] }], "taken"],
    [
      "an interface that the kernel chose",
      { ...wanted, nextHops: wanted.nextHops.map((its) => ({ ...its, index: 0 })) },
      [wanted],
      "present",
    ],
    [
      "several hops in another order",
      { ...wanted, nextHops: [...wanted.nextHops, hop] },
      [{ ...wanted, nextHops: [hop, ...wanted.nextHops] }],
      "present",
    ],
    [
      "a blackhole that the kernel put on lo",
      built({ type: "blackhole", nextHops: [] }),
      [{ ...built({ type: "blackhole", nextHops: [] }), nextHops: [{ index: 1, weight: 1, onlink: false }] }],
      "present",
    ],
  ])("%s", (_, route, there, state) => {
    expect(standingOfRoute(route, there).state).toBe(state);
  });

  test("an interface that does not exist is named", () => {
    expect(toRoute(plain, () => undefined)).toBe("eth0");
  });
});

const ruleParameters: RuleParameters = {
  family: 4,
  priority: 1000,
  not: false,
  from: { address: "192.0.2.10", prefixLength: 32 },
  tos: 0,
  action: "table",
  table: 100,
};
const rule = toRule(ruleParameters);

test("a rule is there when one of ours is; the same of somebody else stands beside it", () => {
  expect(standingOfRule(rule, []).state).toBe("absent");
  expect(standingOfRule(rule, [{ ...rule, protocol: boot }]).state).toBe("absent");
  expect(standingOfRule(rule, [{ ...rule, protocol: boot }, rule]).state).toBe("present");
});

test("places tell apart what the kernel tells apart", () => {
  const places = [
    routePlace(wanted),
    routePlace({ ...wanted, table: 101 }),
    routePlace({ ...wanted, metric: 51 }),
    routePlace({ ...wanted, tos: 4 }),
    routePlace({ ...wanted, prefixLength: 25 }),
    rulePlace(rule),
    rulePlace({ ...rule, priority: 1001 }),
    rulePlace({ ...rule, mark: { value: 1, mask: 1 } }),
    rulePlace({ ...rule, mark: { value: 1, mask: 3 } }),
    rulePlace({ ...rule, inputInterface: "eth0" }),
    rulePlace({ ...rule, outputInterface: "eth0" }),
    rulePlace({ ...rule, invert: true }),
    rulePlace({ ...rule, more: true }),
  ];
  expect(new Set(places).size).toBe(places.length);
  expect(routePlace({ ...wanted, nextHops: [hop], protocol: boot })).toBe(routePlace(wanted));
});

test("an earlier run left what has our number, but for what is held whatever the roles are; rules go first", () => {
  const kept = built({ destination: "198.51.101.0" });
  const foreign = { ...built({ destination: "198.51.102.0" }), protocol: boot };
  const left = built({ destination: "198.51.103.0", table: 7 });
  const keptRule = { ...rule, priority: 5 };
  const found = findRoutingLeftOvers(
    [kept, foreign, left],
    [rule, keptRule, { ...rule, protocol: boot }],
    [
      { type: "route", route: kept },
      { type: "rule", rule: keptRule },
    ],
    [],
  );
  expect(found).toEqual([
    { type: "rule", rule },
    { type: "route", route: left },
  ]);
});

test("a static route that is configured otherwise now is a left-over", () => {
  const before = built();
  const now = built({ preferredSource: "192.0.2.11" });
  expect(findRoutingLeftOvers([before], [], [{ type: "route", route: now }], [])).toHaveLength(1);
});

test("a route with a protocol of its own is known by being the configured one", () => {
  const configured = built({ protocol: 188 });
  const objects = [{ type: "route", route: configured } as const];
  expect(findRoutingLeftOvers([configured], [], [], objects)).toHaveLength(1);
  expect(findRoutingLeftOvers([{ ...configured, protocol: 4 }], [], [], objects)).toEqual([]);
  expect(findRoutingLeftOvers([{ ...configured, nextHops: [hop] }], [], [], objects)).toEqual([]);
  expect(findRoutingLeftOvers([configured], [], objects, [])).toEqual([]);
});
