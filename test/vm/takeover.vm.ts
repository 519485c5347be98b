/** Two directors: the virtual address and the connections go over together. */
import { expect } from "vitest";
import { eventually } from "../support/lab-process.ts";
import { healthPort, httpCheck, service } from "./support/config.ts";
import { farm, server, settles, vip } from "./support/farm.ts";
import type { Flow } from "./support/peer.ts";

function file(priority: number): string {
  return [
    "global:",
    "  lvs_sync_daemon: { interface: e1, instance: web, syncid: 7 }",
    "vrrp_instance:",
    "  web:",
    "    interface: e0",
    "    virtual_router_id: 51",
    `    priority: ${priority}`,
    `    virtual_ipaddress: [${vip}/24]`,
    "virtual_server:",
    service("web", { method: "direct", servers: [1, 2], check: httpCheck }),
  ].join("\n");
}

async function goesOn(flow: Flow): Promise<void> {
  const { returned } = await flow.state();
  await eventually("the connection goes on", async () => (await flow.state()).returned > returned + 5, 100_000, 200);
  const { ended, server: name } = await flow.state();
  expect({ ended, name }).toEqual({ ended: "", name: flow.server });
}

const options = { wiring: "direct", directors: 2, address: false, timeout: 290_000 } as const;

farm("a live connection outlives its director, and comes back to it", options, async (f) => {
  await Promise.all(f.servers.flatMap((rs) => [rs.listen("tcp", 80), rs.listen("http", healthPort)]));
  const [one, two] = [f.viprd(file(150), "director"), f.viprd(file(100), "director2")];
  await one.waitState("web", "active", 100_000);
  const table = [`-A -t ${vip}:80 -s rr`, ...[1, 2].map((index) => `-a -t ${vip}:80 -r ${server(index)}:80 -g -w 1`)];
  for (const director of ["director", "director2"]) await settles(() => f.saved(director), table);
  const flow = await f.client.flow(vip, 80);
  const known = async (): Promise<boolean> => /ESTABLISHED/.test(await f.shell("director2", "ipvsadm -Lnc"));
  await eventually("the other director knows the connection", known, 100_000, 500);

  // Without a word: no process, no cable.
  one.child.killTree();
  await f.shell("director", "ip link set e0 down; ip link set e1 down");
  await two.waitState("web", "active", 100_000);
  await goesOn(flow);
  expect(await f.client.many(4, vip, 80)).toEqual({ rs1: 2, rs2: 2 });

  const again = f.viprd(file(150), "director");
  await again.child.waitLine((line) => line.includes('"message":"ready"'), 100_000);
  await f.shell("director", "ip link set e1 up; ip link set e0 up");
  await again.waitState("web", "active", 100_000);
  await two.waitState("web", "backup", 100_000);
  await goesOn(flow);
  expect(await f.client.many(4, vip, 80)).toEqual({ rs1: 2, rs2: 2 });
});
