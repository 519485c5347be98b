/** What happens to a server whose checks fail. */
import { describe, expect, test } from "vitest";
import type { FailurePolicy, SorryServerParameters } from "../../src/lvs/parameters.ts";
import {
  adminEntry,
  lvs,
  realServer,
  SimulatedBalancer,
  service,
  virtualServer,
} from "../support/simulated-balancer.ts";

const quiesce: FailurePolicy = { action: "quiesce" };
const later: FailurePolicy = { action: "quiesce_then_remove", after: 30_000 };
const mh = { name: "mh", fallback: true, port: true, flags: [] } as const;
const sorry: SorryServerParameters = {
  name: "192.0.2.30:80",
  family: 4,
  address: "192.0.2.30",
  port: 80,
  forwarding: { method: "dr" },
  inhibit: false,
};

async function two(changes: Parameters<typeof virtualServer>[0], onFailure: FailurePolicy) {
  const it = new SimulatedBalancer();
  await it.start(
    lvs(virtualServer({ servers: [realServer(21, { onFailure }), realServer(22, { onFailure })], ...changes })),
  );
  await it.up(21, 22);
  it.operations();
  return it;
}

describe("the failure policy", () => {
  test("quiesce: weight 0, and back", async () => {
    const it = await two({}, quiesce);
    await it.down(21);
    expect(it.operations()).toEqual(["edit-destination 192.0.2.21 0"]);
    await it.up(21);
    expect(it.operations()).toEqual(["edit-destination 192.0.2.21 1"]);
  });

  test("quiesce then remove: taken out when it has no connection left", async () => {
    const it = await two({}, later);
    it.kernel.destination(service(), "192.0.2.21:80").active = 1;
    await it.down(21);
    await it.time.advance(5000);
    expect(it.operations()).toEqual(["edit-destination 192.0.2.21 0"]);
    it.kernel.destination(service(), "192.0.2.21:80").active = 0;
    await it.time.advance(1500);
    expect(it.operations()).toEqual(["delete-destination 192.0.2.21"]);
    await it.time.advance(60_000);
    expect(it.operations()).toEqual([]);
  });

  test("quiesce then remove: taken out when its time is over, connections or not", async () => {
    const it = await two({}, later);
    it.kernel.destination(service(), "192.0.2.21:80").inactive = 1;
    await it.down(21);
    await it.time.advance(29_000);
    expect(it.operations()).toEqual(["edit-destination 192.0.2.21 0"]);
    await it.time.advance(1000);
    expect(it.operations()).toEqual(["delete-destination 192.0.2.21"]);
  });

  test("connections counted before it was quiesced do not make it idle", async () => {
    const it = await two({}, later);
    await it.status();
    it.kernel.destination(service(), "192.0.2.21:80").active = 1;
    await it.down(21);
    expect(it.operations()).toEqual(["edit-destination 192.0.2.21 0"]);
  });

  test("mh with fallback: servers take their places at once, keep them for the whole time, and go in one step", async () => {
    const it = new SimulatedBalancer();
    const servers = [21, 22, 23].map((n) => realServer(n, { onFailure: later }));
    await it.start(lvs(virtualServer({ scheduler: mh, servers })));
    expect(it.operations()).toEqual([
      "add-service",
      "add-destination 192.0.2.21 0",
      "add-destination 192.0.2.22 0",
      "add-destination 192.0.2.23 0",
    ]);
    await it.up(23);
    await it.up(21, 22);
    await it.down(21);
    await it.time.advance(29_999);
    expect(it.operations()).toEqual([
      "edit-destination 192.0.2.23 1",
      "edit-destination 192.0.2.21 1",
      "edit-destination 192.0.2.22 1",
      "edit-destination 192.0.2.21 0",
    ]);
    await it.time.advance(1);
    expect(it.operations()).toEqual(["delete-destination 192.0.2.21"]);
  });

  test("datagrams: taken out at once, as their connections never end by themselves", async () => {
    const it = await two({ services: [service("192.0.2.10", 80, "udp")] }, quiesce);
    await it.down(21);
    expect(it.operations()).toEqual(["delete-destination 192.0.2.21"]);
  });

  test("datagrams scheduled one by one have no connections, and mh keeps its places", async () => {
    const udp = [service("192.0.2.10", 80, "udp")];
    for (const changes of [{ onePacket: true }, { scheduler: mh }]) {
      const it = await two({ services: udp, ...changes }, quiesce);
      await it.down(21);
      expect(it.operations()).toEqual(["edit-destination 192.0.2.21 0"]);
    }
  });

  test("a server is up only when all of its checks are", async () => {
    const it = new SimulatedBalancer();
    await it.start(lvs(virtualServer({ servers: [realServer(21, { checks: ["c21", "c99"] })] })));
    await it.up(21);
    expect(it.kernel.text()).toEqual({ "tcp 192.0.2.10:80 wlc": [] });
    await it.up(99);
    expect(it.kernel.text()).toEqual({ "tcp 192.0.2.10:80 wlc": ["192.0.2.21:80 dr 1"] });
    await it.down(99);
    expect(it.told().slice(-2)).toEqual([
      "192.0.2.21:80 up → down: c99: refused",
      "quorum down: no server is in service",
    ]);
  });

  test("without alpha a server is in until it is proven down", async () => {
    const it = new SimulatedBalancer();
    await it.start(lvs(virtualServer({ servers: [realServer(21, { alpha: false })] })));
    expect(it.operations()).toEqual(["add-service", "add-destination 192.0.2.21 1"]);
    await it.down(21);
    expect(it.operations()).toEqual(["delete-destination 192.0.2.21"]);
  });

  test("a server without checks is up", async () => {
    const it = new SimulatedBalancer();
    await it.start(lvs(virtualServer({ servers: [realServer(21, { checks: [] })] })));
    expect(it.operations()).toEqual(["add-service", "add-destination 192.0.2.21 1"]);
  });
});

