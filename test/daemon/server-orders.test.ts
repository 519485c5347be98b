import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ServerAdmin } from "../../src/daemon/server-admin.ts";
import { ServerOrders } from "../../src/daemon/server-orders.ts";
import type { BeginRequest } from "../../src/daemon/server-request.ts";
import type { SorryServerParameters, VirtualServerParameters } from "../../src/lvs/parameters.ts";
import { lvsParameters, realServer, virtualServer } from "./lvs-support.ts";
import { MemoryLog, temporaryDirectory } from "./support.ts";

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse("2026-01-01T00:00:00Z") });
});
afterEach(() => {
  vi.useRealTimers();
});

const sorryServer: SorryServerParameters = {
  name: "192.0.2.30:80",
  family: 4,
  address: "192.0.2.30",
  port: 80,
  forwarding: { method: "nat" },
  inhibit: false,
};

/** https has three servers: the second is up by a check, the third has weight 0. http has a sorry server. */
function rig({ secondUp = true as boolean | null, alpha = false } = {}) {
  const admin = new ServerAdmin(join(temporaryDirectory(), "servers.json"), new MemoryLog(), {
    changed() {},
    told() {},
  });
  let lvs = lvsParameters(
    virtualServer("https", [
      "192.0.2.21:443",
      realServer("192.0.2.22:443", { checks: ["second"], alpha }),
      realServer("192.0.2.23:443", { weight: 0 }),
    ]),
    virtualServer("http", ["192.0.2.21:80"], { sorryServer }),
  );
  const orders = new ServerOrders({
    lvs: () => lvs,
    verdictOf: (check) => (check === "second" ? { up: secondUp, reason: "connect: refused" } : undefined),
    admin,
  });
  const reload = (virtualServers: VirtualServerParameters) => {
    lvs = lvsParameters(virtualServers);
  };
  return { orders, reload, entries: () => admin.entries };
}

const drain = (server: string, changes: Partial<BeginRequest> = {}): BeginRequest => {
  return { server, what: { type: "drain" }, ...changes };
};

test("a drain is in force with who said it, why and until when, and answered with the servers it is about", () => {
  const { orders, entries } = rig();
  const answer = orders.begin(drain("192.0.2.21:443", { reason: "new kernel", for_s: 60 }), "root (uid 0)");
  expect(answer).toEqual({
    servers: [{ virtual_server: "https", server: "192.0.2.21:443" }],
    what: "drain",
    until: "2026-01-01T00:01:00.000Z",
    notes: [],
  });
  expect(entries()).toEqual([
    {
      address: "192.0.2.21",
      port: 443,
      what: { type: "drain" },
      since: Date.now(),
      until: Date.now() + 60_000,
      by: "root (uid 0)",
      reason: "new kernel",
    },
  ]);
});

test.each([
  ["web1", undefined, 400, 'server: expected ADDRESS, ADDRESS:PORT or [IPV6]:PORT, got "web1"'],
  ["192.0.2.29:443", undefined, 404, "no server 192.0.2.29:443; did you mean 192.0.2.21:443?"],
  ["192.0.2.21", "htps", 404, 'no virtual server "htps"; did you mean https?'],
])("%s of %s is refused and changes nothing", (server, service, status, refusal) => {
  const { orders, entries } = rig();
  const request = service === undefined ? drain(server) : drain(server, { service });
  expect(orders.begin(request, "x")).toEqual({ refusal, status });
  expect(entries()).toEqual([]);
});

