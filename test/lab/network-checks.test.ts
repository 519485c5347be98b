// Checks that need a kernel of their own to ask: echo requests and routes, in two namespaces on one cable.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { CheckType, Outcome } from "../../src/healthchecks/check-type.ts";
import { type PingParameters, ping } from "../../src/healthchecks/ping.ts";
import { type RouteParameters, route } from "../../src/healthchecks/route.ts";
import { Namespace } from "../support/netlink-namespace.ts";

let here: Namespace;
let there: Namespace;

beforeAll(() => {
  here = new Namespace();
  there = new Namespace();
  here.batch([`link add e0 type veth peer name e0 netns ${there.name}`, "link set e0 up"]);
  there.batch(["link set e0 up"]);
  here.batch([
    "addr add 192.0.2.1/24 dev e0",
    "addr add 2001:db8::1/64 dev e0 nodad",
    "addr add fe80::1/64 dev e0 nodad",
  ]);
  there.batch([
    "addr add 192.0.2.254/24 dev e0",
    "addr add 2001:db8::254/64 dev e0 nodad",
    "addr add fe80::254/64 dev e0 nodad",
  ]);
});

afterAll(() => {
  here.remove();
  there.remove();
});

/** Sockets are opened before the probe waits for the first time, and stay in the namespace that they were opened in. */
function run<P>(type: CheckType<P>, parameters: P, limit = 2000): Promise<Outcome> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new Error(`no answer within ${limit} ms`)), limit);
  return here.inside(() => type.probe(parameters, controller.signal)).finally(() => clearTimeout(timer));
}

const pinging = (host: string, more: Partial<PingParameters> = {}, limit?: number) =>
  run(ping, { type: "ping", host, ...more }, limit);

test("a host answers echo requests, IPv4, IPv6 and link-local", async () => {
  expect(await pinging("192.0.2.254")).toEqual({
    ok: true,
    reason: "192.0.2.254 answered",
    latency: expect.any(Number),
  });
  expect(await pinging("2001:db8::254")).toMatchObject({ ok: true });
  expect(await pinging("fe80::254", { interface: "e0" })).toMatchObject({ ok: true });
  expect(await pinging("192.0.2.254", { source: "192.0.2.1", interface: "e0" })).toMatchObject({ ok: true });
});

test("a host that does not answer, a network without a route, a source that is not here", async () => {
  expect(await pinging("192.0.2.77", {}, 100)).toEqual({
    ok: false,
    reason: "ping 192.0.2.77: no answer within 100 ms",
  });
  expect((await pinging("198.51.100.1")).reason).toBe("ping 198.51.100.1: the network cannot be reached (ENETUNREACH)");
  await expect(async () => pinging("192.0.2.254", { source: "203.0.113.1" })).rejects.toThrow(/EADDRNOTAVAIL/);
});

test("what the kernel finds out about a host is a failure at once", async () => {
  // The kernel asks three times, a second apart, for a link-layer address that nobody has.
  const { reason, ok } = await pinging("192.0.2.78", {}, 10_000);
  expect({ ok, reason }).toEqual({ ok: false, reason: "ping 192.0.2.78: the host cannot be reached (EHOSTUNREACH)" });
});

test("many at a time do not take each other's answers", async () => {
  const hosts = Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? "192.0.2.254" : "2001:db8::254"));
  const outcomes = await Promise.all(hosts.map((host) => pinging(host)));
  expect(outcomes.map(({ reason }) => reason)).toEqual(hosts.map((host) => `${host} answered`));
});

const routing = (more: Partial<RouteParameters> = {}, limit?: number) =>
  run(
    route,
    { type: "route", family: 4, destination: "0.0.0.0", prefixLength: 0, table: 254, reachable: true, ...more },
    limit,
  );

test("a default route with a gateway that answers, and with one that does not", async () => {
  expect(await routing()).toEqual({ ok: false, reason: "there is no IPv4 default route" });
  here.ip("route add default via 192.0.2.254");
  expect(await routing()).toEqual({ ok: true, reason: "IPv4 default route via 192.0.2.254 through e0" });
  expect(await routing({ gateway: "192.0.2.253" })).toEqual({
    ok: false,
    reason: "IPv4 default route does not lead via 192.0.2.253",
  });
  expect(await routing({ interface: "e1" })).toMatchObject({ ok: false });
  here.ip("route replace default via 192.0.2.79");
  expect(await routing({}, 200)).toEqual({
    ok: false,
    reason: "IPv4 default route: via 192.0.2.79 through e0: no answer within 200 ms",
  });
  expect(await routing({}, 10_000)).toEqual({
    ok: false,
    reason: "IPv4 default route: via 192.0.2.79 through e0 does not answer",
  });
  expect(await routing({ reachable: false })).toMatchObject({ ok: true });
  here.ip("route del default");
});

test("a route of IPv6, one of another table, one with two gateways and one without", async () => {
  here.batch(["route add default via fe80::254 dev e0", "route add 198.51.100.0/24 dev e0 table 100"]);
  here.ip("route add 203.0.113.0/24 nexthop via 192.0.2.79 nexthop via 192.0.2.254");
  expect(await routing({ family: 6, destination: "::" })).toEqual({
    ok: true,
    reason: "IPv6 default route via fe80::254 through e0",
  });
  const other = { destination: "198.51.100.0", prefixLength: 24 };
  expect(await routing({ ...other, table: 100 })).toEqual({
    ok: true,
    reason: "route 198.51.100.0/24 in table 100 through e0",
  });
  expect(await routing(other)).toMatchObject({ ok: false });
  expect(await routing({ destination: "203.0.113.0", prefixLength: 24 })).toMatchObject({ ok: true });
});
