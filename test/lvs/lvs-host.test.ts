import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { LvsHost } from "../../src/lvs/lvs-host.ts";
import type { LvsParameters } from "../../src/lvs/parameters.ts";
import { daemonOf } from "../../src/lvs/sync-daemon.ts";
import type { SyncRole } from "../../src/lvs/table.ts";
import { ErrorNumber } from "../../src/socket/errno.ts";
import { SimulatedLvsHost } from "../support/simulated-lvs-host.ts";
import { balancer, server, syncDaemon, virtualServer } from "./samples.ts";

/** Nothing that the rules have something to say about. */
const quiet = balancer({ virtualServers: [] });
const conntrack = "net.ipv4.vs.conntrack";

beforeEach(() => {
  vi.useFakeTimers();
  onTestFinished(() => {
    vi.useRealTimers();
  });
});

interface Run {
  readonly host: LvsHost;
  readonly told: string[];
  /** Time passes, for the kernel as for timers. */
  pass(milliseconds: number): Promise<void>;
}

function run(kernel: SimulatedLvsHost, noteFile?: string): Run {
  const told: string[] = [];
  const host = new LvsHost({
    port: kernel,
    surroundings: kernel,
    ...(noteFile !== undefined && { noteFile }),
    event: (event) => told.push(event.type === "lvs_warning" ? `warning: ${event.message}` : event.type),
    log: (level, message) => told.push(`${level}: ${message}`),
  });
  onTestFinished(async () => {
    const stopped = host.stop();
    await vi.advanceTimersByTimeAsync(10_000);
    await stopped;
  });
  const pass = async (milliseconds: number) => {
    for (let passed = 0; passed < milliseconds; passed += 100) {
      kernel.time += 100;
      await vi.advanceTimersByTimeAsync(100);
    }
  };
  return { host, told, pass };
}

async function started(kernel: SimulatedLvsHost, parameters: LvsParameters, noteFile?: string): Promise<Run> {
  const all = run(kernel, noteFile);
  all.host.configure(parameters);
  await all.host.start();
  return all;
}

