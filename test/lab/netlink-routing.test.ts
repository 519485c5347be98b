// Routes, rules and neighbours against the real kernel, read back by ip.
import { afterAll, beforeAll, expect, test } from "vitest";
import { addAddress } from "../../src/netlink/address.ts";
import { Connection, NetlinkError } from "../../src/netlink/connection.ts";
import * as k from "../../src/netlink/constants.ts";
import { addLink, deleteLink, linkByName, setLink } from "../../src/netlink/link.ts";
import { addNeighbor, deleteNeighbor, listNeighbors } from "../../src/netlink/neighbor.ts";
import type { NewRoute, Route } from "../../src/netlink/route.ts";
import { addRoute, deleteRoute, listRoutes } from "../../src/netlink/route-requests.ts";
import { addRule, deleteRule, listRules, type NewRule } from "../../src/netlink/rule.ts";
import { routeKey, routePlace } from "../../src/netlink/subjects.ts";
import { Watch } from "../../src/netlink/watch.ts";
import { formatAddress, type IpAddress, parseAddress } from "../../src/wire/address.ts";
import { Namespace, until } from "../support/netlink-namespace.ts";

let space: Namespace;
let connection: Connection;
let index = 0;
let other = 0;

function bytes(text: string): IpAddress {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(text);
  return address;
}

async function veth(name: string, peer: string): Promise<number> {
  await addLink(connection, { name, kind: "veth", peer });
  const ends = [await linkByName(connection, name), await linkByName(connection, peer)];
  for (const end of ends) await setLink(connection, end?.index ?? 0, { up: true });
  return ends[0]?.index ?? 0;
}

beforeAll(async () => {
  space = new Namespace();
  connection = space.inside(() => Connection.open());
  index = await veth("r0", "r1");
  other = await veth("s0", "s1");
  for (const [link, address, prefixLength] of [
    [index, "192.0.2.1", 24],
    [other, "198.51.100.1", 24],
    [index, "2001:db8::1", 64],
    [other, "2001:db8:1::1", 64],
  ] as const) {
    const family = address.includes(":") ? 6 : 4;
    await addAddress(connection, { family, index: link, address: bytes(address), prefixLength, flags: 2 });
  }
});

afterAll(() => {
  connection.close();
  space.remove();
});

function hop(gateway: string | undefined, link = index, weight = 1, onlink = false) {
  return { ...(gateway !== undefined && { gateway: bytes(gateway) }), index: link, weight, onlink };
}

function route(text: string, more: Partial<Route> = {}): NewRoute {
  const [address = "", length] = text.split("/");
  return { family: text.includes(":") ? 6 : 4, destination: bytes(address), prefixLength: Number(length), ...more };
}

const routes: [string, () => NewRoute, string, Record<string, unknown>][] = [
  [
    "by way of a gateway, with source, metric and mtu",
    () =>
      route("203.0.113.0/24", {
        nextHops: [hop("192.0.2.254")],
        preferredSource: bytes("192.0.2.1"),
        metric: 50,
        mtu: 1400,
        protocol: k.RTPROT_KEEPALIVED,
      }),
    "-4 route show 203.0.113.0/24",
    { gateway: "192.0.2.254", dev: "r0", prefsrc: "192.0.2.1", metric: 50, protocol: "keepalived" },
  ],
  [
    "on the link",
    () => route("10.1.0.0/16", { nextHops: [hop(undefined)] }),
    "-4 route show 10.1.0.0/16",
    { scope: "link" },
  ],
  [
    "onlink by way of a router no address covers",
    () => route("10.2.0.0/16", { nextHops: [hop("10.255.0.1", index, 1, true)] }),
    "-4 route show 10.2.0.0/16",
    { gateway: "10.255.0.1", flags: ["onlink"] },
  ],
  [
    "default in a table of its own",
    () => route("0.0.0.0/0", { nextHops: [hop("192.0.2.254")], table: 1000 }),
    "-4 route show table 1000",
    { dst: "default", gateway: "192.0.2.254" },
  ],
  [
    "blackhole",
    () => route("10.3.0.0/16", { type: k.RTN_BLACKHOLE }),
    "-4 route show 10.3.0.0/16",
    { type: "blackhole" },
  ],
  [
    "unreachable",
    () => route("10.4.0.0/16", { type: k.RTN_UNREACHABLE }),
    "-4 route show 10.4.0.0/16",
    { type: "unreachable" },
  ],
  [
    "prohibit",
    () => route("2001:db8:4::/48", { type: k.RTN_PROHIBIT }),
    "-6 route show 2001:db8:4::/48",
    { type: "prohibit" },
  ],
  [
    "several next hops with weights",
    () => route("10.5.0.0/16", { nextHops: [hop("192.0.2.254", index, 1), hop("198.51.100.254", other, 20)] }),
    "-4 route show 10.5.0.0/16",
    {
      nexthops: [
        { gateway: "192.0.2.254", dev: "r0", weight: 1, flags: [] },
        { gateway: "198.51.100.254", dev: "s0", weight: 20, flags: [] },
      ],
    },
  ],
  [
    "several IPv6 next hops",
    () =>
      route("2001:db8:5::/48", { nextHops: [hop("2001:db8::fe", index), hop("2001:db8:1::fe", other)], metric: 1024 }),
    "-6 route show 2001:db8:5::/48",
    {},
  ],
  [
    "IPv4 by way of an IPv6 router",
    () => route("10.6.0.0/16", { nextHops: [hop("2001:db8::fe")] }),
    "-4 route show 10.6.0.0/16",
    { via: { family: "inet6", host: "2001:db8::fe" } },
  ],
];

