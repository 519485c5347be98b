/** A kernel that refuses, or cannot be asked: told once, tried again, and nothing else suffers. */
import { expect, test } from "vitest";
import type { LvsEvent } from "../../src/lvs/status.ts";
import type { Operation } from "../../src/lvs/table.ts";
import { ErrorNumber } from "../../src/socket/errno.ts";
import { lvs, realServer, SimulatedBalancer, service, virtualServer } from "../support/simulated-balancer.ts";

const web = "tcp 192.0.2.10:80 wlc";
const concerns = (operation: Operation, n: number) =>
  operation.type === "add-destination" && operation.settings.address === `192.0.2.${n}`;

test("one server that is refused does not keep the others out; it is tried after 1, 2, 4 … seconds", async () => {
  const it = new SimulatedBalancer();
  it.kernel.refuse = (operation) => (concerns(operation, 21) ? ErrorNumber.EINVAL : undefined);
  await it.start(lvs(virtualServer()));
  await it.up(21, 22);
  expect(it.kernel.text()).toEqual({ [web]: ["192.0.2.22:80 dr 1"] });
  it.operations();
  await it.time.advance(7000);
  expect(it.operations()).toEqual(Array.from({ length: 3 }, () => "add-destination 192.0.2.21 1"));
  expect(await it.status()).toMatchObject({
    errors: { EINVAL: 4 },
    trouble: "web: add server 192.0.2.21:80 to tcp 192.0.2.10:80: EINVAL",
  });
  it.kernel.refuse = () => undefined;
  await it.time.advance(60_000);
  expect(it.kernel.text()).toEqual({ [web]: ["192.0.2.21:80 dr 1", "192.0.2.22:80 dr 1"] });
  expect(it.told().filter((event) => event.startsWith("warning"))).toEqual([
    "warning: add server 192.0.2.21:80 to tcp 192.0.2.10:80: EINVAL; it is tried again",
    "warning: its table is as it should be again",
  ]);
  expect((await it.status()).trouble).toBeNull();
});

test("a reload of the same file tries at once what was refused", async () => {
  const it = new SimulatedBalancer();
  it.kernel.refuse = (operation) => (operation.type === "add-service" ? ErrorNumber.ENOENT : undefined);
  await it.start(lvs(virtualServer({ servers: [realServer(21, { checks: [] })] })));
  await it.time.advance(100_000);
  it.kernel.refuse = () => undefined;
  it.balancer.reread();
  await it.time.settle();
  expect(it.kernel.text()).toEqual({ "tcp 192.0.2.10:80 wlc": ["192.0.2.21:80 dr 1"] });
});

test("while a server is refused, a verdict about another one is acted upon at once", async () => {
  const it = new SimulatedBalancer();
  it.kernel.refuse = (operation) => (concerns(operation, 21) ? ErrorNumber.EINVAL : undefined);
  await it.start(lvs(virtualServer()));
  await it.up(21, 22);
  await it.down(22);
  expect(it.kernel.text()).toEqual({ [web]: [] });
});

test("a kernel that cannot be asked is told once, and caught up with when it can", async () => {
  const it = new SimulatedBalancer();
  await it.start(lvs(virtualServer()));
  await it.up(21, 22);
  it.told();
  it.kernel.fail = () => {
    throw new Error("list services: EPERM (needs CAP_NET_ADMIN)");
  };
  await it.down(21);
  await it.time.advance(30_000);
  expect((await it.status()).trouble).toBe("list services: EPERM (needs CAP_NET_ADMIN)");
  it.kernel.fail = () => {};
  await it.time.advance(60_000);
  expect(it.kernel.text()).toEqual({ [web]: ["192.0.2.22:80 dr 1"] });
  expect(it.told()).toEqual([
    "warning: list services: EPERM (needs CAP_NET_ADMIN); it is tried again",
    "192.0.2.21:80 up → down: c21: refused",
    "warning: the table of the kernel can be reached again",
  ]);
  expect((await it.status()).trouble).toBeNull();
});

test("an answer that is lost leaves nothing to chance: the table is read again", async () => {
  const it = new SimulatedBalancer();
  await it.start(lvs(virtualServer()));
  const { apply } = it.kernel;
  it.kernel.apply = async (operations) => {
    await apply.call(it.kernel, operations);
    it.kernel.apply = apply;
    throw new Error("change the table: ENOBUFS");
  };
  await it.up(21, 22);
  it.operations();
  await it.time.advance(2000);
  expect(it.operations()).toEqual([]);
  expect(it.kernel.text()).toEqual({ [web]: ["192.0.2.22:80 dr 1", "192.0.2.21:80 dr 1"] });
});

test("only virtual servers that a verdict concerns are looked at", async () => {
  const it = new SimulatedBalancer();
  const many = Array.from({ length: 50 }, (_, i) =>
    virtualServer({ name: `v${i}`, services: [service(`198.51.100.${i}`)], servers: [realServer(100 + i)] }),
  );
  await it.start(lvs(...many));
  await it.up(...many.map((_, i) => 100 + i));
  it.operations();
  const asked: string[] = [];
  it.kernel.watch = (operation) => asked.push(operation.type);
  it.kernel.dumps = 0;
  await it.down(107);
  expect({ asked, dumps: it.kernel.dumps }).toEqual({ asked: ["delete-destination"], dumps: 1 });
});

