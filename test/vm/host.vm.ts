/** What surrounds the table: sync daemons, timeouts and settings of the kernel, set, told and put back. */
import { expect } from "vitest";
import type { StatusDocument } from "../../src/daemon/status.ts";
import { type Farm, farm, server, settles, vip } from "./support/farm.ts";

const asFound = {
  daemons: [],
  timeouts: "900 120 300",
  settings: "3 50,0",
};
const asConfigured = { timeouts: "600 120 30", settings: "3 0,10" };

/** As ipvsadm and sysctl show it. */
async function around(f: Farm, node = "director") {
  const show = async (script: string) => (await f.shell(node, script)).trim().split("\n");
  const daemons = (await show("ipvsadm -L --daemon")).filter((line) => line !== "");
  const [timeouts = ""] = await show("ipvsadm -L --timeout");
  const settings = await show("cd /proc/sys/net/ipv4/vs; cat sync_threshold sync_refresh_period");
  return {
    daemons: daemons.map((line) => line.replace(/ sync daemon.*/, "")).sort(),
    timeouts: timeouts.replace(/^[^:]*: /, ""),
    settings: settings.map((value) => value.replace(/\s+/g, " ")).join(","),
  };
}

const instance = (priority: number) => `
vrrp_instance:
  web:
    interface: e0
    virtual_router_id: 51
    priority: ${priority}
    advert_int: 200ms
    virtual_ipaddress: [${vip}/24]
`;
const global = `
global:
  lvs_reconcile_interval: 1s
  lvs_sync_daemon: { interface: e1, instance: web }
  lvs_timeouts: { tcp: 10m, udp: 30s }
  lvs_sysctl: { sync_threshold: 3 0, sync_refresh_period: 10 }
`;

farm(
  "the sync daemons follow the role; all is put back by a stop, and by the next start after a kill",
  { servers: 0, address: false, timeout: 160_000 },
  async (f) => {
    const first = f.viprd(global + instance(150));
    await settles(() => around(f), { daemons: ["backup", "master"], ...asConfigured }, 60_000);
    const { lvs } = (await first.status()) as StatusDocument;
    expect(lvs?.sync_daemons).toEqual(
      expect.arrayContaining([{ role: "master", interface: "e1", sync_id: 51, from: "viprd" }]),
    );
    expect(lvs).toMatchObject({
      kernel: { ipvs_version: "1.2.1", connection_table_size: 4096 },
      timeouts_s: { tcp: 600, tcp_fin: 120, udp: 30 },
      settings: [
        { name: "net.ipv4.vs.sync_threshold", value: "3 0", before: "3 50" },
        { name: "net.ipv4.vs.sync_refresh_period", value: "10", before: "0" },
      ],
      problems: [],
    });
    await first.cli("maintenance", "on");
    await settles(() => around(f), { daemons: ["backup"], ...asConfigured }, 20_000);
    // What somebody else changes or stops is as configured again.
    await f.shell(
      "director",
      "echo 5 100 > /proc/sys/net/ipv4/vs/sync_threshold; ipvsadm --set 0 0 77; ipvsadm --stop-daemon backup",
    );
    await settles(() => around(f), { daemons: ["backup"], ...asConfigured }, 20_000);

    await first.kill9All();
    expect(await around(f)).toEqual({ daemons: ["backup"], ...asConfigured });
    const second = f.viprd(instance(150));
    await settles(() => around(f), asFound, 60_000);
    second.reload(global + instance(150));
    await settles(() => around(f), { daemons: ["backup"], ...asConfigured }, 60_000);
    await second.term();
    expect(await around(f)).toEqual(asFound);
  },
);

farm(
  "a connection goes on with the other director, which the sync daemon told of it",
  { directors: 2, servers: 2, wiring: "direct", address: false, timeout: 160_000 },
  async (f) => {
    const services = `
virtual_server:
  web:
    address: ${vip}
    port: 8080
    lvs_sched: rr
    lvs_method: dr
    check: []
    real_server:
      - { address: ${server(1)} }
      - { address: ${server(2)} }
`;
    for (const index of [1, 2]) await f.rs(index).listen("tcp", 8080);
    const better = f.viprd(global + instance(150) + services);
    await better.waitState("web", "active", 60_000);
    const other = f.viprd(global + instance(100) + services, "director2");
    await settles(async () => (await around(f)).daemons, ["backup", "master"], 60_000);
    await settles(async () => (await around(f, "director2")).daemons, ["backup"], 60_000);
    await settles(async () => (await f.saved()).length, 3);
    const flows = [await f.client.flow(vip, 8080), await f.client.flow(vip, 8080)];
    expect(flows.map((flow) => flow.server).sort()).toEqual(["rs1", "rs2"]);
    const known = async () => (await f.shell("director2", "grep -c ESTAB /proc/net/ip_vs_conn || true")).trim();
    await settles(known, "2");
    // Made in the last moments, and silent until the old director has told what it still keeps.
    flows.push(await f.client.flow(vip, 8080, 15_000));
    // The client's last acknowledgement may take its time.
    await new Promise((resolve) => setTimeout(resolve, 500));
    await better.term();
    await other.waitState("web", "active", 60_000);
    await settles(known, "3");
    const before = await Promise.all(flows.map((flow) => flow.state()));
    const further = async (): Promise<string[]> =>
      (await Promise.all(flows.map((flow) => flow.state()))).map(
        ({ returned, ended }, index) => ended || (returned > (before[index]?.returned ?? 0) ? "goes on" : "stands"),
      );
    await settles(further, ["goes on", "goes on", "goes on"], 30_000);
    await settles(async () => (await around(f, "director2")).daemons, ["backup", "master"], 10_000);
  },
);