test.each(routes)("a route %s makes the round trip", async (_name, build, command, shown) => {
  const wanted = build();
  await addRoute(connection, wanted);
  expect(space.show(command)[0]).toMatchObject(shown);
  const filter = { table: wanted.table ?? k.RT_TABLE_MAIN, family: wanted.family };
  const found = (await listRoutes(connection, filter)).find(
    (candidate) =>
      candidate.prefixLength === wanted.prefixLength &&
      formatAddress(candidate.destination) === formatAddress(wanted.destination),
  );
  // The kernel puts a refusing route of IPv6 on the loopback link.
  const { nextHops: _, ...rest } = wanted;
  expect(found).toMatchObject(wanted.type === k.RTN_PROHIBIT ? rest : wanted);
  await deleteRoute(connection, wanted);
  expect(space.show(command)).toEqual([]);
});

test("a refused route says why in the kernel's words", async () => {
  const refused = addRoute(connection, route("10.9.0.0/16", { nextHops: [hop("203.0.113.77")] }));
  await expect(refused).rejects.toThrow(NetlinkError);
  await expect(refused).rejects.toThrow("add route 10.9.0.0/16: ENETUNREACH (Nexthop has invalid gateway)");
});

const rules: [string, NewRule, string, Record<string, unknown>][] = [
  [
    "from a prefix, IPv4",
    { family: 4, priority: 100, from: { address: bytes("192.0.2.0"), prefixLength: 24 }, table: 1000, protocol: 18 },
    "-4 rule show priority 100",
    { src: "192.0.2.0", srclen: 24, table: "1000" },
  ],
  [
    "to a prefix with a mark and an interface, IPv6",
    {
      family: 6,
      priority: 101,
      to: { address: bytes("2001:db8:7::"), prefixLength: 48 },
      mark: { value: 0x10, mask: 0xf0 },
      inputInterface: "r0",
      table: 200,
    },
    "-6 rule show priority 101",
    { dst: "2001:db8:7::", dstlen: 48, fwmark: "0x10", fwmask: "0xf0", iif: "r0", table: "200" },
  ],
  [
    "that refuses",
    { family: 4, priority: 102, action: k.FR_ACT_UNREACHABLE, invert: true, outputInterface: "s0" },
    "-4 rule show priority 102",
    { action: "unreachable", oif: "s0" },
  ],
];

test.each(rules)("a rule %s makes the round trip", async (_name, wanted, command, shown) => {
  await addRule(connection, wanted);
  expect(space.show(command)[0]).toMatchObject(shown);
  const found = (await listRules(connection, wanted.family)).find(({ priority }) => priority === wanted.priority);
  expect(found).toMatchObject(wanted);
  await deleteRule(connection, wanted);
  expect(space.show(command)).toEqual([]);
});