test("many verdicts at once become one request", async () => {
  const it = new SimulatedBalancer();
  const servers = Array.from({ length: 100 }, (_, i) => realServer(100 + i));
  await it.start(lvs(virtualServer({ servers })));
  let requests = 0;
  const { apply } = it.kernel;
  it.kernel.apply = (operations) => {
    requests++;
    return apply.call(it.kernel, operations);
  };
  await it.up(...servers.map((_, i) => 100 + i));
  expect(requests).toBe(1);
  expect(it.operations()).toHaveLength(101);
});

test("checks rest while the instance is not active, unless somebody else needs them", async () => {
  const it = new SimulatedBalancer();
  const mine = virtualServer({ suspendUnless: "edge" });
  const other = virtualServer({ name: "other", services: [service("192.0.2.11")], servers: [realServer(22)] });
  await it.start(lvs(mine, other));
  expect(it.rests.map((rest) => [...rest])).toEqual([["c21"]]);
  expect((await it.status()).virtual_servers.map(({ suspended }) => suspended)).toEqual([true, false]);
  await it.up(21, 22);
  it.operations();
  it.balancer.instance("edge", "active");
  it.balancer.instance("edge", "active");
  it.balancer.instance("edge", "backup");
  expect(it.rests.map((rest) => [...rest])).toEqual([["c21"], [], ["c21"]]);
  await it.time.advance(60_000);
  expect(it.operations()).toEqual([]);
});

test("a virtual server whose checks rest or have not run yet is unknown, not down", async () => {
  const it = new SimulatedBalancer();
  await it.start(lvs(virtualServer({ suspendUnless: "edge" })));
  const told = async () => (await it.status()).virtual_servers.map(({ state, reason }) => [state, reason]);
  expect(await told()).toEqual([["unknown", "no server is in service: not all have a result yet"]]);
  it.balancer.instance("edge", "active");
  await it.down(21, 22);
  expect(await told()).toEqual([["down", "no server is in service"]]);
  await it.up(21);
  expect(await told()).toEqual([["up", "weight 1 in service, quorum 1"]]);
});

test("the status says what is wanted, what is there, and why", async () => {
  const it = new SimulatedBalancer();
  await it.start(lvs(virtualServer({ servers: [realServer(21, { weight: 3 }), realServer(22)] })));
  await it.up(21);
  await it.down(22);
  it.balancer.admin([
    { address: "192.0.2.21", what: { type: "drain" }, since: it.time.now().wall, by: "root (uid 0)", reason: "disk" },
  ]);
  await it.time.settle();
  const found = it.kernel.destination(service(), "192.0.2.21:80");
  found.active = 2;
  found.inactive = 5;
  const at = "2026-01-01T00:00:01.000Z";
  const status = await it.status();
  expect(status).toMatchObject({ unmanaged: [], trouble: null, errors: {} });
  const [told] = status.virtual_servers;
  expect(told).toMatchObject({
    name: "web",
    scheduler: "wlc",
    state: "down",
    reason: "no server is in service",
    quorum: { required: 1, hysteresis: 0, weight_up: 0 },
    sorry_server: null,
    panic: false,
    suspended: false,
    foreign: [],
    services: [{ address: "tcp 192.0.2.10:80", present: true }],
  });
  expect(told?.servers.map(({ traffic: _, ...server }) => server)).toEqual([
    {
      name: "192.0.2.21:80",
      state: "draining",
      reason: "drained by root (uid 0): disk",
      since: at,
      method: "dr",
      configured_weight: 3,
      desired_weight: 0,
      kernel_weight: 0,
      weight_reason: null,
      active_connections: 2,
      inactive_connections: 5,
      persistent_connections: 0,
      checks: [{ name: "c21", up: true, reason: "answers" }],
      admin: [{ what: "drain", by: "root (uid 0)", reason: "disk", since: at, until: null }],
      changes: [
        { at, state: "unknown", reason: "c21: no result yet" },
        { at, state: "up", reason: "c21: answers" },
        { at, state: "draining", reason: "drained by root (uid 0): disk" },
      ],
      hints: [],
    },
    {
      name: "192.0.2.22:80",
      state: "down",
      reason: "c22: refused",
      since: at,
      method: "dr",
      configured_weight: 1,
      desired_weight: null,
      kernel_weight: null,
      weight_reason: null,
      active_connections: 0,
      inactive_connections: 0,
      persistent_connections: 0,
      checks: [{ name: "c22", up: false, reason: "refused" }],
      admin: [],
      changes: [
        { at, state: "unknown", reason: "c22: no result yet" },
        { at, state: "down", reason: "c22: refused" },
      ],
      hints: [],
    },
  ]);
  const events: readonly LvsEvent[] = it.events;
  expect(events[0]).toMatchObject({ at, type: "server", from: "unknown", to: "up" });
});
