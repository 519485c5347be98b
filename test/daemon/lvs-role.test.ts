import { expect, onTestFinished, test } from "vitest";
import { LvsRole } from "../../src/daemon/lvs-role.ts";
import type { LvsEvent } from "../../src/lvs/status.ts";
import { SimulatedIpvs } from "../support/simulated-ipvs.ts";
import { lvsParameters, realServer, virtualServer } from "./lvs-support.ts";
import { temporaryDirectory, until } from "./support.ts";

const lvs = lvsParameters(
  virtualServer("https", [realServer("192.0.2.21:443", { checks: ["one"] }), "192.0.2.22:443"]),
  virtualServer("dns", ["192.0.2.53:53"], {
    services: [{ kind: "address", family: 4, protocol: "udp", address: "192.0.2.10", port: 53 }],
    suspendUnless: "web",
  }),
);

function rig(open: () => Promise<SimulatedIpvs>, firstRetry = 10) {
  const log: string[] = [];
  const events: LvsEvent[] = [];
  const rests: string[][] = [];
  const settings = { read: async () => new Map<string, string>(), write: async () => {} };
  const facts = async () => ({
    release: "6.1.0",
    settings: new Map<string, string>(),
    modules: new Map(),
    connTabBits: undefined,
    addresses: new Set<string>(),
    reversePath: [],
    acceptsLocal: false,
  });
  const role = new LvsRole({
    event: (event) => events.push(event),
    log: (level, message) => log.push(`${level} ${message}`),
    rest: (checks) => rests.push([...checks]),
    runtimeDirectory: temporaryDirectory(),
    open,
    surroundings: { facts, interfaceIndex: () => 1, settings, now: () => performance.now() } as never,
    firstRetry,
  });
  onTestFinished(() => role.stop(false));
  return { role, log, events, rests };
}

const weights = (kernel: SimulatedIpvs) =>
  [...kernel.table.values()].flatMap(({ destinations }) =>
    destinations.map(({ settings: { address, weight } }) => `${address} ${weight}`),
  );

test("without IPVS that is told once and stands in the status, and it is tried again until it works", async () => {
  const kernel = new SimulatedIpvs();
  let attempts = 0;
  const { role, log, events } = rig(async () => {
    if (++attempts < 4) throw new Error("the kernel has no IPVS: modprobe ip_vs");
    return kernel;
  });
  role.configure(lvs);
  role.verdict({ check: "one", up: true, reason: "well" });
  role.admin([{ address: "192.0.2.22", what: { type: "drain" }, since: Date.now(), by: "root" }]);
  expect(attempts).toBe(0);
  role.start();
  await until(() => attempts === 2, "the second attempt");
  expect(log).toEqual(["error nothing is balanced: the kernel has no IPVS: modprobe ip_vs; it is tried again"]);
  expect(await role.status("all")).toMatchObject({
    trouble: "the kernel has no IPVS: modprobe ip_vs",
    virtual_servers: [{ name: "https", state: "unknown" }, { name: "dns" }],
  });
  await until(() => weights(kernel).length === 3, "the table");
  // What was told before it could be reached is in force.
  expect(weights(kernel)).toEqual(expect.arrayContaining(["192.0.2.21 10", "192.0.2.22 0"]));
  expect(log.slice(1)).toContain("info the load balancer of the kernel can be reached now");
  await until(() => events.some(({ type }) => type === "quorum"), "events");
  const one = await role.status({ name: "https" });
  expect(one).toMatchObject({ trouble: null, virtual_servers: [{ name: "https", state: "up" }] });
  expect(await role.status("none")).toBeUndefined();
});

test("a reload of the same file tries at once to reach it", async () => {
  const kernel = new SimulatedIpvs();
  let ready = false;
  const { role, log } = rig(async () => {
    if (!ready) throw new Error("the kernel has no IPVS");
    return kernel;
  }, 600_000);
  role.configure(lvs);
  role.start();
  await until(() => log.length === 1, "the first attempt");
  ready = true;
  role.reread();
  await until(() => kernel.table.size > 0, "the table");
});

test("a check through the virtual address does not run before its service is there", async () => {
  let ready = false;
  const kernel = new SimulatedIpvs();
  const { role, rests } = rig(async () => {
    if (!ready) throw new Error("the kernel has no IPVS");
    return kernel;
  });
  const [https] = lvs.virtualServers;
  if (https === undefined) throw new Error("no virtual server");
  const service = { kind: "mark", family: 4, mark: 7 } as const;
  const servers = https.servers.slice(0, 1).map((server) => ({ ...server, checks: [], alpha: false }));
  const probe = { ...https, name: "via a to b", services: [service], servers, probedBy: ["via"] };
  role.configure({ ...lvs, probes: [probe] });
  role.start();
  expect(rests).toEqual([["via"]]);
  ready = true;
  await until(() => rests.at(-1)?.length === 0, "the check");
  expect(weights(kernel)).not.toEqual([]);
  await role.stop(false);
});

test("checks of a virtual server whose instance is not active may rest, and a stop without order leaves the table", async () => {
  const kernel = new SimulatedIpvs();
  const { role, rests } = rig(async () => kernel);
  const [https, dns] = lvs.virtualServers;
  if (https === undefined || dns === undefined) throw new Error("no virtual servers");
  const watched = { ...dns, servers: dns.servers.map((server) => ({ ...server, checks: ["udp"] })) };
  role.configure({ ...lvs, virtualServers: [{ ...https, onStop: "remove" }, watched] });
  role.instance("web", "backup");
  // They do not even begin while the kernel cannot be asked yet.
  expect(rests.splice(0)).toEqual([["udp"]]);
  role.start();
  await until(() => rests.length === 1, "the balancer's own word");
  role.instance("web", "active");
  expect(rests).toEqual([["udp"], []]);
  await until(() => weights(kernel).length > 0, "the table");
  const before = weights(kernel);
  await role.stop(false);
  expect(weights(kernel)).toEqual(before);
});

test("a check that is removed and comes back under its name has to say something first", async () => {
  const kernel = new SimulatedIpvs();
  const { role } = rig(async () => kernel);
  const server = (check: string) => realServer("192.0.2.21:443", { checks: [check], alpha: true });
  const configured = (check: string) => lvsParameters(virtualServer("https", ["192.0.2.22:443", server(check)]));
  role.configure(configured("one"));
  role.verdict({ check: "one", up: true, reason: "well" });
  role.verdict({ check: "gateway", up: true, reason: "well" });
  role.start();
  await until(() => weights(kernel).length === 2, "the table");
  role.configure(lvsParameters(virtualServer("https", ["192.0.2.22:443"])));
  await until(() => weights(kernel).length === 1, "that it has left");
  role.forget("gateway");
  role.configure(configured("gateway"));
  await role.status("all");
  expect(weights(kernel)).toEqual(["192.0.2.22 10"]);
  // That one was never removed.
  role.configure(configured("one"));
  await until(() => weights(kernel).length === 2, "the server");
});

test("an orderly stop leaves the table as the configuration wants it", async () => {
  const kernel = new SimulatedIpvs();
  const { role } = rig(async () => kernel);
  const servers = virtualServer("https", ["192.0.2.22:443"], { onStop: "remove" });
  role.configure(lvsParameters(servers));
  role.start();
  await until(() => weights(kernel).length === 1, "the table");
  await role.stop(true);
  expect(kernel.table.size).toBe(0);
});
