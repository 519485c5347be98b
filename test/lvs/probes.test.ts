/** Services that checks go through: there whatever becomes of the server, unseen, and gone with the checks. */
import { expect, test } from "vitest";
import type { LvsParameters } from "../../src/lvs/parameters.ts";
import { serviceText } from "../../src/lvs/text.ts";
import { adminEntry, lvs, realServer, SimulatedBalancer, virtualServer } from "../support/simulated-balancer.ts";

const service = { kind: "mark", family: 4, mark: 0x7669_0001 } as const;

function probed(): LvsParameters {
  const probe = virtualServer({
    name: "via 192.0.2.10:80 to 192.0.2.21:80",
    services: [service],
    servers: [realServer(21, { checks: [], alpha: false })],
    drainTimeout: 0,
    onStop: "remove",
    probedBy: ["c21"],
  });
  return { ...lvs(virtualServer()), probes: [probe] };
}

async function running() {
  const it = new SimulatedBalancer();
  await it.start(probed());
  return it;
}

test("a check runs once its service is in the table", async () => {
  const it = await running();
  expect(it.rests.map((checks) => [...checks])).toEqual([["c21"], []]);
});

test("a further check of a service that is there is told that it may run", async () => {
  const it = await running();
  const { probes = [], ...rest } = probed();
  it.rests.length = 0;
  await it.reload({ ...rest, probes: probes.map((probe) => ({ ...probe, probedBy: ["c21", "more"] })) });
  expect(it.rests.map((checks) => [...checks])).toEqual([[]]);
});

test("what is down or drained is asked on, and nothing is told of the service", async () => {
  const it = await running();
  await it.up(21, 22);
  await it.admin(adminEntry(21, { type: "maintenance" }));
  await it.admin();
  await it.down(21);
  it.told();
  const status = await it.status();
  expect(status.virtual_servers.map(({ name }) => name)).toEqual(["web"]);
  expect(status.unmanaged).toEqual([]);
  const operations = it.operations().filter((text) => text.includes("192.0.2.21"));
  // Made twice, as the service for clients and as that of the check, of which only the first is changed.
  expect(operations.filter((text) => text.startsWith("add-destination"))).toHaveLength(2);
  expect(operations.filter((text) => text.startsWith("delete-destination"))).toHaveLength(1);
});

test("it goes when the check goes, and when viprd stops", async () => {
  const it = await running();
  await it.reload(lvs(virtualServer()));
  expect(it.operations().filter((text) => text.startsWith("delete-service"))).toHaveLength(1);
  await it.reload(probed());
  it.operations();
  await it.stop();
  expect(it.operations()).toContainEqual(expect.stringContaining("delete-service"));
  expect(serviceText(service)).toContain(String(0x7669_0001));
});
