/** What others do to the table. */
import { describe, expect, test } from "vitest";
import type { DestinationSettings, Operation } from "../../src/lvs/table.ts";
import {
  adminEntry,
  lvs,
  realServer,
  SimulatedBalancer,
  service,
  virtualServer,
} from "../support/simulated-balancer.ts";

const web = "tcp 192.0.2.10:80";

function destination(n: number, weight: number): DestinationSettings {
  return {
    family: 4,
    address: `192.0.2.${n}`,
    port: 80,
    forwarding: { method: "dr" },
    weight,
    upperThreshold: 0,
    lowerThreshold: 0,
  };
}

const set = (n: number, weight: number): Operation => ({
  type: "edit-destination",
  service: service(),
  settings: destination(n, weight),
});
const remove = (n: number): Operation => ({
  type: "delete-destination",
  service: service(),
  family: 4,
  address: `192.0.2.${n}`,
  port: 80,
});
const add = (n: number, weight: number): Operation => ({
  type: "add-destination",
  service: service(),
  settings: destination(n, weight),
});

async function running(changes: Parameters<typeof virtualServer>[0] = {}) {
  const it = new SimulatedBalancer();
  await it.start(lvs(virtualServer(changes)));
  await it.up(21, 22);
  await it.time.advance(20_000);
  it.operations();
  it.told();
  return it;
}

describe("repair", () => {
  test.each([
    {
      name: "a changed weight",
      by: set(21, 77),
      repair: ["edit-destination 192.0.2.21 1"],
      told: "192.0.2.21:80: weight 77 in place of 1",
    },
    {
      name: "a server that was taken out",
      by: remove(21),
      repair: ["add-destination 192.0.2.21 1"],
      told: "192.0.2.21:80: is gone, it had weight 1",
    },
    {
      name: "a server that was put in",
      by: add(99, 5),
      repair: ["edit-destination 192.0.2.99 0", "delete-destination 192.0.2.99"],
      told: "192.0.2.99:80: was added with weight 5, dr",
    },
  ])("$name is put right at the next look, and told with what it was", async ({ by, repair, told }) => {
    const it = await running();
    it.kernel.perform(by);
    await it.time.advance(8000);
    expect(it.operations()).toEqual(repair);
    expect(it.told().at(-1)).toBe(`drift repaired: ${web}: ${told}`);
    expect((await it.status()).drift).toEqual({ found: 1, repaired: 1, last: `${web}: ${told}` });
  });

  test("a service that was taken away is made again with its servers in their order", async () => {
    const it = await running();
    it.kernel.perform({ type: "delete-service", service: service() });
    await it.time.advance(5000);
    expect(it.operations()).toEqual(["add-service", "add-destination 192.0.2.21 1", "add-destination 192.0.2.22 1"]);
    expect(it.told()).toEqual([`drift repaired: ${web}: the service is gone`]);
  });

  test("another scheduler is put right in place", async () => {
    const it = await running();
    const settings = { scheduler: "rr", flags: 0, timeout: 0, netmask: 0xffffffff };
    it.kernel.perform({ type: "edit-service", service: service(), settings });
    await it.time.advance(5000);
    expect(it.operations()).toEqual(["edit-service"]);
    expect(it.told()).toEqual([`drift repaired: ${web}: scheduler rr in place of wlc`]);
  });

  test("a service that is found gone by a verdict is made again at once", async () => {
    const it = await running();
    it.kernel.perform({ type: "delete-service", service: service() });
    await it.down(21);
    expect(it.kernel.text()).toEqual({ [`${web} wlc`]: ["192.0.2.22:80 dr 1"] });
  });

  test("a server that somebody took out is put in by the verdict that changes it", async () => {
    const it = await running({ servers: [realServer(21, { onFailure: { action: "quiesce" } }), realServer(22)] });
    it.kernel.perform(remove(21));
    await it.down(21);
    expect(it.kernel.text()).toEqual({ [`${web} wlc`]: ["192.0.2.21:80 dr 0", "192.0.2.22:80 dr 1"] });
  });
});

