/** Operators and agents: drain, maintenance, weights; and slow start. */
import { describe, expect, test } from "vitest";
import {
  adminEntry,
  lvs,
  realServer,
  SimulatedBalancer,
  service,
  virtualServer,
} from "../support/simulated-balancer.ts";

async function running(changes: Parameters<typeof virtualServer>[0] = {}) {
  const it = new SimulatedBalancer();
  await it.start(lvs(virtualServer(changes)));
  await it.up(21, 22);
  it.operations();
  it.told();
  return it;
}

test("a drained server gets nothing new and stays, until it is taken back", async () => {
  const it = await running();
  await it.admin(adminEntry(21, { type: "drain" }, { reason: "disk" }));
  await it.time.advance(600_000);
  expect(it.operations()).toEqual(["edit-destination 192.0.2.21 0"]);
  await it.admin();
  expect(it.operations()).toEqual(["edit-destination 192.0.2.21 1"]);
  expect(it.told()).toEqual([
    "192.0.2.21:80 up → draining: drained by root (uid 0): disk",
    "192.0.2.21:80 draining → up: c21: answers",
  ]);
});

test("what an operator said ends by itself when its time is over", async () => {
  const it = await running();
  await it.admin(adminEntry(21, { type: "drain" }, { until: it.time.now().wall + 5000 }));
  await it.time.advance(4999);
  expect(it.operations()).toEqual(["edit-destination 192.0.2.21 0"]);
  await it.time.advance(1);
  expect(it.operations()).toEqual(["edit-destination 192.0.2.21 1"]);
});

test("in maintenance the checks of a server do not count; drained, they do", async () => {
  const it = await running();
  await it.admin(adminEntry(21, { type: "maintenance" }), adminEntry(22, { type: "drain" }));
  it.operations();
  await it.down(21, 22);
  expect(it.operations()).toEqual(["delete-destination 192.0.2.22"]);
});

test("a quorum that more is drained than it leaves is told with what it is now", async () => {
  const it = await running({ quorum: 2 });
  await it.admin(adminEntry(21, { type: "drain" }));
  const [web] = (await it.status()).virtual_servers;
  expect(web).toMatchObject({ state: "up", quorum: { required: 1, weight_up: 1 } });
  expect(web?.reason).toBe("weight 1 in service, quorum 1 (2 in the file, more than the servers weigh now)");
});

test("weights can be set at run time, in numbers and in shares", async () => {
  const it = await running({ servers: [realServer(21, { weight: 10 }), realServer(22, { weight: 10 })] });
  await it.admin(
    adminEntry(21, { type: "weight", weight: 3 }),
    adminEntry(22, { type: "weight_percent", percent: 50 }),
  );
  expect(it.operations()).toEqual(["edit-destination 192.0.2.21 3", "edit-destination 192.0.2.22 5"]);
});

test("a word about another service or port changes nothing", async () => {
  const it = await running();
  await it.admin(
    adminEntry(21, { type: "drain" }, { service: "mail" }),
    adminEntry(22, { type: "drain" }, { port: 81 }),
  );
  expect(it.operations()).toEqual([]);
});

test("an agent may drain, weigh and limit a server", async () => {
  const it = await running({ servers: [realServer(21, { weight: 10 }), realServer(22)] });
  it.balancer.verdict("c21", true, "answers", { weightPercent: 50, maxConnections: 30 });
  await it.time.settle();
  expect(it.kernel.destination(service(), "192.0.2.21:80").settings).toMatchObject({ weight: 5, upperThreshold: 30 });
  const why = async () => (await it.status()).virtual_servers[0]?.servers.map((server) => server.weight_reason);
  expect(await why()).toEqual(["c21 says weight 50 %, at most 30 connections", null]);
  // An operator's word about a weight counts before that of an agent.
  await it.admin(adminEntry(21, { type: "weight", weight: 3 }));
  expect(await why()).toEqual(["c21 says at most 30 connections", null]);
  await it.admin();
  it.balancer.verdict("c21", true, "answers", { mode: "drain" });
  await it.time.settle();
  expect(it.told()).toEqual(["192.0.2.21:80 up → draining: drained, says c21"]);
});

test("when all servers are drained the sorry server stands in", async () => {
  const sorryServer = {
    name: "sorry",
    family: 4,
    address: "192.0.2.30",
    port: 80,
    forwarding: { method: "dr" },
    inhibit: false,
  } as const;
  const it = await running({ sorryServer });
  await it.admin(adminEntry(21, { type: "drain" }), adminEntry(22, { type: "drain" }));
  expect(it.operations()).toEqual([
    "add-destination 192.0.2.30 1",
    "edit-destination 192.0.2.21 0",
    "edit-destination 192.0.2.22 0",
  ]);
});

