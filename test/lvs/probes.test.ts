/** Services that checks go through: there whatever becomes of the server, unseen, and gone with the checks. */
import { describe, expect, test } from "vitest";
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

describe("what comes through a service counts when it came from its server", () => {
  const server = { family: 4, address: "192.0.2.21", port: 80 } as const;
  /** What is said of a run that began 100 ms ago. */
  const asked = async (it: SimulatedBalancer, ok = true): Promise<string | undefined> => {
    const doubt = it.balancer.doubt("c21", 100, ok);
    await it.time.settle();
    return doubt;
  };

  test("while its service leads to its server alone", async () => {
    const it = await running();
    await it.time.advance(1000);
    expect(await asked(it)).toBeUndefined();
    expect(await asked(it, false)).toBeUndefined();
  });

  test.each([
    { name: "its service is gone", by: { type: "delete-service", service } as const },
    { name: "its server is gone", by: { type: "delete-destination", service, ...server } as const },
    {
      name: "its server gets nothing",
      by: {
        type: "edit-destination",
        service,
        settings: { ...server, forwarding: { method: "dr" }, weight: 0, upperThreshold: 0, lowerThreshold: 0 },
      } as const,
    },
    {
      name: "another server is beside it",
      by: {
        type: "add-destination",
        service,
        settings: {
          ...{ ...server, address: "192.0.2.22" },
          forwarding: { method: "dr" },
          weight: 1,
          upperThreshold: 0,
          lowerThreshold: 0,
        },
      } as const,
    },
  ])("not when $name; it is put right at once, and counts again afterwards", async ({ by }) => {
    const it = await running();
    await it.time.advance(1000);
    it.kernel.perform(by);
    expect(await asked(it)).toMatch(
      /^any server may have answered: fwmark \d+ ipv4 did not lead to 192\.0\.2\.21:80 alone$/,
    );
    expect(it.kernel.text()["fwmark 1986592769 ipv4 wlc"]).toContain("192.0.2.21:80 dr 1");
    // A run that began before it was put right may have been answered by anybody.
    expect(await asked(it)).toMatch(/^any server may have answered: /);
    expect(await asked(it, false)).toMatch(/^that says nothing of the server: fwmark \d+ ipv4 was made or put right/);
    await it.time.advance(5000);
    expect(await asked(it)).toBeUndefined();
  });

  test("nor does a failure when everything was flushed: all of it is put back at once", async () => {
    const it = await running();
    await it.up(21, 22);
    await it.time.advance(1000);
    it.kernel.table.clear();
    expect(await asked(it, false)).toMatch(/^that says nothing of the server: fwmark \d+ ipv4 did not lead to /);
    expect(Object.keys(it.kernel.text()).sort()).toEqual(["fwmark 1986592769 ipv4 wlc", "tcp 192.0.2.10:80 wlc"]);
    expect(it.kernel.text()["tcp 192.0.2.10:80 wlc"]).toHaveLength(2);
  });

  test("not when the table cannot be read, nor for a check whose way nobody made", async () => {
    const it = await running();
    await it.time.advance(1000);
    expect(await it.balancer.doubt("c22", 100, true)).toMatch(/^any server may have answered: /);
    it.kernel.fail = () => {
      throw new Error("list the servers: ENOBUFS");
    };
    expect(await asked(it)).toBe("any server may have answered: list the servers: ENOBUFS");
    // A failure is believed as long as nothing speaks against it.
    expect(await asked(it, false)).toBeUndefined();
    expect(await it.balancer.doubt("c22", 100, false)).toBeUndefined();
  });

  test("not when the kernel does not answer", async () => {
    const it = await running();
    await it.time.advance(1000);
    it.kernel.destinations = () => new Promise(() => {});
    const doubt = it.balancer.doubt("c21", 100, true);
    await it.time.advance(2000);
    expect(await doubt).toMatch(/^any server may have answered: /);
  });
});
