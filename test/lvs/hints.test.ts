/** What counters and the order of the table suggest. */
import { describe, expect, test } from "vitest";
import { hints, outOfPlace } from "../../src/lvs/hints.ts";
import type { MirroredDestination } from "../../src/lvs/mirror.ts";
import { noTraffic } from "../../src/lvs/table.ts";
import { lvs, realServer, SimulatedBalancer, service, virtualServer } from "../support/simulated-balancer.ts";

function server(method: "nat" | "dr", connections: number, packetsIn: number, packetsOut: number): MirroredDestination {
  return {
    settings: {
      family: 4,
      address: "192.0.2.21",
      port: 80,
      forwarding: { method },
      weight: 1,
      upperThreshold: 0,
      lowerThreshold: 0,
    },
    counts: undefined,
    traffic: { ...noTraffic, connections, packetsIn, packetsOut },
  };
}

describe("counters", () => {
  const tcp = { services: [service()] };
  const udp = { services: [service("192.0.2.10", 53, "udp")] };

  test("no packets come back through NAT", () => {
    expect(hints(tcp, [server("nat", 30, 90, 0)])).toEqual([
      "no packets come back (nat): 90 went to it; its way back may not lead through this director",
    ]);
  });

  test("connections without a packet", () => {
    expect(hints(tcp, [server("dr", 30, 0, 0)])).toEqual(["30 connections, and not one packet counted"]);
  });

  test.each([
    { name: "answers of direct routing do not come by", of: tcp, found: server("dr", 30, 90, 0) },
    { name: "datagrams need no answer", of: udp, found: server("nat", 30, 90, 0) },
    { name: "few connections may be chance", of: tcp, found: server("nat", 19, 57, 0) },
    { name: "all is well", of: tcp, found: server("nat", 30, 90, 80) },
  ])("nothing when $name", ({ of, found }) => expect(hints(of, [found])).toEqual([]));
});

test("a server that came in later than those behind it stands in another place", async () => {
  expect([...outOfPlace(["c", "b", "a"], ["a", "b", "c"])]).toEqual([]);
  expect([...outOfPlace(["c", "x", "a"], ["a", "b", "c"])]).toEqual([]);
  expect([...outOfPlace(["b", "c", "a"], ["a", "b", "c"])]).toEqual(["b", "c"]);
  const it = new SimulatedBalancer();
  const scheduler = { name: "sh", fallback: true, port: false, flags: [] } as const;
  await it.start(lvs(virtualServer({ scheduler, servers: [realServer(21), realServer(23)] })));
  const servers = [21, 22, 23].map((n) => realServer(n));
  await it.reload(lvs(virtualServer({ scheduler, servers })));
  const [status] = (await it.status()).virtual_servers;
  expect(status?.servers.map(({ hints: told }) => told.length)).toEqual([0, 1, 1]);
});
