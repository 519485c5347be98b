/** Other parameters while it runs: against the table, with the states of what stays. */
import { describe, expect, test } from "vitest";
import type { RealServerParameters, VirtualServerParameters } from "../../src/lvs/parameters.ts";
import { ErrorNumber } from "../../src/socket/errno.ts";
import { lvs, realServer, SimulatedBalancer, service, virtualServer } from "../support/simulated-balancer.ts";

const web = "tcp 192.0.2.10:80 wlc";

async function running(...parameters: readonly VirtualServerParameters[]) {
  const it = new SimulatedBalancer();
  await it.start(lvs(...parameters));
  await it.up(21, 22, 23);
  it.operations();
  it.told();
  return it;
}

const withServers = (...servers: readonly RealServerParameters[]) => virtualServer({ servers });

test("a server that left the file keeps its connections, gets nothing new, and goes when it has none", async () => {
  const it = await running(virtualServer());
  it.kernel.destination(service(), "192.0.2.22:80").active = 1;
  await it.reload(lvs(withServers(realServer(21))));
  await it.time.advance(10_000);
  expect(it.operations()).toEqual(["edit-destination 192.0.2.22 0"]);
  it.kernel.destination(service(), "192.0.2.22:80").active = 0;
  await it.time.advance(2000);
  expect(it.operations()).toEqual(["delete-destination 192.0.2.22"]);
  expect(it.told()).toEqual(["192.0.2.22:80 up → leaving: no longer in the file"]);
  expect((await it.status()).virtual_servers[0]?.servers.map(({ name }) => name)).toEqual(["192.0.2.21:80"]);
});

test("a server that left the file goes when its time is over", async () => {
  const it = await running(virtualServer());
  it.kernel.destination(service(), "192.0.2.22:80").active = 1;
  await it.reload(lvs(withServers(realServer(21))));
  await it.time.advance(59_999);
  expect(it.operations()).toEqual(["edit-destination 192.0.2.22 0"]);
  await it.time.advance(1);
  expect(it.operations()).toEqual(["delete-destination 192.0.2.22"]);
});

test("a server that comes back into the file while it leaves goes on as it was", async () => {
  const it = await running(virtualServer());
  it.kernel.destination(service(), "192.0.2.22:80").active = 1;
  it.balancer.forget("c22");
  await it.reload(lvs(withServers(realServer(21))));
  it.operations();
  await it.reload(lvs(virtualServer()));
  expect(it.operations()).toEqual(["edit-destination 192.0.2.22 1"]);
  expect(it.told().at(-1)).toBe("192.0.2.22:80 leaving → unknown: c22: no result yet");
});

test("a server that has the port of each service goes on as it was, too", async () => {
  const services = [service("192.0.2.10", 80), service("192.0.2.10", 443)];
  const file = (...servers: readonly number[]) => {
    const portless = servers.map((n) => {
      const { port: _, ...rest } = realServer(n, { name: `192.0.2.${n}` });
      return rest;
    });
    return virtualServer({ services, servers: portless });
  };
  const it = await running(file(21, 22));
  for (const port of [80, 443]) it.kernel.destination(service("192.0.2.10", port), `192.0.2.22:${port}`).active = 1;
  it.balancer.forget("c22");
  await it.reload(lvs(file(21)));
  expect(it.told()).toEqual([
    "192.0.2.22:80 up → leaving: no longer in the file",
    "192.0.2.22:443 up → leaving: no longer in the file",
  ]);
  it.operations();
  await it.reload(lvs(file(21, 22)));
  expect(it.operations()).toEqual(["edit-destination 192.0.2.22 1", "edit-destination 192.0.2.22 1"]);
  expect(it.told()).toEqual(["192.0.2.22 leaving → unknown: c22: no result yet"]);
});

test("a server that has left, and comes back into the file later, waits for its first result", async () => {
  const it = await running(virtualServer());
  it.balancer.forget("c22");
  await it.reload(lvs(withServers(realServer(21))));
  await it.time.advance(5000);
  expect(it.operations()).toEqual(["edit-destination 192.0.2.22 0", "delete-destination 192.0.2.22"]);
  await it.reload(lvs(virtualServer()));
  await it.time.advance(5000);
  expect(it.operations()).toEqual([]);
  await it.up(22);
  expect(it.operations()).toEqual(["add-destination 192.0.2.22 1"]);
});