describe("what does not show in /proc/net/ip_vs is seen at every tenth look, and once a minute", () => {
  const gue = { method: "tun", tunnel: { type: "gue", port: 6080, checksum: "nocsum" } } as const;
  const servers = [realServer(21, { forwarding: gue }), realServer(22)];
  const edit = (changes: Partial<DestinationSettings>): Operation => ({
    type: "edit-destination",
    service: service(),
    settings: { ...destination(21, 1), forwarding: gue, ...changes },
  });
  const settings = { scheduler: "wlc", flags: 8, timeout: 0, netmask: 0xffffffff };
  const edits = [
    { name: "a threshold", by: edit({ upperThreshold: 5 }), told: "192.0.2.21:80: upper threshold 5 in place of 0" },
    {
      name: "another kind of tunnel",
      by: edit({ forwarding: { method: "tun", tunnel: { type: "ipip" } } }),
      told: "192.0.2.21:80: method tun ipip in place of tun gue port 6080 nocsum",
    },
    {
      name: "another port of the tunnel",
      by: edit({ forwarding: { method: "tun", tunnel: { type: "gue", port: 6081, checksum: "nocsum" } } }),
      told: "192.0.2.21:80: method tun gue port 6081 nocsum in place of tun gue port 6080 nocsum",
    },
    {
      name: "a flag of the scheduler",
      by: { type: "edit-service", service: service(), settings } as const,
      told: "flags 0x8 in place of 0x0",
    },
  ];

  test.each(edits)("$name is put right, told and counted", async ({ by, told }) => {
    const it = await running({ servers });
    it.kernel.perform(by);
    await it.time.advance(50_000);
    expect(it.operations()).toHaveLength(1);
    expect(it.told()).toEqual([`drift repaired: ${web}: ${told}`]);
    expect((await it.status()).drift).toEqual({ found: 1, repaired: 1, last: `${web}: ${told}` });
  });

  test("at long intervals, within a minute", async () => {
    const it = new SimulatedBalancer();
    await it.start({ ...lvs(virtualServer({ servers })), reconcileInterval: 20_000 });
    await it.up(21, 22);
    await it.time.advance(60_000);
    it.kernel.perform(edit({ upperThreshold: 5 }));
    it.kernel.dumps = 0;
    await it.time.advance(60_000);
    expect(it.kernel.destination(service(), "192.0.2.21:80").settings.upperThreshold).toBe(0);
    it.kernel.dumps = 0;
    await it.time.advance(300_000);
    // Not at every look.
    expect(it.kernel.dumps).toBe(5);
  });

  test.each(edits)("$name is told and left with on_drift: report", async ({ by, told }) => {
    const it = await running({ servers, onDrift: "report" });
    it.kernel.perform(by);
    await it.time.advance(200_000);
    expect(it.operations()).toEqual([]);
    expect(it.told()).toEqual([`drift: ${web}: ${told}`]);
    expect((await it.status()).drift).toEqual({ found: 1, repaired: 0, last: `${web}: ${told}` });
  });
});

