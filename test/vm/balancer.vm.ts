/** The balancer on a real kernel, beside ipvsadm: what it makes of verdicts, of what others do, and of a table it finds. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { expect, test } from "vitest";
import { Balancer } from "../../src/lvs/balancer.ts";
import { type Ipvs, openIpvs } from "../../src/lvs/ipvs.ts";
import type { LvsParameters, VirtualServerParameters } from "../../src/lvs/parameters.ts";
import type { LvsEvent } from "../../src/lvs/status.ts";
import type { IpvsPort, Operation } from "../../src/lvs/table.ts";
import { Namespace, until } from "../support/netlink-namespace.ts";
import { lvs, realServer, service, virtualServer } from "../support/simulated-balancer.ts";

interface Director {
  readonly ipvs: Ipvs;
  /** What was written through it. */
  readonly written: Operation[];
  readonly events: LvsEvent[];
  ipvsadm(...args: readonly string[]): string;
  /** A balancer that has settled; ended with the test. */
  balancer(parameters: LvsParameters, up: readonly number[]): Promise<Balancer>;
}

function director(name: string, body: (director: Director) => Promise<void>): void {
  test(name, { timeout: 60_000 }, async () => {
    const namespace = new Namespace();
    let inside: ChildProcess | undefined;
    let ipvs: Ipvs | undefined;
    const running: Balancer[] = [];
    try {
      namespace.batch(["link add d0 type dummy", "link set d0 up", "addr add 192.0.2.1/24 dev d0"]);
      inside = spawn("ip", ["netns", "exec", namespace.name, "sleep", "600"], { stdio: "ignore" });
      const opened = await namespace.inside(() => openIpvs({ proc: `/proc/${inside?.pid}/net/ip_vs` }));
      ipvs = opened;
      const written: Operation[] = [];
      const events: LvsEvent[] = [];
      await body({
        ipvs: opened,
        written,
        events,
        ipvsadm: (...args) =>
          execFileSync("ip", ["netns", "exec", namespace.name, "ipvsadm", ...args], { encoding: "utf8" }),
        balancer: async (parameters, up) => {
          const balancer = new Balancer({ port: noting(opened, written), event: (event) => events.push(event) });
          running.push(balancer);
          for (const n of up) balancer.verdict(`c${n}`, true, "answers");
          balancer.configure(parameters);
          balancer.start();
          await balancer.status();
          return balancer;
        },
      });
    } finally {
      for (const balancer of running) await balancer.stop();
      ipvs?.close();
      inside?.kill("SIGKILL");
      namespace.remove();
    }
  });
}

/** The same port, with a list of what goes through it. */
function noting(ipvs: Ipvs, written: Operation[]): IpvsPort {
  return {
    services: () => ipvs.services(),
    destinations: (address) => ipvs.destinations(address),
    apply: (operations) => {
      written.push(...operations);
      return ipvs.apply(operations);
    },
    fingerprint: () => ipvs.fingerprint(),
    info: () => ipvs.info(),
    timeouts: () => ipvs.timeouts(),
    setTimeouts: (timeouts) => ipvs.setTimeouts(timeouts),
    syncDaemons: () => ipvs.syncDaemons(),
    startSyncDaemon: (daemon) => ipvs.startSyncDaemon(daemon),
    stopSyncDaemon: (role) => ipvs.stopSyncDaemon(role),
    close: () => ipvs.close(),
  };
}

const mh = { name: "mh", fallback: true, port: true, flags: [] } as const;
const saved = (it: Director) => it.ipvsadm("-S", "-n").trim().split("\n");

/** Servers of the service with their weights. */
async function has({ ipvs }: Director, servers: readonly string[]): Promise<boolean> {
  const found = (await ipvs.destinations(service())).map(({ settings }) => `${settings.address} ${settings.weight}`);
  return found.sort().join() === servers.join();
}

function web(changes: Partial<VirtualServerParameters> = {}): LvsParameters {
  return { ...lvs(virtualServer(changes)), reconcileInterval: 300 };
}