test("a check that goes on while no server needs it tells nothing new: what it said last counts", async () => {
  const it = await running(virtualServer());
  await it.reload(lvs(withServers(realServer(21))));
  await it.time.advance(5000);
  await it.down(22);
  await it.reload(lvs(virtualServer()));
  expect(it.operations()).toEqual(["edit-destination 192.0.2.22 0", "delete-destination 192.0.2.22"]);
  await it.reload(lvs(withServers(realServer(21))));
  await it.up(22);
  await it.reload(lvs(virtualServer()));
  expect(it.operations()).toEqual(["add-destination 192.0.2.22 1"]);
});

test("the only server is replaced: the old one goes on until the new one has a result", async () => {
  const it = await running(withServers(realServer(21)));
  await it.reload(lvs(withServers(realServer(29))));
  expect(it.kernel.text()).toEqual({ [web]: ["192.0.2.21:80 dr 1"] });
  await it.up(29);
  expect(it.operations()).toEqual([
    "add-destination 192.0.2.29 1",
    "edit-destination 192.0.2.21 0",
    "delete-destination 192.0.2.21",
  ]);
  expect(it.kernel.text()).toEqual({ [web]: ["192.0.2.29:80 dr 1"] });
});

test("a sorry server that is replaced while it stands in goes when the other one is there", async () => {
  const sorry = (n: number) => {
    const { name, family, address, forwarding } = realServer(n);
    return { name, family, address, port: 80, forwarding, inhibit: false };
  };
  const it = new SimulatedBalancer();
  await it.start(lvs(virtualServer({ servers: [realServer(21)], sorryServer: sorry(30) })));
  await it.down(21);
  it.operations();
  await it.reload(lvs(virtualServer({ servers: [realServer(22)], sorryServer: sorry(31) })));
  await it.time.advance(2000);
  expect(it.operations()).toEqual([
    "add-destination 192.0.2.31 1",
    "edit-destination 192.0.2.30 0",
    "delete-destination 192.0.2.30",
  ]);
});

test("the only server is replaced by one that is down: the old one goes all the same", async () => {
  const it = await running(withServers(realServer(21)));
  await it.reload(lvs(withServers(realServer(29))));
  await it.down(29);
  await it.time.advance(2000);
  expect(it.kernel.text()).toEqual({ [web]: [] });
});

test("parameters change in place: nothing is taken out", async () => {
  const it = await running(virtualServer());
  await it.reload(
    lvs(
      virtualServer({
        scheduler: { name: "mh", fallback: true, port: true, flags: [] },
        persistence: { timeout: 300_000, prefixLength: 24 },
        servers: [
          realServer(21, { weight: 5, upperThreshold: 10, lowerThreshold: 5 }),
          realServer(22, { forwarding: { method: "tun", tunnel: { type: "gue", port: 6080, checksum: "csum" } } }),
        ],
      }),
    ),
  );
  expect(it.operations()).toEqual(["edit-service", "edit-destination 192.0.2.21 5", "edit-destination 192.0.2.22 1"]);
  expect(it.kernel.table.get("tcp 192.0.2.10:80")?.settings).toEqual({
    scheduler: "mh",
    flags: 0x19,
    timeout: 300,
    netmask: 0xffffff00,
  });
});

test("a server gets another check: it stays as it was until that has a result", async () => {
  const it = await running(virtualServer());
  await it.reload(lvs(withServers(realServer(21, { checks: ["other"] }), realServer(22))));
  expect(it.operations()).toEqual([]);
  it.balancer.verdict("other", false, "refused");
  await it.time.settle();
  expect(it.operations()).toEqual(["delete-destination 192.0.2.21"]);
});