describe("report", () => {
  test("a change is told once and left, until something else is wanted of that server", async () => {
    const it = await running({ onDrift: "report" });
    it.kernel.perform(set(21, 77));
    await it.time.advance(60_000);
    expect(it.operations()).toEqual([]);
    expect(it.told()).toEqual([`drift: ${web}: 192.0.2.21:80: weight 77 in place of 1`]);
    await it.down(22);
    expect(it.operations()).toEqual(["delete-destination 192.0.2.22"]);
    await it.down(21);
    expect(it.operations()).toEqual(["delete-destination 192.0.2.21"]);
    await it.up(21);
    expect(it.operations()).toEqual(["add-destination 192.0.2.21 1"]);
  });

  test("a server that was quiesced meanwhile gets its weight back", async () => {
    const servers = [21, 22].map((n) => realServer(n, { onFailure: { action: "quiesce" } }));
    const it = await running({ onDrift: "report", servers });
    it.kernel.perform(set(21, 77));
    await it.time.advance(60_000);
    await it.down(21);
    await it.up(21);
    expect(it.operations()).toEqual(["edit-destination 192.0.2.21 0", "edit-destination 192.0.2.21 1"]);
  });

  test("a server that was taken out comes in again when it has been down and is up", async () => {
    const it = await running({ onDrift: "report" });
    it.kernel.perform(remove(21));
    await it.time.advance(60_000);
    expect(it.operations()).toEqual([]);
    await it.down(21);
    expect(it.operations()).toEqual([]);
    await it.up(21);
    expect(it.operations()).toEqual(["add-destination 192.0.2.21 1"]);
  });

  test.each(["report", "ignore"] as const)(
    "%s: a server of weight 0 gets its weight when a drain ends",
    async (onDrift) => {
      const it = await running({ onDrift });
      it.kernel.perform(set(21, 0));
      await it.time.advance(60_000);
      await it.admin(adminEntry(21, { type: "drain" }));
      expect(it.operations()).toEqual([]);
      await it.admin();
      expect(it.operations()).toEqual(["edit-destination 192.0.2.21 1"]);
    },
  );

  test("what an operator says right after counts all the same", async () => {
    const it = await running({ onDrift: "report" });
    it.kernel.perform(set(21, 77));
    await it.admin(adminEntry(21, { type: "drain" }));
    expect(it.operations()).toEqual(["edit-destination 192.0.2.21 0"]);
  });

  test("a server that nobody declared is listed, and not touched", async () => {
    const it = await running({ onDrift: "report" });
    it.kernel.perform(add(99, 5));
    await it.time.advance(60_000);
    expect(it.operations()).toEqual([]);
    expect((await it.status()).virtual_servers[0]?.foreign).toEqual(["192.0.2.99:80"]);
  });

  test("a service that was taken away stays away", async () => {
    const it = await running({ onDrift: "report" });
    it.kernel.perform({ type: "delete-service", service: service() });
    await it.time.advance(60_000);
    expect(it.kernel.text()).toEqual({});
    expect(it.told()).toEqual([`drift: ${web}: the service is gone`]);
  });

  test("a reload applies the file", async () => {
    const it = await running({ onDrift: "report" });
    it.kernel.perform(set(21, 77));
    await it.time.advance(5000);
    await it.reload(lvs(virtualServer({ onDrift: "report" })));
    expect(it.operations()).toEqual(["edit-destination 192.0.2.21 1"]);
  });

  test("so does a reload of the same file, with what nobody has seen yet", async () => {
    const it = await running({ onDrift: "report" });
    it.kernel.perform(set(21, 77));
    await it.time.advance(5000);
    it.kernel.perform(remove(22));
    it.operations();
    it.balancer.reread();
    await it.time.settle();
    expect(it.operations()).toEqual(["edit-destination 192.0.2.21 1", "add-destination 192.0.2.22 1"]);
    expect(it.told()).toEqual([
      `drift: ${web}: 192.0.2.21:80: weight 77 in place of 1`,
      `drift repaired: ${web}: 192.0.2.22:80: is gone, it had weight 1`,
    ]);
  });
});

test("ignore: a change is neither told nor undone, not even by a reload", async () => {
  const it = await running({ onDrift: "ignore" });
  it.kernel.perform(set(21, 77));
  await it.time.advance(60_000);
  await it.reload(lvs(virtualServer({ onDrift: "ignore" })));
  expect(it.operations()).toEqual([]);
  expect(it.told()).toEqual([]);
});

test("services that nobody declared here are listed and never touched", async () => {
  const it = await running();
  const other = service("192.0.2.99");
  it.kernel.perform({
    type: "add-service",
    service: other,
    settings: { scheduler: "rr", flags: 0, timeout: 0, netmask: 0xffffffff },
  });
  it.kernel.perform({ type: "add-destination", service: other, settings: destination(21, 9) });
  await it.reload(lvs());
  await it.time.advance(300_000);
  expect(it.kernel.text()).toEqual({ "tcp 192.0.2.99:80 rr": ["192.0.2.21:80 dr 9"] });
  expect((await it.status()).unmanaged).toEqual(["tcp 192.0.2.99:80"]);
});

test("a dump that races a change and misses a server changes nothing", async () => {
  const it = await running();
  const { destinations } = it.kernel;
  let missed = 0;
  it.kernel.destinations = async (address) => {
    const all = await destinations.call(it.kernel, address);
    return missed++ === 0 ? all.slice(1) : all;
  };
  await it.status();
  await it.time.advance(30_000);
  expect(missed).toBeGreaterThan(1);
  expect(it.operations()).toEqual([]);
  expect(it.told()).toEqual([]);
});

test("another interval counts from the reload on", async () => {
  const it = new SimulatedBalancer();
  const file = lvs(virtualServer({ servers: [realServer(21, { checks: [] })] }));
  await it.start({ ...file, reconcileInterval: 3_600_000 });
  await it.time.advance(60_000);
  await it.reload({ ...file, reconcileInterval: 1000 });
  it.kernel.perform(set(21, 77));
  it.operations();
  await it.time.advance(1500);
  expect(it.operations()).toEqual(["edit-destination 192.0.2.21 1"]);
});

test("while nothing changes, the table is not dumped at every look", async () => {
  const it = await running();
  it.kernel.dumps = 0;
  await it.time.advance(40_000);
  expect(it.kernel.dumps).toBeLessThanOrEqual(1);
});