director("what was balanced before a restart is balanced after it: nothing is written", async (it) => {
  const servers = [21, 22, 23].map((n) => realServer(n, { weight: n - 20, upperThreshold: 100, lowerThreshold: 50 }));
  const marked = virtualServer({
    name: "mark",
    services: [{ kind: "mark", family: 4, mark: 7 }],
    scheduler: mh,
    persistence: { timeout: 600_000, prefixLength: 24 },
    servers: [21, 22].map((n) =>
      realServer(n, { port: 0, forwarding: { method: "tun", tunnel: { type: "gue", port: 6080, checksum: "csum" } } }),
    ),
  });
  const parameters = lvs(virtualServer({ servers }), marked);
  const first = await it.balancer(parameters, [21, 22, 23]);
  await first.stop();
  expect(it.written.splice(0)).toHaveLength(7);
  const table = saved(it);
  expect(table).toHaveLength(7);
  await it.balancer(parameters, [21, 22, 23]);
  expect(it.written).toEqual([]);
  expect(saved(it)).toEqual(table);
});

director("directors whose servers came up in different orders have the same list under mh", async (it) => {
  const order = async (up: readonly number[]) => {
    const balancer = await it.balancer(web({ scheduler: mh, servers: [21, 22, 23].map((n) => realServer(n)) }), []);
    for (const n of up) {
      balancer.verdict(`c${n}`, true, "answers");
      await balancer.status();
    }
    await balancer.stop();
    const table = saved(it);
    it.ipvsadm("-C");
    return table;
  };
  const table = await order([23, 21, 22]);
  expect(table).toHaveLength(4);
  expect(await order([22, 23, 21])).toEqual(table);
});

director(
  "a verdict is in the kernel within milliseconds; the sorry server is there before the last server goes",
  async (it) => {
    const sorryServer = {
      name: "192.0.2.30:80",
      family: 4,
      address: "192.0.2.30",
      port: 80,
      forwarding: { method: "dr" },
      inhibit: false,
    } as const;
    const balancer = await it.balancer(web({ servers: [realServer(21)], sorryServer }), [21]);
    it.written.splice(0);
    const begin = performance.now();
    balancer.verdict("c21", false, "refused");
    await until("it is gone", () => has(it, ["192.0.2.30 1"]));
    expect(performance.now() - begin).toBeLessThan(500);
    expect(it.written.map(({ type }) => type)).toEqual(["add-destination", "delete-destination"]);
  },
);

director("what somebody does with ipvsadm is put right and told", async (it) => {
  const balancer = await it.balancer(web(), [21, 22]);
  const table = saved(it);
  it.ipvsadm("-e", "-t", "192.0.2.10:80", "-r", "192.0.2.21:80", "-g", "-w", "77");
  it.ipvsadm("-d", "-t", "192.0.2.10:80", "-r", "192.0.2.22:80");
  it.ipvsadm("-a", "-t", "192.0.2.10:80", "-r", "192.0.2.99:80", "-m");
  await until("the servers are as they were", () => has(it, ["192.0.2.21 1", "192.0.2.22 1"]));
  it.ipvsadm("-D", "-t", "192.0.2.10:80");
  await until("the service is back", () => has(it, ["192.0.2.21 1", "192.0.2.22 1"]));
  expect(saved(it).sort()).toEqual(table.sort());
  expect((await balancer.status()).drift.repaired).toBeGreaterThanOrEqual(4);
  const told = it.events.flatMap((event) => (event.type === "drift" ? [event.message] : []));
  expect(told).toContain("tcp 192.0.2.10:80: 192.0.2.21:80: weight 77 in place of 1");
  expect(told).toContain("tcp 192.0.2.10:80: the service is gone");
});

director("a server that the kernel refuses is told with its name, and the others serve", async (it) => {
  const broadcast = realServer(22, { name: "255.255.255.255:80", address: "255.255.255.255" });
  const balancer = await it.balancer(web({ servers: [realServer(21), broadcast] }), [21, 22]);
  expect(saved(it)).toHaveLength(2);
  expect((await balancer.status()).trouble).toMatch(/^web: add server 255\.255\.255\.255:80 to tcp 192\.0\.2\.10:80: /);
});