test("a neighbour makes the round trip", async () => {
  const mac = Uint8Array.of(2, 0, 0, 0, 0, 7);
  await addNeighbor(connection, { index, address: bytes("192.0.2.7"), mac });
  await addNeighbor(connection, { index, address: bytes("2001:db8::7"), mac, state: k.NUD_STALE });
  expect(space.show("neigh show dev r0 to 192.0.2.7")[0]).toMatchObject({
    lladdr: "02:00:00:00:00:07",
    state: ["PERMANENT"],
  });
  const found = (await listNeighbors(connection, undefined, index)).filter((entry) => entry.mac?.[5] === 7);
  expect(found.map(({ address, state }) => [formatAddress(address), state])).toEqual([
    ["192.0.2.7", k.NUD_PERMANENT],
    ["2001:db8::7", k.NUD_STALE],
  ]);
  await addNeighbor(
    connection,
    { index, address: bytes("192.0.2.7"), mac: Uint8Array.of(2, 0, 0, 0, 0, 8) },
    { replace: true },
  );
  expect(space.show("neigh show dev r0 to 192.0.2.7")[0]).toMatchObject({ lladdr: "02:00:00:00:00:08" });
  await deleteNeighbor(connection, { index, address: bytes("192.0.2.7") });
  expect(space.show("neigh show dev r0 to 192.0.2.7")).toEqual([]);
});

test("a dump of 20,000 routes is complete", async () => {
  const lines = Array.from(
    { length: 20_000 },
    (_, i) => `route add 10.${20 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}/32 dev r0 table 77`,
  );
  space.batch(lines);
  const found = await listRoutes(connection, { family: 4, table: 77 });
  expect(new Set(found.map(({ destination }) => formatAddress(destination))).size).toBe(20_000);
  space.ip("route flush table 77");
});

test("a watch of routes, rules and neighbours follows what it is told and what the kernel does silently", async () => {
  const link = await veth("w0", "w1");
  await addAddress(connection, { family: 4, index: link, address: bytes("192.0.99.1"), prefixLength: 24 });
  const heard: string[] = [];
  const watch = space.inside(() =>
    Watch.open({
      routes: { protocol: k.RTPROT_KEEPALIVED },
      rules: true,
      neighbors: true,
      onChange: (change) => {
        if (change.object === "route") heard.push(`${change.kind} ${formatAddress(change.route.destination)}`);
        if (change.object === "rule") heard.push(`${change.kind} rule ${change.rule.priority}`);
        if (change.object === "neighbor" && change.neighbor.mac?.[5] === 9) heard.push(`${change.kind} neighbour`);
      },
    }),
  );
  const agrees = async (): Promise<boolean> => {
    const fresh = await listRoutes(connection, { protocol: k.RTPROT_KEEPALIVED });
    return JSON.stringify(fresh.map(routeKey).sort()) === JSON.stringify(watch.routes().map(routeKey).sort());
  };
  const heardLast = (line: string) => until(line, () => heard.includes(line));
  try {
    await watch.ready;
    const ours = { protocol: k.RTPROT_KEEPALIVED, nextHops: [hop("192.0.99.2", link)] };
    await addRoute(connection, route("10.7.0.0/16", ours));
    await heardLast("added 10.7.0.0");
    await addRoute(connection, route("10.7.0.0/16", { ...ours, nextHops: [hop("192.0.99.3", link)] }), {
      replace: true,
    });
    await until("the replaced route is the table's only one", () => watch.routes().length === 1 && agrees());
    expect(watch.routes()[0]?.nextHops[0]?.gateway).toEqual(bytes("192.0.99.3"));

    const several = { metric: 1024, nextHops: [hop("2001:db8::2"), hop("2001:db8::3")] };
    const wide = route("2001:db8:77::/48", { ...several, protocol: k.RTPROT_KEEPALIVED });
    await addRoute(connection, wide);
    await until("two routes", () => watch.routes().length === 2);
    await deleteRoute(connection, { ...wide, nextHops: [hop("2001:db8::2")] });
    await until(
      "one hop less",
      async () => watch.routes().some((found) => found.family === 6 && found.nextHops.length === 1) && (await agrees()),
    );
    await deleteRoute(connection, { ...wide, nextHops: [hop("2001:db8::3")] });
    await heardLast("removed 2001:db8:77::");

    await addRule(connection, { family: 4, priority: 300, table: 300 });
    await heardLast("added rule 300");
    await deleteRule(connection, { family: 4, priority: 300, table: 300 });
    await heardLast("removed rule 300");
    await addNeighbor(connection, { index: link, address: bytes("192.0.99.9"), mac: Uint8Array.of(2, 0, 0, 0, 0, 9) });
    await heardLast("added neighbour");

    // Of the routes that go with a link that goes down, the kernel tells nothing.
    await setLink(connection, link, { up: false });
    await heardLast("removed 10.7.0.0");
    await deleteLink(connection, link);
    await until("no neighbours", () => watch.neighbors(link).length === 0);
    expect(watch.routes()).toEqual([]);
  } finally {
    watch.close();
  }
});

