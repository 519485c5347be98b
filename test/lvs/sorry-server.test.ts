/** How the sorry server comes and goes: never beside live servers, and not with its connections. */
import { describe, expect, test } from "vitest";
import type { SorryServerParameters, VirtualServerParameters } from "../../src/lvs/parameters.ts";
import { ErrorNumber } from "../../src/socket/errno.ts";
import {
  lvs,
  realServer,
  SimulatedBalancer,
  service,
  VirtualTime,
  virtualServer,
} from "../support/simulated-balancer.ts";
import { MemoryNote, SimulatedIpvs } from "../support/simulated-ipvs.ts";

const web = "tcp 192.0.2.10:80 wlc";

/** `n` is the last part of its address. */
const sorry = (n: number, changes: Partial<SorryServerParameters> = {}): SorryServerParameters => ({
  name: `192.0.2.${n}:80`,
  family: 4,
  address: `192.0.2.${n}`,
  port: 80,
  forwarding: { method: "dr" },
  inhibit: false,
  ...changes,
});

/** The sorry server stands in, with a connection. */
async function stoodIn(changes: Partial<VirtualServerParameters> = {}) {
  const it = new SimulatedBalancer();
  await it.start(lvs(virtualServer({ sorryServer: sorry(30), ...changes })));
  await it.down(21, 22);
  for (const each of changes.services ?? [service()]) it.kernel.destination(each, "192.0.2.30:80").active = 1;
  it.operations();
  it.told();
  return it;
}

test("while it stands in, nobody is put in beside it before the quorum is reached", async () => {
  const servers = [21, 22, 23].map((n) => realServer(n));
  const parameters = lvs(virtualServer({ servers, quorum: 2, sorryServer: sorry(30) }));
  const it = new SimulatedBalancer();
  await it.start(parameters);
  await it.up(21);
  expect(it.kernel.text()).toEqual({ [web]: ["192.0.2.30:80 dr 1"] });
  it.operations();
  await it.up(22);
  expect(it.operations().slice(0, 3)).toEqual([
    "add-destination 192.0.2.21 1",
    "add-destination 192.0.2.22 1",
    "edit-destination 192.0.2.30 0",
  ]);
  // What is found in the table goes on beside it, until that is known.
  const found = new SimulatedBalancer(it.kernel, it.time);
  it.kernel.perform({ type: "delete-destination", service: service(), family: 4, address: "192.0.2.22", port: 80 });
  it.kernel.perform({
    type: "add-destination",
    service: service(),
    settings: { ...sorry(30), port: 80, weight: 1, upperThreshold: 0, lowerThreshold: 0 },
  });
  await found.start(parameters);
  expect(found.operations()).toEqual([]);
  await found.up(22);
  expect(found.operations().slice(0, 2)).toEqual(["add-destination 192.0.2.22 1", "edit-destination 192.0.2.30 0"]);
});