describe("quorum and sorry server", () => {
  test("when the quorum is lost the sorry server comes before the servers that are up go, and goes after they are back", async () => {
    const servers = [21, 22, 23].map((n) => realServer(n));
    const it = await two({ servers, quorum: 2, sorryServer: sorry }, quiesce);
    await it.up(23);
    await it.down(22);
    it.operations();
    it.told();
    await it.down(23);
    expect(it.operations()).toEqual([
      "add-destination 192.0.2.30 1",
      "delete-destination 192.0.2.21",
      "delete-destination 192.0.2.23",
    ]);
    expect(it.told()).toEqual([
      "192.0.2.23:80 up → down: c23: refused",
      "sorry server in: weight 1 in service, quorum 2: lost; 192.0.2.30:80 stands in",
      "quorum down: weight 1 in service, quorum 2: lost; 192.0.2.30:80 stands in",
    ]);
    await it.up(22);
    expect(it.operations()).toEqual([
      "add-destination 192.0.2.21 1",
      "add-destination 192.0.2.22 1",
      "edit-destination 192.0.2.30 0",
      "delete-destination 192.0.2.30",
    ]);
  });

  test("servers that are up make way for it only when it is seen to be there", async () => {
    const { kernel, time } = await two({ quorum: 2, sorryServer: sorry }, { action: "remove" });
    const settings = { ...sorry, port: 80, weight: 1, upperThreshold: 0, lowerThreshold: 0 };
    kernel.perform({ type: "add-destination", service: service(), settings });
    kernel.perform({ type: "delete-destination", service: service(), family: 4, address: "192.0.2.22", port: 80 });
    // Found in the table, both go on until the other server has a result.
    const it = new SimulatedBalancer(kernel, time);
    await it.start(lvs(virtualServer({ quorum: 2, sorryServer: sorry })));
    await it.up(21);
    // Somebody else, and nobody has seen it yet.
    const standsIn = it.kernel.destination(service(), "192.0.2.30:80");
    standsIn.settings = { ...standsIn.settings, weight: 0 };
    it.operations();
    await it.down(22);
    expect(it.operations()).toEqual(["edit-destination 192.0.2.30 1", "delete-destination 192.0.2.21"]);
  });

  test("with inhibit, the servers that are up stay with weight 0 meanwhile", async () => {
    const it = await two({ quorum: 2, sorryServer: { ...sorry, inhibit: true } }, { action: "remove" });
    await it.down(22);
    expect(it.operations()).toEqual([
      "add-destination 192.0.2.30 1",
      "edit-destination 192.0.2.21 0",
      "delete-destination 192.0.2.22",
    ]);
  });

  test("without a sorry server the servers that are up stay in when the quorum is lost", async () => {
    const it = await two({ quorum: 2 }, { action: "remove" });
    await it.down(22);
    expect(it.operations()).toEqual(["delete-destination 192.0.2.22"]);
    expect(it.told().at(-1)).toBe("quorum down: weight 1 in service, quorum 2: lost");
  });

  test("where the sorry server is refused, servers that are up do not make way for it", async () => {
    const it = await two({ quorum: 2, sorryServer: sorry }, { action: "remove" });
    it.kernel.refuse = (operation) =>
      operation.type === "add-destination" && operation.settings.address === "192.0.2.30" ? 22 : undefined;
    await it.down(22);
    expect(it.kernel.text()).toEqual({ "tcp 192.0.2.10:80 wlc": ["192.0.2.21:80 dr 1"] });
    it.kernel.refuse = () => undefined;
    await it.time.advance(2000);
    expect(it.kernel.text()).toEqual({ "tcp 192.0.2.10:80 wlc": ["192.0.2.30:80 dr 1"] });
  });
});