describe("a service that leaves the file", () => {
  test("gets nothing new, and goes when the last connection has ended", async () => {
    const it = await running(virtualServer());
    it.kernel.destination(service(), "192.0.2.21:80").active = 1;
    await it.reload(lvs());
    await it.time.advance(5000);
    expect(it.kernel.text()).toEqual({ [web]: ["192.0.2.21:80 dr 0"] });
    it.kernel.destination(service(), "192.0.2.21:80").active = 0;
    await it.time.advance(2500);
    expect(it.kernel.text()).toEqual({});
    expect((await it.status()).virtual_servers).toEqual([]);
  });

  test("goes when its time is over", async () => {
    const it = await running(virtualServer());
    it.kernel.destination(service(), "192.0.2.21:80").active = 1;
    await it.reload(lvs());
    await it.time.advance(59_999);
    expect(it.kernel.text()).toEqual({ [web]: ["192.0.2.21:80 dr 0"] });
    await it.time.advance(1000);
    expect(it.kernel.text()).toEqual({});
  });

  test("is taken up again as it is when it comes back", async () => {
    const it = await running(virtualServer());
    it.kernel.destination(service(), "192.0.2.21:80").active = 1;
    it.kernel.destination(service(), "192.0.2.22:80").active = 1;
    await it.reload(lvs());
    it.operations();
    await it.reload(lvs(virtualServer()));
    await it.up(21, 22);
    await it.time.advance(120_000);
    expect(it.operations()).toEqual(["edit-destination 192.0.2.21 1", "edit-destination 192.0.2.22 1"]);
  });

  test("one address of several: the others are not touched", async () => {
    const services = [service("192.0.2.10"), service("192.0.2.11")];
    const it = await running(virtualServer({ services }));
    await it.reload(lvs(virtualServer({ services: [service("192.0.2.11")] })));
    await it.time.advance(5000);
    expect(it.kernel.text()).toEqual({ "tcp 192.0.2.11:80 wlc": ["192.0.2.22:80 dr 1", "192.0.2.21:80 dr 1"] });
    expect((await it.status()).virtual_servers.map(({ name }) => name)).toEqual(["web"]);
  });
});

test("a service that left the file before it could be made is read anew when it comes back", async () => {
  const it = new SimulatedBalancer();
  it.kernel.refuse = ({ type }) => (type === "add-service" ? ErrorNumber.ENOENT : undefined);
  await it.start(lvs(virtualServer()));
  await it.reload(lvs());
  it.kernel.refuse = () => undefined;
  const settings = { scheduler: "wlc", flags: 0, timeout: 0, netmask: 0xffffffff };
  it.kernel.perform({ type: "add-service", service: service(), settings });
  const { checks: _, ...there } = { ...realServer(21), weight: 1 };
  it.kernel.perform({ type: "add-destination", service: service(), settings: { ...there, port: 80 } });
  it.operations();
  await it.reload(lvs(withServers(realServer(21))));
  expect(it.operations()).toEqual([]);
  expect(it.kernel.text()).toEqual({ [web]: ["192.0.2.21:80 dr 1"] });
});

test("a service moves to another virtual server: its servers are kept, those of the old one drained", async () => {
  const it = await running(virtualServer());
  it.kernel.destination(service(), "192.0.2.21:80").active = 1;
  await it.reload(lvs(virtualServer({ name: "shop", servers: [realServer(22), realServer(23)] })));
  expect(it.operations()).toEqual(["add-destination 192.0.2.23 1", "edit-destination 192.0.2.21 0"]);
});

test("a virtual server that only changes its name changes nothing in the table", async () => {
  const it = await running(virtualServer());
  await it.reload(lvs(virtualServer({ name: "shop" })));
  expect(it.operations()).toEqual([]);
});

test("a server without a port of its own has that of each service", async () => {
  const { port: _, ...portless } = realServer(21);
  const services = [service("192.0.2.10", 80), service("192.0.2.10", 443)];
  const it = await running(virtualServer({ services, servers: [{ ...portless, name: "192.0.2.21" }] }));
  expect(it.kernel.text()).toEqual({
    "tcp 192.0.2.10:80 wlc": ["192.0.2.21:80 dr 1"],
    "tcp 192.0.2.10:443 wlc": ["192.0.2.21:443 dr 1"],
  });
  it.kernel.destination(service("192.0.2.10", 443), "192.0.2.21:443").active = 3;
  const [status] = (await it.status()).virtual_servers;
  expect(status?.servers[0]).toMatchObject({
    name: "192.0.2.21",
    desired_weight: 1,
    kernel_weight: 1,
    active_connections: 3,
  });
});