describe("when it is no longer needed", () => {
  test("it gets nothing new, keeps its connections, and goes when they have ended", async () => {
    const it = await stoodIn();
    await it.up(21);
    await it.time.advance(30_000);
    expect(it.operations()).toEqual(["add-destination 192.0.2.21 1", "edit-destination 192.0.2.30 0"]);
    it.kernel.destination(service(), "192.0.2.30:80").active = 0;
    await it.time.advance(2500);
    expect(it.operations()).toEqual(["delete-destination 192.0.2.30"]);
    await it.time.advance(120_000);
    expect(it.operations()).toEqual([]);
  });

  test("it does not wait for connections that the kernel only remembers", async () => {
    const it = await stoodIn();
    it.kernel.destination(service(), "192.0.2.30:80").inactive = 7;
    await it.up(21);
    await it.time.advance(30_000);
    it.operations();
    it.kernel.destination(service(), "192.0.2.30:80").active = 0;
    await it.time.advance(2500);
    expect(it.operations()).toEqual(["delete-destination 192.0.2.30"]);
  });

  test("it goes when its time is over", async () => {
    const it = await stoodIn();
    await it.up(21);
    await it.time.advance(59_999);
    expect(it.operations()).toEqual(["add-destination 192.0.2.21 1", "edit-destination 192.0.2.30 0"]);
    await it.time.advance(1);
    expect(it.operations()).toEqual(["delete-destination 192.0.2.30"]);
  });

  test("the status tells how far it is", async () => {
    const it = await stoodIn();
    await it.up(21);
    it.kernel.destination(service(), "192.0.2.30:80").inactive = 2;
    expect((await it.status()).virtual_servers[0]?.sorry_server).toEqual({
      name: "192.0.2.30:80",
      standing_in: false,
      kernel_weight: 0,
      active_connections: 1,
      inactive_connections: 2,
      until: new Date(it.time.now().wall + 60_000).toISOString(),
    });
    await it.time.advance(60_000);
    expect((await it.status()).virtual_servers[0]?.sorry_server).toMatchObject({ kernel_weight: null, until: null });
  });

  test("it stands in again from there, and has all of its time afterwards", async () => {
    const it = await stoodIn();
    await it.up(21);
    await it.time.advance(50_000);
    it.operations();
    await it.down(21);
    expect(it.operations()).toEqual(["edit-destination 192.0.2.30 1", "delete-destination 192.0.2.21"]);
    await it.up(21);
    await it.time.advance(59_999);
    expect(it.operations()).toEqual(["add-destination 192.0.2.21 1", "edit-destination 192.0.2.30 0"]);
  });

  test("where the servers that are back are refused, it goes on", async () => {
    const it = await stoodIn();
    it.kernel.refuse = ({ type }) => (type === "add-destination" ? ErrorNumber.ENOMEM : undefined);
    await it.up(21, 22);
    await it.time.advance(120_000);
    expect(it.kernel.text()).toEqual({ [web]: ["192.0.2.30:80 dr 1"] });
    it.kernel.refuse = () => undefined;
    await it.time.advance(61_000);
    expect(it.kernel.text()[web]).toEqual(expect.arrayContaining(["192.0.2.21:80 dr 1", "192.0.2.22:80 dr 1"]));
  });

  test("with drain_timeout 0 it goes at once", async () => {
    const it = await stoodIn({ drainTimeout: 0 });
    await it.up(21);
    expect(it.operations()).toEqual(["add-destination 192.0.2.21 1", "delete-destination 192.0.2.30"]);
  });

  test("over a restart it goes on leaving", async () => {
    const [kernel, time, note] = [new SimulatedIpvs(), new VirtualTime(), new MemoryNote()];
    const parameters = lvs(virtualServer({ sorryServer: sorry(30) }));
    const first = new SimulatedBalancer(kernel, time, note);
    await first.start(parameters);
    await first.down(21, 22);
    kernel.destination(service(), "192.0.2.30:80").active = 1;
    await first.up(21);
    await time.advance(20_000);
    const second = new SimulatedBalancer(kernel, time.fork(), note);
    await second.start(parameters);
    second.operations();
    await second.time.advance(39_000);
    expect(second.operations()).toEqual([]);
    await second.time.advance(1001);
    expect(second.operations()).toEqual(["delete-destination 192.0.2.30"]);
  });

  const udp = [service("192.0.2.10", 80, "udp")];
  const scheduler = (name: string, fallback: boolean) => ({ name, fallback, port: false, flags: [] });
  test.each([
    // They stay with a server of weight 0 for as long as they send.
    { name: "datagrams", changes: { services: udp } },
    // Known clients come to it with new connections.
    { name: "persistent clients", changes: { persistence: { timeout: 60_000, prefixLength: 32 } } },
    // They refuse whom they would send to a server of weight 0.
    { name: "mh without fallback", changes: { scheduler: scheduler("mh", false) } },
    { name: "dh", changes: { scheduler: scheduler("dh", false) } },
    // Its place in the list moves everybody.
    { name: "sh", changes: { scheduler: scheduler("sh", true) } },
  ])("$name: it goes at once", async ({ changes }) => {
    const it = await stoodIn(changes);
    await it.up(21);
    await it.time.advance(10_000);
    expect(it.operations().at(-1)).toBe("delete-destination 192.0.2.30");
    expect(Object.values(it.kernel.text()).flat()).not.toContain("192.0.2.30:80 dr 0");
  });

  test("mh with fallback passes it over, and it keeps its connections", async () => {
    const it = await stoodIn({ scheduler: scheduler("mh", true) });
    await it.up(21);
    expect(it.operations()).toEqual(["add-destination 192.0.2.21 1", "edit-destination 192.0.2.30 0"]);
  });
});