function noteFile(): string {
  const directory = mkdtempSync(join(tmpdir(), "viprd-test-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return join(directory, "lvs.json");
}

const running = (kernel: SimulatedLvsHost) => [...kernel.daemons.keys()].sort();

test("the master follows the role, the backup stays, and what a master keeps is sent before it ends", async () => {
  const kernel = new SimulatedLvsHost();
  const { host, told, pass } = await started(kernel, { ...quiet, syncDaemon });
  expect(running(kernel)).toEqual([]);
  host.instance("web", "backup");
  await pass(100);
  expect(running(kernel)).toEqual(["backup"]);
  host.instance("web", "active");
  await pass(100);
  expect(running(kernel)).toEqual(["backup", "master"]);
  host.instance("web", "backup");
  await pass(3000);
  expect(running(kernel)).toEqual(["backup", "master"]);
  await pass(400);
  expect(running(kernel)).toEqual(["backup"]);
  expect(told).toEqual([
    "info: sync backup started on eth1 with sync id 51: web is not active",
    "info: sync master started on eth1 with sync id 51: web is active",
    "info: sync master stopped: web is not active",
  ]);
  expect(host.status().sync_daemons).toEqual([{ role: "backup", interface: "eth1", sync_id: 51, from: "viprd" }]);
});

test("an instance that cannot run and so tells nothing is not active", async () => {
  const kernel = new SimulatedLvsHost();
  const { pass } = await started(kernel, { ...quiet, reconcileInterval: 3_600_000, syncDaemon });
  await pass(4900);
  expect(running(kernel)).toEqual([]);
  await pass(300);
  expect(running(kernel)).toEqual(["backup"]);
});

test("a role that comes back while the master still sends changes nothing", async () => {
  const kernel = new SimulatedLvsHost();
  const { host, pass } = await started(kernel, { ...quiet, syncDaemon });
  host.instance("web", "active");
  await pass(100);
  host.instance("web", "backup");
  await pass(1000);
  host.instance("web", "active");
  await pass(10_000);
  expect(kernel.calls).toEqual(["start master on eth1", "start backup on eth1"]);
});

test("with backup_only the backup ends before the master starts, and comes back at once", async () => {
  const kernel = new SimulatedLvsHost();
  kernel.values.set("net.ipv4.vs.backup_only", "1");
  const { host, pass } = await started(kernel, { ...quiet, syncDaemon });
  for (const state of ["backup", "active", "initialize"]) {
    host.instance("web", state);
    await pass(200);
  }
  expect(kernel.calls).toEqual(["start backup on eth1", "stop backup", "start master on eth1", "start backup on eth1"]);
});

test("an interface that is missing is told once, and the daemon starts when it comes", async () => {
  const kernel = new SimulatedLvsHost();
  kernel.interfaces.delete("eth1");
  const { host, told, pass } = await started(kernel, { ...quiet, syncDaemon });
  host.instance("web", "backup");
  await pass(20_000);
  const missing = "there is no interface eth1 for the sync daemon; it starts when the interface comes";
  expect(host.status().problems).toEqual([missing]);
  expect(told).toEqual([`warning: ${missing}`]);
  expect(kernel.calls).toEqual([]);
  kernel.interfaces.set("eth1", 9);
  await pass(1200);
  expect(running(kernel)).toEqual(["backup"]);
  expect(told.slice(1)).toEqual([
    "info: sync backup started on eth1 with sync id 51: web is not active",
    `info: no longer so: ${missing}`,
  ]);
});

test("an interface that was made anew gets a daemon that was, too", async () => {
  const kernel = new SimulatedLvsHost();
  const { host, pass } = await started(kernel, { ...quiet, syncDaemon });
  host.instance("web", "backup");
  await pass(100);
  kernel.interfaces.delete("eth1");
  await pass(6000);
  expect(running(kernel)).toEqual(["backup"]);
  kernel.interfaces.set("eth1", 17);
  await pass(6000);
  expect(kernel.calls).toEqual(["start backup on eth1", "stop backup", "start backup on eth1"]);
});

test.each<[string, number, LvsParameters, RegExp]>([
  [
    "services of mixed families",
    ErrorNumber.EINVAL,
    {
      ...balancer({
        virtualServers: [
          virtualServer({
            servers: [server({ address: "2001:db8::1", forwarding: { method: "tun", tunnel: { type: "ipip" } } })],
          }),
        ],
      }),
      syncDaemon,
    },
    /EINVAL: the kernel has no sync daemon beside services whose servers are of another address family \(web\)$/,
  ],
  [
    "no IPv6 address yet",
    ErrorNumber.ENETUNREACH,
    { ...quiet, syncDaemon: { ...syncDaemon, group: "ff05::81" } },
    /eth1 has no IPv6 address that can be used yet, or is down$/,
  ],
  ["no privilege", ErrorNumber.EPERM, { ...quiet, syncDaemon }, /needs CAP_NET_ADMIN/],
])(
  "a refusal is told in words, and tried again less and less often: %s",
  async (_name, errno, parameters, expected) => {
    const kernel = new SimulatedLvsHost();
    kernel.refusals.push(errno, errno, errno);
    const { host, told, pass } = await started(kernel, parameters);
    host.instance("web", "backup");
    await pass(6000);
    const warnings = told.filter((line) => line.startsWith("warning: start sync"));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(expected);
    expect(kernel.calls).toHaveLength(3);
    await pass(6000);
    expect(running(kernel)).toEqual(["backup"]);
    expect(host.status().problems).toEqual([]);
  },
);

test("what somebody else started is left alone, and stays in the end", async () => {
  const kernel = new SimulatedLvsHost();
  kernel.daemons.set("backup", daemonOf("backup", { ...syncDaemon, syncId: 7 }));
  const { host, told } = await started(kernel, quiet);
  expect(host.status().sync_daemons).toEqual([{ role: "backup", interface: "eth1", sync_id: 7, from: "other" }]);
  await host.stop();
  expect(kernel.calls).toEqual([]);
  expect(told).toEqual([]);
});

test("what runs as it is configured is taken over, and stays in the end", async () => {
  const kernel = new SimulatedLvsHost();
  kernel.daemons.set("backup", daemonOf("backup", syncDaemon));
  const { host, pass } = await started(kernel, { ...quiet, syncDaemon });
  host.instance("web", "backup");
  await pass(100);
  expect(host.status().sync_daemons).toMatchObject([{ from: "found" }]);
  await host.stop();
  expect(kernel.calls).toEqual([]);
});

test("what runs otherwise than configured is started anew, and ends with viprd", async () => {
  const kernel = new SimulatedLvsHost();
  kernel.daemons.set("backup", daemonOf("backup", { ...syncDaemon, interface: "eth2" }));
  const { host, told, pass } = await started(kernel, { ...quiet, syncDaemon });
  host.instance("web", "backup");
  await pass(100);
  expect(told[0]).toBe("info: sync backup stopped: it ran with interface eth2");
  expect(kernel.daemons.get("backup")?.parameters.interface).toBe("eth1");
  await host.stop();
  expect(running(kernel)).toEqual([]);
});

test("what somebody else stops is told and started again", async () => {
  const kernel = new SimulatedLvsHost();
  const { host, told, pass } = await started(kernel, { ...quiet, syncDaemon });
  host.instance("web", "backup");
  await pass(100);
  kernel.daemons.delete("backup");
  await pass(5200);
  expect(told).toContain("warning: somebody stopped the sync backup");
  expect(running(kernel)).toEqual(["backup"]);
});

test("one that left the file ends, and the rest of the configuration with it", async () => {
  const kernel = new SimulatedLvsHost();
  const { host, pass } = await started(kernel, {
    ...quiet,
    syncDaemon,
    timeouts: { udp: 30_000 },
    settings: { [conntrack]: "1" },
  });
  host.instance("web", "backup");
  await pass(100);
  host.configure(quiet);
  await pass(100);
  expect(running(kernel)).toEqual([]);
  expect(kernel.times.udp).toBe(300_000);
  expect(kernel.values.get(conntrack)).toBe("0");
});

test("an active director that stops lets the master send what it keeps", async () => {
  const kernel = new SimulatedLvsHost();
  const { host, pass } = await started(kernel, { ...quiet, syncDaemon });
  host.instance("web", "active");
  await pass(100);
  const stopped = host.stop();
  await pass(3000);
  expect(running(kernel)).toEqual(["backup", "master"]);
  await pass(300);
  await stopped;
  expect(running(kernel)).toEqual([]);
});

test("timeouts and settings are set, told in the status, and put back in the end", async () => {
  const kernel = new SimulatedLvsHost();
  const parameters = { ...quiet, timeouts: { tcp: 600_000, udp: 30_000 }, settings: { [conntrack]: "1" } };
  const file = noteFile();
  const { host } = await started(kernel, parameters, file);
  expect(host.status()).toEqual({
    kernel: { release: "6.12.1", ipvs_version: "1.2.1", connection_table_size: 4096 },
    sync_daemons: [],
    timeouts_s: { tcp: 600, tcp_fin: 120, udp: 30 },
    settings: [{ name: conntrack, value: "1", before: "0" }],
    findings: [],
    problems: [],
    digests: {},
  });
  expect(existsSync(file)).toBe(true);
  await host.stop();
  expect(kernel.times).toEqual({ tcp: 900_000, tcpFin: 120_000, udp: 300_000 });
  expect(kernel.values.get(conntrack)).toBe("0");
  expect(existsSync(file)).toBe(false);
});

test("after a kill the next run puts back what it is not told, and ends what the first one started", async () => {
  const kernel = new SimulatedLvsHost();
  const file = noteFile();
  const first = await started(
    kernel,
    { ...quiet, syncDaemon, timeouts: { tcp: 600_000, udp: 30_000 }, settings: { [conntrack]: "1" } },
    file,
  );
  first.host.instance("web", "backup");
  await first.pass(100);
  // Killed: nothing of it runs any more, and nobody has put anything back.
  const { host } = await started(kernel, { ...quiet, timeouts: { udp: 30_000 } }, file);
  expect(running(kernel)).toEqual([]);
  expect(kernel.times).toEqual({ tcp: 900_000, tcpFin: 120_000, udp: 30_000 });
  expect(kernel.values.get(conntrack)).toBe("0");
  await host.stop();
  expect(kernel.times.udp).toBe(300_000);
});

test("what is recommended is set when asked for, and then there is nothing to warn of", async () => {
  const kernel = new SimulatedLvsHost();
  const parameters = balancer();
  const plain = await started(kernel, parameters);
  expect(plain.told).toEqual([expect.stringMatching(/^warning: net\.ipv4\.ip_forward is 0: /)]);
  expect(kernel.calls).toEqual([]);
  plain.host.configure({ ...parameters, settingsProfile: "recommended" });
  await plain.pass(100);
  expect(kernel.calls).toEqual(["net.ipv4.ip_forward=1"]);
  expect(plain.host.status().findings).toEqual([]);
  await plain.pass(30_000);
  expect(kernel.calls).toHaveLength(1);
  await plain.host.stop();
  expect(kernel.values.get("net.ipv4.ip_forward")).toBe("0");
});

test("what is named goes before what is recommended", async () => {
  const kernel = new SimulatedLvsHost();
  await started(kernel, { ...balancer(), settingsProfile: "recommended", settings: { "net.ipv4.ip_forward": "0" } });
  expect(kernel.values.get("net.ipv4.ip_forward")).toBe("0");
});

test("other ports take both daemons to stop first", async () => {
  const kernel = new SimulatedLvsHost();
  kernel.values.set("net.ipv4.vs.sync_ports", "1");
  const { host, pass } = await started(kernel, { ...quiet, syncDaemon });
  host.instance("web", "active");
  await pass(100);
  kernel.calls.length = 0;
  host.configure({ ...quiet, syncDaemon, settings: { "net.ipv4.vs.sync_ports": "4" } });
  await pass(100);
  const roles: SyncRole[] = ["master", "backup"];
  expect(kernel.calls).toEqual([
    "net.ipv4.vs.sync_ports=4",
    ...roles.map((role) => `stop ${role}`),
    ...roles.map((role) => `start ${role} on eth1`),
  ]);
});

test("without ip_vs nothing is tried but to ask again, and it is told once", async () => {
  const kernel = new SimulatedLvsHost();
  kernel.loaded = false;
  const { host, told, pass } = await started(kernel, { ...quiet, settings: { [conntrack]: "1" } });
  await pass(12_000);
  expect(told).toEqual(["warning: ask the kernel for IPVS: ENOENT (there is no family IPVS)"]);
  expect(host.status().kernel).toBeNull();
  kernel.loaded = true;
  await pass(5200);
  expect(kernel.values.get(conntrack)).toBe("1");
});

test("a reload tries at once what was refused", async () => {
  const kernel = new SimulatedLvsHost();
  const parameters = { ...quiet, syncDaemon };
  for (let i = 0; i < 8; i++) kernel.refusals.push(ErrorNumber.EADDRINUSE);
  const { host, pass } = await started(kernel, parameters);
  host.instance("web", "backup");
  await pass(20_000);
  kernel.refusals.splice(0);
  expect(running(kernel)).toEqual([]);
  host.configure(parameters);
  await pass(100);
  expect(running(kernel)).toEqual(["backup"]);
});