describe("the last server that takes new connections", () => {
  const refusal =
    "https would have no server left that takes new connections: 192.0.2.22:443 is down (connect: refused), 192.0.2.23:443 has weight 0. With --force it is done all the same";

  test.each<[string, BeginRequest["what"]]>([
    ["drained", { type: "drain" }],
    ["put into maintenance", { type: "maintenance" }],
    ["given weight 0", { type: "weight", weight: 0 }],
    ["given no share of its weight", { type: "weight_percent", percent: 0 }],
  ])("is not %s without force", (_, what) => {
    const { orders, entries } = rig({ secondUp: false });
    expect(orders.begin({ server: "192.0.2.21:443", what }, "x")).toEqual({ refusal, status: 409 });
    expect(entries()).toEqual([]);
    expect(orders.begin({ server: "192.0.2.21:443", what, force: true }, "x")).toMatchObject({
      notes: ["https has no server left that takes new connections"],
    });
    expect(entries().length).toBe(1);
  });

  test("may be given another weight than 0", () => {
    const what = { type: "weight_percent", percent: 1 } as const;
    expect(rig({ secondUp: false }).orders.begin({ server: "192.0.2.21:443", what }, "x")).toMatchObject({ notes: [] });
  });

  test("may be drained where a sorry server stands in", () => {
    expect(rig().orders.begin(drain("192.0.2.21:80"), "x")).toMatchObject({
      notes: ["the sorry server 192.0.2.30:80 stands in for http"],
    });
  });

  test("is not the last one while another has no result yet, unless that one has to show that it is up first", () => {
    expect(rig({ secondUp: null }).orders.begin(drain("192.0.2.21:443"), "x")).toMatchObject({ notes: [] });
    expect(rig({ secondUp: null, alpha: true }).orders.begin(drain("192.0.2.21:443"), "x")).toMatchObject({
      refusal: expect.stringContaining("192.0.2.22:443 is not known to be up yet"),
    });
  });

  test("is the last one when the operator has taken the others out before", () => {
    const { orders } = rig();
    orders.begin(drain("192.0.2.22"), "x");
    expect(orders.begin(drain("192.0.2.21:443"), "x")).toMatchObject({
      refusal: expect.stringContaining("192.0.2.22:443 is drained"),
    });
  });

  test("no longer matters where nobody took new connections before", () => {
    const { orders } = rig({ secondUp: false });
    orders.begin(drain("192.0.2.21:443", { force: true }), "x");
    expect(orders.begin({ server: "192.0.2.21:443", what: { type: "maintenance" } }, "x")).toMatchObject({ notes: [] });
  });
});

describe("taking back", () => {
  test("is answered with the servers that it is about, or with none when nothing was said", () => {
    const { orders, entries } = rig();
    expect(orders.end("drain", { server: "192.0.2.21:443" }, "x")).toMatchObject({ servers: [], what: null });
    orders.begin(drain("192.0.2.21:443"), "x");
    expect(orders.end("drain", { server: "192.0.2.21:443" }, "x")).toMatchObject({
      servers: [{ virtual_server: "https", server: "192.0.2.21:443" }],
      what: null,
    });
    expect(entries()).toEqual([]);
  });

  test("is answered with no server of which nothing was said", () => {
    const { orders } = rig();
    orders.begin(drain("192.0.2.21", { service: "http" }), "x");
    expect(orders.end("drain", { server: "192.0.2.21" }, "x")).toMatchObject({
      servers: [{ virtual_server: "http", server: "192.0.2.21:80" }],
    });
  });

  test("a part of what was said is refused, and all of it stays", () => {
    const { orders, entries } = rig();
    orders.begin(drain("192.0.2.21"), "x");
    expect(orders.end("drain", { server: "192.0.2.21:443" }, "x")).toEqual({
      refusal: "drain was said of 192.0.2.21: take it back for 192.0.2.21",
      status: 409,
    });
    expect(entries().length).toBe(1);
  });

  test("of a server that has left the file is told", () => {
    const { orders, reload, entries } = rig();
    orders.begin(drain("192.0.2.21"), "root (uid 0)");
    reload(virtualServer("https", ["192.0.2.22:443"]));
    expect(orders.end("drain", { server: "192.0.2.21" }, "x")).toMatchObject({
      servers: [],
      notes: ["taken back, of what the file has no longer: 192.0.2.21: drain by root (uid 0)"],
    });
    expect(entries()).toEqual([]);
  });

  test("tells what else keeps new connections from the server", () => {
    const { orders } = rig();
    orders.begin({ server: "192.0.2.21:443", what: { type: "weight_percent", percent: 0 } }, "x");
    const note = "192.0.2.21:443 of https gets nothing new: 192.0.2.21:443: weight 0% by x";
    const said = orders.end("drain", { server: "192.0.2.21:443" }, "x");
    expect(said).toMatchObject({ servers: [], notes: ["there is no drain to take back", note] });
    orders.begin(drain("192.0.2.21:443"), "x");
    expect(orders.end("drain", { server: "192.0.2.21:443" }, "x")).toMatchObject({
      servers: [{ server: "192.0.2.21:443" }],
      notes: [note],
    });
    orders.begin({ server: "192.0.2.21:443", what: { type: "weight", weight: 5 } }, "x");
    expect(orders.end("drain", { server: "192.0.2.21:443" }, "x")).toMatchObject({ notes: [] });
  });

  test("of a server that is not known is refused with what is near", () => {
    expect(rig().orders.end("drain", { server: "192.0.2.29:443" }, "x")).toMatchObject({ status: 404 });
  });
});