describe("a real server and the sorry server change places in one reload", () => {
  test("a real server that becomes the sorry server keeps its connections", async () => {
    const it = new SimulatedBalancer();
    await it.start(lvs(virtualServer()));
    await it.up(21, 22);
    it.kernel.destination(service(), "192.0.2.22:80").active = 1;
    it.operations();
    it.told();
    await it.reload(lvs(virtualServer({ servers: [realServer(21)], sorryServer: sorry(22) })));
    await it.time.advance(30_000);
    expect(it.operations()).toEqual(["edit-destination 192.0.2.22 0"]);
    expect(it.told()).toEqual(["192.0.2.22:80 up → leaving: it is the sorry server now"]);
    it.kernel.destination(service(), "192.0.2.22:80").active = 0;
    await it.time.advance(2500);
    expect(it.operations()).toEqual(["delete-destination 192.0.2.22"]);
  });

  test("one of a service of datagrams is drained as any that leaves the file", async () => {
    const services = [service("192.0.2.10", 80, "udp")];
    const it = new SimulatedBalancer();
    await it.start(lvs(virtualServer({ services })));
    await it.up(21, 22);
    it.kernel.destination(service("192.0.2.10", 80, "udp"), "192.0.2.22:80").inactive = 1;
    it.operations();
    await it.reload(lvs(virtualServer({ services, servers: [realServer(21)], sorryServer: sorry(22) })));
    await it.time.advance(59_000);
    expect(it.operations()).toEqual(["edit-destination 192.0.2.22 0"]);
    await it.time.advance(1000);
    expect(it.operations()).toEqual(["delete-destination 192.0.2.22"]);
  });

  test("so is one that was leaving already, over a restart as well", async () => {
    const address = service("192.0.2.10", 80, "udp");
    const [kernel, time, note] = [new SimulatedIpvs(), new VirtualTime(), new MemoryNote()];
    const first = new SimulatedBalancer(kernel, time, note);
    await first.start(lvs(virtualServer({ services: [address] })));
    await first.up(21, 22);
    kernel.destination(address, "192.0.2.22:80").inactive = 1;
    const left = virtualServer({ services: [address], servers: [realServer(21)] });
    await first.reload(lvs(left));
    const parameters = lvs({ ...left, sorryServer: sorry(22) });
    await first.reload(parameters);
    await time.advance(20_000);
    const second = new SimulatedBalancer(kernel, time.fork(), note);
    await second.start(parameters);
    second.operations();
    await second.time.advance(39_000);
    expect(second.operations()).toEqual([]);
    await second.time.advance(2000);
    expect(second.operations()).toEqual(["delete-destination 192.0.2.22"]);
  });

  test("the only real server becomes the sorry server: it goes on until the new one has a result", async () => {
    const it = new SimulatedBalancer();
    await it.start(lvs(virtualServer({ servers: [realServer(21)] })));
    await it.up(21);
    it.kernel.destination(service(), "192.0.2.21:80").active = 1;
    it.operations();
    await it.reload(lvs(virtualServer({ servers: [realServer(22)], sorryServer: sorry(21) })));
    expect(it.kernel.text()).toEqual({ [web]: ["192.0.2.21:80 dr 1"] });
    expect(it.operations()).toEqual([]);
    await it.up(22);
    expect(it.operations()).toEqual(["add-destination 192.0.2.22 1", "edit-destination 192.0.2.21 0"]);
  });

  test("a sorry server that stands in and becomes a real server goes on, with the weight of the file", async () => {
    const it = await stoodIn();
    await it.reload(lvs(virtualServer({ servers: [21, 22, 30].map((n) => realServer(n, { weight: 3 })) })));
    expect(it.operations()).toEqual(["edit-destination 192.0.2.30 3"]);
    await it.up(30);
    await it.time.advance(120_000);
    expect(it.operations()).toEqual([]);
    expect(it.kernel.destination(service(), "192.0.2.30:80").active).toBe(1);
  });

  test("a sorry server that leaves and becomes a real server keeps its connections, and waits for its result", async () => {
    const it = await stoodIn();
    await it.up(21);
    it.operations();
    await it.reload(lvs(virtualServer({ servers: [21, 22, 30].map((n) => realServer(n)) })));
    await it.time.advance(120_000);
    expect(it.operations()).toEqual([]);
    await it.up(30);
    expect(it.operations()).toEqual(["edit-destination 192.0.2.30 1"]);
  });

  test("they swap while the real server works", async () => {
    const it = new SimulatedBalancer();
    await it.start(lvs(virtualServer({ servers: [realServer(21)], sorryServer: sorry(30) })));
    await it.up(21);
    it.kernel.destination(service(), "192.0.2.21:80").active = 1;
    it.operations();
    await it.reload(lvs(virtualServer({ servers: [realServer(30)], sorryServer: sorry(21) })));
    await it.up(30);
    it.kernel.destination(service(), "192.0.2.30:80").active = 1;
    expect(it.operations()).toEqual(["add-destination 192.0.2.30 1", "edit-destination 192.0.2.21 0"]);
    await it.reload(lvs(virtualServer({ servers: [realServer(21)], sorryServer: sorry(30) })));
    await it.up(21);
    expect(it.operations()).toEqual(["edit-destination 192.0.2.21 1", "edit-destination 192.0.2.30 0"]);
  });
});
