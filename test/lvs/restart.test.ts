/** Stops, crashes and starts: what is left in the table, and what the next run makes of it. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { NoteFile } from "../../src/lvs/note-file.ts";
import type { VirtualServerParameters } from "../../src/lvs/parameters.ts";
import { lvs, realServer, SimulatedBalancer, service, virtualServer } from "../support/simulated-balancer.ts";

const web = "tcp 192.0.2.10:80 wlc";
let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "viprd-note-"));
  path = join(directory, "note.json");
});
afterEach(() => rmSync(directory, { recursive: true }));

const note = () => new NoteFile(path);

/** As it is when the process dies: what it would have done later, it does not. */
function next(before: SimulatedBalancer): SimulatedBalancer {
  before.kernel.asked.splice(0);
  before.kernel.fail = () => {};
  return new SimulatedBalancer(before.kernel, before.time.fork(), note());
}

async function first(...parameters: readonly VirtualServerParameters[]) {
  const it = new SimulatedBalancer(undefined, undefined, note());
  await it.start(lvs(...parameters));
  await it.up(21, 22);
  await it.time.advance(2000);
  return it;
}

describe("the start", () => {
  test("puts right what differs, in place, and keeps what takes connections", async () => {
    const before = await first(virtualServer());
    before.kernel.perform({
      type: "edit-service",
      service: service(),
      settings: { scheduler: "rr", flags: 0, timeout: 0, netmask: 0xffffffff },
    });
    const found = before.kernel.destination(service(), "192.0.2.21:80");
    found.settings = { ...found.settings, weight: 9, forwarding: { method: "tun", tunnel: { type: "ipip" } } };
    const it = next(before);
    await it.start(lvs(virtualServer()));
    expect(it.operations()).toEqual(["edit-service", "edit-destination 192.0.2.21 1"]);
    expect(it.kernel.text()).toEqual({ [web]: ["192.0.2.22:80 dr 1", "192.0.2.21:80 dr 1"] });
  });

  test("a server that is not in the table comes in with its first result", async () => {
    const before = await first(virtualServer());
    const it = next(before);
    await it.start(lvs(virtualServer({ servers: [realServer(21), realServer(22), realServer(23)] })));
    expect(it.operations()).toEqual([]);
    await it.up(23);
    expect(it.operations()).toEqual(["add-destination 192.0.2.23 1"]);
  });

  test("a server that left the file meanwhile is drained", async () => {
    const before = await first(virtualServer());
    before.kernel.destination(service(), "192.0.2.22:80").active = 1;
    const it = next(before);
    await it.start(lvs(virtualServer({ servers: [realServer(21)], onDrift: "report" })));
    expect(it.operations()).toEqual(["edit-destination 192.0.2.22 0"]);
    await it.time.advance(60_000);
    expect(it.kernel.text()).toEqual({ [web]: ["192.0.2.21:80 dr 1"] });
  });

  test("a service that left the file meanwhile is drained and goes", async () => {
    const before = await first(virtualServer());
    before.kernel.destination(service(), "192.0.2.22:80").active = 1;
    const it = next(before);
    await it.start(lvs());
    await it.time.advance(59_000);
    expect(it.kernel.text()).toEqual({ [web]: ["192.0.2.22:80 dr 0"] });
    await it.time.advance(1000);
    expect(it.kernel.text()).toEqual({});
  });

  test("a deadline goes on over a restart", async () => {
    const before = await first(virtualServer());
    before.kernel.destination(service(), "192.0.2.22:80").active = 1;
    await before.reload(lvs(virtualServer({ servers: [realServer(21)] })));
    await before.time.advance(40_000);
    const it = next(before);
    await it.start(lvs(virtualServer({ servers: [realServer(21)] })));
    await it.time.advance(19_999);
    expect(it.operations()).toEqual([]);
    await it.time.advance(1);
    expect(it.operations()).toEqual(["delete-destination 192.0.2.22"]);
  });

  test("a virtual server that moved twice leaves two services: each keeps its deadline over a restart", async () => {
    const at = (address: string) => lvs(virtualServer({ services: [service(address)] }));
    const before = await first(virtualServer());
    for (const [from, to] of [
      ["192.0.2.10", "192.0.2.11"],
      ["192.0.2.11", "192.0.2.12"],
    ] as const) {
      before.kernel.destination(service(from), "192.0.2.21:80").active = 1;
      await before.reload(at(to));
    }
    await before.time.advance(10_000);
    const it = next(before);
    await it.start(at("192.0.2.12"));
    await it.time.advance(49_000);
    expect(it.operations()).toEqual([]);
    await it.time.advance(1000);
    expect(it.operations()).toEqual(["delete-service", "delete-service"]);
  });

  test.each(["mh", "sh"])("%s: a server that was taken out stays out until it is up", async (name) => {
    const onFailure = { action: "quiesce_then_remove", after: 30_000 } as const;
    const servers = [realServer(21, { onFailure }), realServer(22, { onFailure })];
    const parameters = virtualServer({ scheduler: { name, fallback: true, port: true, flags: [] }, servers });
    const before = await first(parameters);
    await before.down(21);
    await before.time.advance(40_000);
    const it = next(before);
    await it.start(lvs(parameters));
    await it.up(22);
    await it.down(21);
    await it.time.advance(60_000);
    expect(it.operations()).toEqual([]);
    await it.up(21);
    expect(it.operations()).toEqual(["add-destination 192.0.2.21 1"]);
  });

  test("a slow start goes on over a restart", async () => {
    const parameters = lvs(
      virtualServer({ servers: [realServer(21, { weight: 4 }), realServer(22)], slowStart: 30_000 }),
    );
    const before = await first(...parameters.virtualServers);
    await before.down(21);
    await before.up(21);
    await before.time.advance(15_000);
    const it = next(before);
    for (const n of [21, 22]) it.balancer.verdict(`c${n}`, true, "answers");
    await it.start(parameters);
    expect(it.operations()).toEqual([]);
    await it.time.advance(15_000);
    expect(it.operations()).toEqual(["edit-destination 192.0.2.21 3", "edit-destination 192.0.2.21 4"]);
    expect(it.told()).toEqual([]);
  });

  test("a quorum that was lost takes quorum and hysteresis to come back, over a restart as well", async () => {
    const servers = [21, 22, 23].map((n) => realServer(n));
    const parameters = lvs(virtualServer({ servers, quorum: 2, hysteresis: 1 }));
    const before = await first(...parameters.virtualServers);
    await before.up(23);
    await before.down(21, 22, 23);
    await before.time.advance(2000);
    const it = next(before);
    await it.start(parameters);
    await it.up(21, 22);
    expect(it.told().filter((event) => event.startsWith("quorum"))).toEqual([]);
    await it.up(23);
    expect(it.told().at(-1)).toBe("quorum up: weight 3 in service, quorum 2 with hysteresis 1");
  });

  test("a note of another boot counts for nothing, a broken one is told", async () => {
    const before = await first(virtualServer());
    const text = readFileSync(path, "utf8");
    writeFileSync(path, text.replace(/"boot":"[^"]*"/, '"boot":"another"'));
    const other = next(before);
    await other.start(lvs());
    expect(other.operations()).toEqual([]);
    writeFileSync(path, text.slice(0, 100));
    const broken = next(before);
    await broken.start(lvs(virtualServer()));
    expect(broken.told()[0]).toMatch(/^warning: .*note\.json is not understood, and ignored: /);
    expect(broken.operations()).toEqual([]);
  });

  test.each(["", "null", "[]", "{}", '{"version":1}', '{"version":1,"virtualServers":[{}]}', '{"version":2}'])(
    "a note that says %s is told, and ignored",
    async (text) => {
      writeFileSync(path, text);
      const it = new SimulatedBalancer(undefined, undefined, note());
      await it.start(lvs(virtualServer()));
      expect(it.told()[0]).toMatch(/is not understood, and ignored/);
    },
  );

  test("a note that cannot be written is told", async () => {
    const it = new SimulatedBalancer(undefined, undefined, new NoteFile(join(directory, "none", "note")));
    await it.start(lvs(virtualServer()));
    expect(it.told()[0]).toMatch(/^warning: a restart will not know what leaves the table: cannot write /);
    await it.up(21, 22);
    await it.time.advance(5000);
    await it.down(21);
    await it.time.advance(5000);
    expect(it.told().filter((event) => event.startsWith("warning"))).toEqual([]);
  });

  test("when nothing of ours is left in the table there is no note", async () => {
    const it = await first(virtualServer());
    await it.reload(lvs());
    expect(existsSync(path)).toBe(true);
    await it.time.advance(5000);
    expect(it.kernel.text()).toEqual({});
    expect(existsSync(path)).toBe(false);
  });
});

describe("the stop", () => {
  test("leaves the table", async () => {
    const it = await first(virtualServer());
    it.operations();
    await it.stop();
    expect(it.operations()).toEqual([]);
  });

  test("drains it, and the next start waits for results", async () => {
    const before = await first(virtualServer({ onStop: "drain" }));
    before.operations();
    await before.stop();
    expect(before.operations()).toEqual(["edit-destination 192.0.2.21 0", "edit-destination 192.0.2.22 0"]);
    const it = next(before);
    await it.start(lvs(virtualServer({ onStop: "drain" })));
    expect(it.operations()).toEqual([]);
    await it.up(21, 22);
    expect(it.operations()).toEqual(["edit-destination 192.0.2.21 1", "edit-destination 192.0.2.22 1"]);
  });

  test("removes it", async () => {
    const it = await first(virtualServer({ onStop: "remove" }));
    await it.stop();
    expect(it.kernel.text()).toEqual({});
  });

  test("with omega it is told as the loss of the quorum", async () => {
    const it = await first(virtualServer({ omega: true }));
    it.told();
    await it.stop();
    expect(it.told()).toEqual(["quorum down: viprd stops"]);
  });

  test("after it nothing is written, whatever comes", async () => {
    const it = await first(virtualServer());
    await it.stop();
    it.operations();
    await it.down(21);
    await it.time.advance(60_000);
    expect(it.operations()).toEqual([]);
  });
});