describe("the panic threshold", () => {
  test("failures take no more servers out once fewer than the share would be left", async () => {
    const it = new SimulatedBalancer();
    const servers = [21, 22, 23, 24].map((n) => realServer(n));
    await it.start(lvs(virtualServer({ servers, panicThreshold: 50 })));
    await it.up(21, 22, 23, 24);
    await it.down(21);
    await it.down(22);
    it.operations();
    it.told();
    await it.down(23, 24);
    expect(it.operations()).toEqual([]);
    expect(it.told()).toEqual([
      "192.0.2.23:80 up → down: c23: refused; keeps its weight, as fewer than 50% would be left",
      "192.0.2.24:80 up → down: c24: refused; keeps its weight, as fewer than 50% would be left",
      "warning: failures take no more servers out: fewer than 50% would be left (panic_threshold)",
    ]);
    await it.up(21);
    expect(it.operations()).toEqual(["add-destination 192.0.2.21 1", "delete-destination 192.0.2.23"]);
  });

  test("as long as the checks of one server pass, those that are kept hold the quorum, and the sorry server stands by", async () => {
    const it = new SimulatedBalancer();
    const servers = [21, 22, 23, 24].map((n) => realServer(n));
    await it.start(lvs(virtualServer({ servers, panicThreshold: 50, quorum: 2, sorryServer: sorry })));
    await it.up(21, 22, 23, 24);
    await it.down(21, 22, 23);
    expect(it.kernel.text()).toEqual({ "tcp 192.0.2.10:80 wlc": ["192.0.2.24:80 dr 1", "192.0.2.23:80 dr 1"] });
    expect((await it.status()).virtual_servers[0]).toMatchObject({ state: "up", panic: true });
  });

  test("when the checks of none pass the sorry server stands in: nobody is kept in its place", async () => {
    const it = new SimulatedBalancer();
    const servers = [21, 22, 23, 24].map((n) => realServer(n));
    await it.start(lvs(virtualServer({ servers, panicThreshold: 50, sorryServer: sorry })));
    await it.up(21, 22, 23, 24);
    await it.down(21, 22, 23);
    it.operations();
    it.told();
    await it.down(24);
    expect(it.operations()).toEqual([
      "add-destination 192.0.2.30 1",
      "delete-destination 192.0.2.23",
      "delete-destination 192.0.2.24",
    ]);
    expect(it.told()).toEqual([
      "192.0.2.24:80 up → down: c24: refused",
      "warning: no server is left whose checks pass: the sorry server stands in, and nobody is kept for the panic_threshold of 50%",
      "sorry server in: no server is in service; 192.0.2.30:80 stands in",
      "quorum down: no server is in service; 192.0.2.30:80 stands in",
    ]);
    await it.up(22);
    expect(it.operations()[0]).toBe("add-destination 192.0.2.22 1");
    expect((await it.status()).virtual_servers[0]).toMatchObject({ state: "up", panic: false });
  });

  test("all fail at once: without a sorry server half of them are kept, with one it stands in", async () => {
    for (const [sorryServer, left] of [[undefined, 2] as const, [sorry, 1] as const]) {
      const it = new SimulatedBalancer();
      const servers = [21, 22, 23, 24].map((n) => realServer(n));
      await it.start(lvs(virtualServer({ servers, panicThreshold: 50, ...(sorryServer && { sorryServer }) })));
      await it.up(21, 22, 23, 24);
      await it.down(21, 22, 23, 24);
      expect(it.kernel.text()["tcp 192.0.2.10:80 wlc"]).toHaveLength(left);
    }
  });

  test("a drained server does not keep the sorry server away", async () => {
    const it = await two({ panicThreshold: 100, sorryServer: sorry }, { action: "remove" });
    await it.admin(adminEntry(21, { type: "drain" }));
    it.operations();
    await it.down(22);
    expect(it.operations()).toEqual(["add-destination 192.0.2.30 1", "delete-destination 192.0.2.22"]);
  });

  test("a server that was never in is not put in", async () => {
    const it = new SimulatedBalancer();
    await it.start(lvs(virtualServer({ panicThreshold: 50 })));
    await it.down(21, 22);
    expect(it.kernel.text()).toEqual({ "tcp 192.0.2.10:80 wlc": [] });
  });
});

test("a server that flaps stays down until it was quiet for long enough", async () => {
  const it = await two({ flapDamping: { changes: 3, within: 60_000 } }, { action: "remove" });
  for (let i = 0; i < 2; i++) {
    await it.down(21);
    await it.time.advance(1000);
    await it.up(21);
    await it.time.advance(1000);
  }
  expect(it.kernel.text()).toEqual({ "tcp 192.0.2.10:80 wlc": ["192.0.2.22:80 dr 1"] });
  await it.time.advance(58_000);
  expect(it.kernel.text()).toEqual({ "tcp 192.0.2.10:80 wlc": ["192.0.2.22:80 dr 1"] });
  await it.time.advance(1001);
  expect(it.kernel.text()).toEqual({ "tcp 192.0.2.10:80 wlc": ["192.0.2.21:80 dr 1", "192.0.2.22:80 dr 1"] });
});