describe("slow start", () => {
  test("a drain does not cut it short", async () => {
    const servers = [realServer(21, { weight: 10 }), realServer(22, { weight: 10 })];
    const it = await running({ servers, slowStart: 90_000 });
    await it.down(21);
    await it.up(21);
    await it.time.advance(20_000);
    await it.admin(adminEntry(21, { type: "drain" }));
    await it.time.advance(10_000);
    it.operations();
    await it.admin();
    expect(it.operations()).toEqual(["edit-destination 192.0.2.21 4"]);
  });

  const servers = [realServer(21, { weight: 4 }), realServer(22, { weight: 4 })];

  test("a server that comes up while it is drained begins then", async () => {
    const it = await running({ servers, slowStart: 30_000 });
    await it.admin(adminEntry(21, { type: "drain" }));
    await it.down(21);
    await it.up(21);
    await it.time.advance(15_000);
    it.operations();
    await it.admin();
    expect(it.operations()).toEqual(["edit-destination 192.0.2.21 2"]);
  });

  test("a server that comes back grows into its weight, in equal steps", async () => {
    const it = await running({ servers, slowStart: 30_000 });
    await it.down(21);
    await it.up(21);
    await it.time.advance(10_000);
    expect((await it.status()).virtual_servers[0]?.servers[0]?.weight_reason).toBe(
      "it came back and grows to its full weight for 20 s more",
    );
    await it.time.advance(9999);
    expect(it.operations()).toEqual([
      "delete-destination 192.0.2.21",
      "add-destination 192.0.2.21 1",
      "edit-destination 192.0.2.21 2",
    ]);
    await it.time.advance(60_000);
    expect(it.operations()).toEqual(["edit-destination 192.0.2.21 3", "edit-destination 192.0.2.21 4"]);
  });

  test("not at the start of the process, not after a drain", async () => {
    const it = await running({ servers, slowStart: 30_000 });
    expect(it.kernel.destination(service(), "192.0.2.21:80").settings.weight).toBe(4);
    await it.admin(adminEntry(21, { type: "drain" }));
    await it.admin();
    expect(it.operations()).toEqual(["edit-destination 192.0.2.21 0", "edit-destination 192.0.2.21 4"]);
  });

  const sorryServer = {
    name: "sorry",
    family: 4,
    address: "192.0.2.30",
    port: 80,
    forwarding: { method: "dr" },
    inhibit: false,
  } as const;

  test.each([false, true])(
    "those that came back while the sorry server stood in begin when it leaves, inhibit %s",
    async (inhibit) => {
      const three = [21, 22, 23].map((n) => realServer(n, { weight: 4 }));
      const changes = { servers: three, quorum: 8, hysteresis: 4, slowStart: 30_000 };
      const it = await running({ ...changes, sorryServer: { ...sorryServer, inhibit } });
      await it.up(23);
      await it.down(21, 22, 23);
      await it.up(21, 22);
      await it.time.advance(120_000);
      const weights = () =>
        [21, 22, 23].map((n) => it.kernel.destination(service(), `192.0.2.${n}:80`).settings.weight);
      await it.up(23);
      expect(weights()).toEqual([1, 1, 1]);
      await it.time.advance(15_000);
      expect(weights()).toEqual([2, 2, 2]);
      await it.time.advance(15_000);
      expect(weights()).toEqual([4, 4, 4]);
    },
  );

  test("those that were up all the time have their weight at once", async () => {
    const three = [21, 22, 23].map((n) => realServer(n, { weight: 4 }));
    const it = await running({ servers: three, quorum: 8, slowStart: 30_000, sorryServer });
    await it.up(23);
    await it.down(21, 22);
    await it.time.advance(120_000);
    it.operations();
    await it.up(21);
    expect(it.operations().slice(0, 2)).toEqual(["add-destination 192.0.2.21 1", "add-destination 192.0.2.23 4"]);
  });

  test("the only one has its weight at once, and those that follow grow beside it", async () => {
    const it = await running({ servers, slowStart: 30_000, sorryServer });
    await it.down(21, 22);
    it.operations();
    await it.up(21);
    expect(it.operations()[0]).toBe("add-destination 192.0.2.21 4");
    await it.up(22);
    expect(it.operations()).toEqual(["add-destination 192.0.2.22 1"]);
    await it.down(21);
    expect(it.operations()).toEqual(["edit-destination 192.0.2.22 4", "delete-destination 192.0.2.21"]);
  });

  test.each(["mh", "sh", "rr", "fo"])("never under %s", async (name) => {
    const it = await running({
      servers,
      slowStart: 30_000,
      scheduler: { name, fallback: false, port: false, flags: [] },
    });
    await it.down(21);
    await it.up(21);
    expect(it.operations()).toEqual(["delete-destination 192.0.2.21", "add-destination 192.0.2.21 4"]);
  });
});
