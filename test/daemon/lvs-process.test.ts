/** The load balancer as the supervisor sees it, with a stand-in for the checks process. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { LoadResult } from "../../src/daemon/configuration.ts";
import type { ToChecks } from "../../src/daemon/messages.ts";
import type { StatusDocument } from "../../src/daemon/status.ts";
import type { SupervisorOptions } from "../../src/daemon/supervisor.ts";
import type { VirtualServerParameters } from "../../src/lvs/parameters.ts";
import { lvsParameters, virtualServer } from "./lvs-support.ts";
import { get, loaded, rig as plainRig, temporaryDirectory, until } from "./support.ts";

function balancing(...virtualServers: readonly VirtualServerParameters[]): LoadResult {
  const result = loaded("web");
  if (!result.ok || virtualServers.length === 0) return result;
  return { ...result, config: { ...result.config, lvs: lvsParameters(...virtualServers) } };
}

function rig(load: () => LoadResult, changes: Partial<SupervisorOptions> = {}) {
  const record = join(temporaryDirectory(), "checks");
  process.env.FAKE_CHECKS_LOG = record;
  const made = plainRig(load, {
    checks: { restartDelay: () => 0, statusLimit: 500 },
    ...changes,
  });
  const runtime = changes.runtimeDirectory ?? join(made.directory, "run");
  const told = () =>
    existsSync(record)
      ? readFileSync(record, "utf8")
          .split("\n")
          .slice(0, -1)
          .map((line) => JSON.parse(line) as ToChecks)
          .filter(({ type }) => type !== "status")
      : [];
  return { ...made, runtime, socket: join(runtime, "control.sock"), told };
}

const https = virtualServer("https", ["192.0.2.21:443", "192.0.2.22:443"]);
const dns = virtualServer("dns", ["192.0.2.53:53"]);

async function statusOf(socket: string, query = ""): Promise<StatusDocument> {
  const { body, status } = await get(socket, `/v1/status${query}`);
  if (status !== 200) throw new Error(body);
  return JSON.parse(body) as StatusDocument;
}

function post(socketPath: string, path: string, body: unknown): Promise<{ status: number; body: unknown }> {
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath, path, method: "POST", agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (piece: string) => {
        text += piece;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }));
    });
    asking.on("error", reject);
    asking.end(JSON.stringify(body));
  });
}

const isStarted = (messages: readonly ToChecks[]) => messages.some(({ type }) => type === "start");

test("virtual servers without any check start the checks process, which is told all before it starts", async () => {
  const { supervisor, told, socket } = rig(() => balancing(https));
  await supervisor.start();
  await until(() => isStarted(told()), "the start");
  const types = told().map(({ type }) => type);
  // The instance may have told its state before, or tells it later.
  expect(types.filter((type) => type !== "instance")).toEqual(["admin", "lvs", "start"]);
  expect(told().find(({ type }) => type === "lvs")).toEqual({
    type: "lvs",
    parameters: lvsParameters(https),
    tracked: [],
  });
  await until(async () => (await statusOf(socket)).processes.checks.state === "running", "the process");
  await until(async () => (await get(socket, "/readyz")).status === 200, "being ready");
});

test("the state of an instance is told when it changes, and again to a process that is started anew", async () => {
  const { supervisor, told, socket } = rig(() => balancing(https));
  await supervisor.start();
  const states = () => told().filter((message) => message.type === "instance");
  await until(() => states().length === 1, "the state");
  expect(states()).toEqual([{ type: "instance", name: "web", state: "backup" }]);
  await until(async () => (await statusOf(socket)).processes.checks.state === "running", "the process");
  const { pid } = (await statusOf(socket)).processes.checks;
  if (pid === null) throw new Error("a running child has a pid");
  process.kill(pid, "SIGKILL");
  await until(() => told().filter(({ type }) => type === "start").length === 2, "the second start");
  expect(states().length).toBe(2);
});

test("events of the load balancer are logged and told", async () => {
  const { supervisor, log, socket } = rig(() => balancing(https));
  await supervisor.start();
  const line = "info https: server 192.0.2.21:443 unknown → up: it is good";
  await until(() => log.lines.includes(line), "the line in the log");
  expect((await statusOf(socket)).virtual_servers.length).toBe(1);
});

test("the status has every virtual server, or the one that is asked for", async () => {
  const { supervisor, socket } = rig(() => balancing(https, dns));
  await supervisor.start();
  await until(async () => (await statusOf(socket)).processes.checks.state === "running", "the process");
  const all = await statusOf(socket);
  expect(all.virtual_servers.map(({ name, servers }) => [name, servers.map((server) => server.name)])).toEqual([
    ["https", ["192.0.2.21:443", "192.0.2.22:443"]],
    ["dns", ["192.0.2.53:53"]],
  ]);
  expect(all.lvs).toMatchObject({ trouble: null });
  for (const query of ["?virtual_server=dns", "?name=dns"]) {
    const one = await statusOf(socket, query);
    expect([one.virtual_servers.map(({ name }) => name), one.instances]).toEqual([["dns"], []]);
  }
  const instance = await statusOf(socket, "?name=web");
  expect([instance.virtual_servers, instance.lvs, instance.instances.length]).toEqual([[], null, 1]);
});

test("while the checks process does not answer, the status says so of every virtual server", async () => {
  const { supervisor, socket } = rig(() => balancing(https));
  await supervisor.start();
  await until(async () => (await statusOf(socket)).processes.checks.state === "running", "the process");
  const { pid } = (await statusOf(socket)).processes.checks;
  if (pid === null) throw new Error("a running child has a pid");
  process.kill(pid, "SIGSTOP");
  const { virtual_servers: virtualServers, lvs } = await statusOf(socket);
  process.kill(pid, "SIGCONT");
  const why = "the checks process did not answer within 0.5 s; the table of the kernel stays as it is";
  expect(lvs?.trouble).toBe(why);
  expect(virtualServers).toMatchObject([{ name: "https", state: "unknown", reason: why }]);
  expect(virtualServers[0]?.servers.map(({ state }) => state)).toEqual(["unknown", "unknown"]);
});

test("a reload tells the balancer what it is to do when something of it changed, and otherwise that nothing did", async () => {
  let file = balancing(https);
  const { supervisor, told, socket } = rig(() => file);
  await supervisor.start();
  await until(() => isStarted(told()), "the start");
  await supervisor.reload();
  await until(() => told().some(({ type }) => type === "lvs-again"), "the word that nothing changed");
  file = balancing(https, dns);
  await supervisor.reload();
  await until(() => told().filter(({ type }) => type === "lvs").length === 2, "the second configuration");
  expect(told().findLast(({ type }) => type === "lvs")).toMatchObject({
    type: "lvs",
    parameters: { virtualServers: [{ name: "https" }, { name: "dns" }] },
  });
  expect((await statusOf(socket)).config.reload?.message).toBe("added virtual server dns");
});

test("when the file has no virtual server any more, the process stays to drain what was there", async () => {
  let file = balancing(https);
  const { supervisor, told, socket } = rig(() => file);
  await supervisor.start();
  await until(() => isStarted(told()), "the start");
  file = balancing();
  await supervisor.reload();
  await until(() => told().filter(({ type }) => type === "lvs").length === 2, "the second configuration");
  expect(told().findLast(({ type }) => type === "lvs")).toMatchObject({
    type: "lvs",
    parameters: { virtualServers: [], settings: {}, timeouts: {} },
  });
  const { processes, virtual_servers: virtualServers } = await statusOf(socket);
  expect([processes.checks.state, virtualServers]).toEqual(["running", []]);
});

test("checks that an instance tracks as well are named: they never rest", async () => {
  const track = { what: "check", name: "gateway", weight: undefined } as const;
  const file = balancing(https);
  if (!file.ok) throw new Error("no configuration");
  const [web] = file.config.instances;
  if (web === undefined) throw new Error("no instance");
  const tracking = { ...web, track: [{ ...track, priority: -10, reverse: false }] } as never;
  const { supervisor, told } = rig(() => ({ ...file, config: { ...file.config, instances: [tracking] } }));
  await supervisor.start();
  await until(() => isStarted(told()), "the start");
  expect(told().find(({ type }) => type === "lvs")).toMatchObject({ tracked: ["gateway"] });
});

test("what the operator says of a server is handed on with who said it, and in force after a restart of the daemon", async () => {
  const first = rig(() => balancing(https));
  await first.supervisor.start();
  await until(() => isStarted(first.told()), "the start");
  const answer = await post(first.socket, "/v1/drain", { server: "192.0.2.21:443", reason: "new kernel" });
  expect(answer).toEqual({
    status: 200,
    body: { servers: [{ virtual_server: "https", server: "192.0.2.21:443" }], what: "drain", until: null, notes: [] },
  });
  const entries = () => first.told().flatMap((message) => (message.type === "admin" ? [message.entries] : []));
  await until(() => entries().length === 2, "the drain");
  const uid = process.getuid?.();
  expect(entries()[1]).toMatchObject([
    {
      address: "192.0.2.21",
      port: 443,
      what: { type: "drain" },
      by: expect.stringContaining(`(uid ${uid})`),
      reason: "new kernel",
    },
  ]);
  expect(await post(first.socket, "/v1/drain", { server: "192.0.2.22:443" })).toMatchObject({ status: 409 });
  await first.supervisor.stop("test");

  const second = rig(() => balancing(https), { runtimeDirectory: first.runtime });
  await second.supervisor.start();
  await until(() => isStarted(second.told()), "the start");
  expect(second.told().find(({ type }) => type === "admin")).toMatchObject({ entries: [{ address: "192.0.2.21" }] });
  expect(await post(second.socket, "/v1/undrain", { server: "192.0.2.21" })).toMatchObject({ status: 200 });
  await until(() => second.told().some((message) => message.type === "admin" && message.entries.length === 0), "none");
  expect(existsSync(join(second.runtime, "servers.json"))).toBe(false);
});

test("services that an earlier run left in the table are looked after, though the file has no virtual server", async () => {
  const runtimeDirectory = join(temporaryDirectory(), "run");
  mkdirSync(runtimeDirectory);
  writeFileSync(join(runtimeDirectory, "lvs-table.json"), "{}");
  const { supervisor, told } = rig(() => balancing(), { runtimeDirectory });
  await supervisor.start();
  await until(() => isStarted(told()), "the start");
  expect(told().find(({ type }) => type === "lvs")).toMatchObject({ parameters: { virtualServers: [] } });
});

test("the checks process is told to stop after the roles were given up", async () => {
  const result = loaded("stubborn");
  if (!result.ok) throw new Error("no configuration");
  const config = { ...result.config, lvs: lvsParameters(https) };
  const { supervisor, told, received } = rig(() => ({ ...result, config }), { stopLimit: 300 });
  await supervisor.start();
  await until(() => isStarted(told()) && received().some(({ type }) => type === "start"), "the start");
  const stopping = supervisor.stop("test");
  await until(() => received().at(-1)?.type === "stop", "the word to the VRRP process");
  expect(told().at(-1)?.type).not.toBe("stop");
  await stopping;
  expect(told().at(-1)).toEqual({ type: "stop" });
});
