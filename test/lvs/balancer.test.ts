/** From verdicts to the table, on a simulated kernel. */
import { describe, expect, test } from "vitest";
import { lvs, realServer, SimulatedBalancer, service, virtualServer } from "../support/simulated-balancer.ts";

test("servers come in when their checks are up, and go out when one is down", async () => {
  const it = new SimulatedBalancer();
  await it.start(lvs(virtualServer()));
  expect(it.kernel.text()).toEqual({ "tcp 192.0.2.10:80 wlc": [] });
  await it.up(21, 22);
  expect(it.kernel.text()).toEqual({ "tcp 192.0.2.10:80 wlc": ["192.0.2.22:80 dr 1", "192.0.2.21:80 dr 1"] });
  it.operations();
  await it.down(21);
  expect(it.operations()).toEqual(["delete-destination 192.0.2.21"]);
  expect(it.told()).toEqual([
    "192.0.2.21:80 unknown → up: c21: answers",
    "192.0.2.22:80 unknown → up: c22: answers",
    "quorum up: weight 2 in service, quorum 1",
    "192.0.2.21:80 up → down: c21: refused",
  ]);
});

test("the sorry server comes before the last server goes, and goes after one is back", async () => {
  const it = new SimulatedBalancer();
  const sorryServer = {
    name: "192.0.2.30:80",
    family: 4,
    address: "192.0.2.30",
    port: 80,
    forwarding: { method: "dr" },
    inhibit: false,
  } as const;
  await it.start(lvs(virtualServer({ servers: [realServer(21)], sorryServer })));
  expect(it.operations()).toEqual(["add-service", "add-destination 192.0.2.30 1"]);
  await it.up(21);
  expect(it.operations()).toEqual([
    "add-destination 192.0.2.21 1",
    "edit-destination 192.0.2.30 0",
    "delete-destination 192.0.2.30",
  ]);
  await it.down(21);
  expect(it.operations()).toEqual(["add-destination 192.0.2.30 1", "delete-destination 192.0.2.21"]);
});

test("a reload that changes nothing writes nothing", async () => {
  const it = new SimulatedBalancer();
  await it.start(lvs(virtualServer()));
  await it.up(21, 22);
  it.operations();
  await it.reload(lvs(virtualServer()));
  expect(it.operations()).toEqual([]);
});

test("a restart changes nothing that is right, and a server found at weight 0 stays there until its first result", async () => {
  const before = new SimulatedBalancer();
  const quiesce = virtualServer({ servers: [realServer(21, { onFailure: { action: "quiesce" } }), realServer(22)] });
  await before.start(lvs(quiesce));
  await before.up(21, 22);
  await before.down(21);
  before.operations();
  const it = new SimulatedBalancer(before.kernel, before.time);
  await it.start(lvs(quiesce));
  expect(it.operations()).toEqual([]);
  await it.up(21);
  expect(it.operations()).toEqual(["edit-destination 192.0.2.21 1"]);
});

describe("many virtual servers at the start", () => {
  const of = (i: number) => service(`198.51.100.${i}`);
  const many = Array.from({ length: 40 }, (_, i) =>
    virtualServer({ name: `s${i}`, services: [of(i)], servers: [realServer(21, { checks: [] })] }),
  );
  const settings = { scheduler: "rr", flags: 0, timeout: 0, netmask: 0xffffffff };

  test("the services that are there are listed once before all of them are written", async () => {
    const it = new SimulatedBalancer();
    const lists: number[] = [];
    const services = it.kernel.services.bind(it.kernel);
    it.kernel.services = () => {
      lists.push(it.kernel.asked.length);
      return services();
    };
    await it.start(lvs(...many));
    // And once more for the look that follows.
    expect(lists).toEqual([0, 80]);
  });

  test("what somebody else adds and takes away after that is found out all the same", async () => {
    const it = new SimulatedBalancer();
    it.kernel.perform({ type: "add-service", service: of(38), settings });
    let met = false;
    it.kernel.watch = () => {
      if (met) return;
      met = true;
      it.kernel.perform({ type: "add-service", service: of(39), settings });
      it.kernel.perform({ type: "delete-service", service: of(38) });
    };
    await it.start(lvs(...many));
    const table = Object.values(it.kernel.text());
    expect(table).toHaveLength(40);
    expect(new Set(table.map(String))).toEqual(new Set(["192.0.2.21:80 dr 1"]));
    expect(Object.keys(it.kernel.text()).every((name) => name.endsWith(" wlc"))).toBe(true);
  });
});