test("a watch of chosen places keeps whoever's routes stand there, and tells who asked for a change", async () => {
  const link = await veth("p0", "p1");
  await addAddress(connection, { family: 4, index: link, address: bytes("192.0.98.1"), prefixLength: 24 });
  const ours = (gateway: string, protocol: number): Route => ({
    family: 4,
    destination: bytes("10.8.0.0"),
    prefixLength: 16,
    table: 300,
    protocol,
    scope: k.RT_SCOPE_UNIVERSE,
    type: k.RTN_UNICAST,
    tos: 0,
    metric: 0,
    nextHops: [hop(gateway, link)],
  });
  const wide: Route = {
    ...ours("192.0.98.2", 112),
    family: 6,
    destination: bytes("2001:db8:88::"),
    prefixLength: 48,
    metric: 1024,
    nextHops: [hop("2001:db8::2")],
  };
  const places = new Set([routePlace(ours("192.0.98.2", 112)), routePlace(wide)]);
  const heard: { readonly what: string; readonly port: number | undefined }[] = [];
  const watch = space.inside(() =>
    Watch.open({
      routes: {
        tables: () => [
          { family: 4, table: 300 },
          { family: 6, table: 300 },
        ],
        wanted: (candidate) => places.has(routePlace(candidate)),
        concerns: ({ prefixLength }) => prefixLength === 16 || prefixLength === 48,
      },
      rules: true,
      onChange: (change) => {
        if (change.object === "route")
          heard.push({ what: `${change.kind} ${change.route.protocol}`, port: change.port });
        if (change.object === "rule") heard.push({ what: `${change.kind} rule`, port: change.port });
      },
    }),
  );
  const at = () => watch.routesAt(routePlace(ours("192.0.98.2", 112))).map(({ protocol }) => protocol);
  const portOf = (what: string) => heard.findLast((entry) => entry.what === what)?.port;
  try {
    // The tables do not exist yet.
    await watch.ready;
    await addRoute(connection, ours("192.0.98.2", 112));
    await until("ours", () => at().join() === "112");
    const own = portOf("added 112") ?? 0;
    expect(own).toBeGreaterThan(0);
    // Elsewhere: heard of, but nobody's business.
    space.ip("route add 10.9.0.0/16 via 192.0.98.3 table 300");
    space.ip("route replace 10.8.0.0/16 via 192.0.98.3 table 300");
    await until("another one in its place", () => at().join() === "3");
    expect(watch.routes()).toHaveLength(1);
    expect(portOf("removed 112")).toBeGreaterThan(0);
    expect(portOf("removed 112")).not.toBe(own);
    await addRoute(connection, ours("192.0.98.2", 112), { replace: true });
    await until("ours again", () => at().join() === "112");

    await addRoute(connection, wide);
    await until("the IPv6 route", () => watch.routesAt(routePlace(wide)).length === 1);
    space.ip("-6 route flush table 300");
    await until("the IPv6 route is gone", () => watch.routesAt(routePlace(wide)).length === 0);
    expect(portOf("removed 112")).toBeGreaterThan(0);

    const rule = { family: 4, priority: 400, table: 300, protocol: 112 } as const;
    await addRule(connection, rule);
    // The same of somebody else stands beside it; each takes away only its own.
    space.ip("rule add priority 400 table 300 protocol 4");
    await until("two rules", () => watch.rules().filter(({ priority }) => priority === 400).length === 2);
    await deleteRule(connection, rule);
    await until("one rule", () => watch.rules().filter(({ priority }) => priority === 400).length === 1);
    expect(watch.rules().find(({ priority }) => priority === 400)?.protocol).toBe(4);
    expect(portOf("removed rule")).toBe(own);
    space.ip("rule del priority 400");

    // What the kernel does by itself: of IPv4 it says nothing, of IPv6 that it was nobody.
    await setLink(connection, link, { up: false });
    await until("nothing", () => at().length === 0);
    expect(portOf("removed 112") ?? 0).toBe(0);
  } finally {
    watch.close();
    await deleteLink(connection, link);
  }
});
