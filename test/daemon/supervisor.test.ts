import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { LoadResult } from "../../src/daemon/configuration.ts";
import type { StatusDocument } from "../../src/daemon/status.ts";
import { get, loaded, parameters, rig, until } from "./support.ts";

async function statusOf(socket: string): Promise<StatusDocument> {
  return JSON.parse((await get(socket, "/v1/status")).body) as StatusDocument;
}

test("the child is told the process settings, each instance, then to start", async () => {
  const { supervisor, received } = rig(() => loaded("web", "inside"));
  expect(await supervisor.start()).toEqual({ ok: true });
  await until(() => received().length === 4, "four messages");
  expect(received().map((message) => (message.type === "configure" ? message.parameters.name : message.type))).toEqual([
    "process",
    "web",
    "inside",
    "start",
  ]);
});

test("the status tells every instance in the order of the file", async () => {
  const { supervisor, socket } = rig(() => loaded("web", "inside"));
  await supervisor.start();
  await until(async () => (await statusOf(socket)).processes.vrrp.state === "running", "a running child");
  const status = await statusOf(socket);
  expect(status).toMatchObject({
    version: 1,
    router_id: "lb1",
    pid: process.pid,
    config: { file: "test.yaml", reload: null },
  });
  expect(status.instances.map(({ name, state }) => [name, state])).toEqual([
    ["web", "backup"],
    ["inside", "backup"],
  ]);
});

test("a transition is logged with its reason", async () => {
  const { supervisor, log } = rig(() => loaded("web"));
  await supervisor.start();
  await until(() => log.lines.includes("info web: initialize → backup: started"), "the transition in the log");
});

test("stopping stops the child first, then removes socket and pid file", async () => {
  const { supervisor, received, directory, socket } = rig(() => loaded("web"));
  await supervisor.start();
  expect(await supervisor.stop("test")).toBe(true);
  expect(received().at(-1)).toEqual({ type: "stop" });
  expect([existsSync(socket), existsSync(join(directory, "run", "viprd.pid"))]).toEqual([false, false]);
});

test("a child that does not stop is killed after the limit", async () => {
  const { supervisor, log } = rig(() => loaded("stubborn"), { stopLimit: 100 });
  await supervisor.start();
  await until(() => log.lines.some((line) => line.includes("backup")), "a running child");
  expect(await supervisor.stop("test")).toBe(false);
  expect(log.lines).toContain("error the vrrp process did not stop within 0.1 s and is killed: its leases expire");
});

test("a bad file at start gives its problems and leaves nothing behind", async () => {
  const problems = ["test.yaml:1:1: a: bad", "test.yaml:2:1: b: worse"];
  const { supervisor, directory, received } = rig(() => ({ ok: false, problems }));
  expect(await supervisor.start()).toEqual({ ok: false, reason: "problems", problems });
  expect(existsSync(join(directory, "run", "viprd.pid"))).toBe(false);
  expect(received().map(({ type }) => type)).toEqual(["stop"]);
});

test("a second daemon on the same runtime directory is refused with the pid of the first", async () => {
  const first = rig(() => loaded());
  await first.supervisor.start();
  const second = rig(() => loaded(), { runtimeDirectory: join(first.directory, "run") });
  expect(await second.supervisor.start()).toMatchObject({
    ok: false,
    reason: "refused",
    message: expect.stringContaining(`a viprd with pid ${process.pid} already uses`),
  });
});

test("without an instance no child runs, and the daemon is ready", async () => {
  const { supervisor, socket } = rig(() => loaded());
  await supervisor.start();
  await until(async () => (await statusOf(socket)).processes.vrrp.state === "not needed", "the prepared child to go");
  expect((await get(socket, "/readyz")).status).toBe(200);
});

test("a reload sends removals, changes and additions, in this order, and nothing for what stays", async () => {
  let file: LoadResult = loaded("gone", "changed", "same");
  const { supervisor, received, socket } = rig(() => file);
  await supervisor.start();
  await until(() => received().length === 5, "the first configuration");
  file = loaded("new", "same", parameters("changed", { priority: 200 }));
  await supervisor.reload();
  await until(() => received().length === 8, "three more messages");
  expect(received().slice(5)).toMatchObject([
    { type: "remove", name: "gone" },
    { type: "configure", parameters: { name: "changed", priority: 200 } },
    { type: "configure", parameters: { name: "new" } },
  ]);
  expect((await statusOf(socket)).config.reload).toMatchObject({
    ok: true,
    message: "removed gone; changed changed (priority); added new",
  });
});

test("a reload with problems is refused whole, and every problem is told", async () => {
  let file: LoadResult = loaded("web");
  const { supervisor, received, socket, log } = rig(() => file);
  await supervisor.start();
  await until(() => received().length === 3, "the first configuration");
  file = { ok: false, problems: ["test.yaml:1:1: a: bad", "test.yaml:2:1: b: worse"] };
  await supervisor.reload();
  expect(log.lines.slice(-3)).toEqual([
    "error test.yaml:1:1: a: bad",
    "error test.yaml:2:1: b: worse",
    "error reload of test.yaml refused, 2 problems: the configuration in force stays",
  ]);
  expect((await statusOf(socket)).config.reload).toMatchObject({ ok: false, problems: file.problems });
  expect(received().filter(({ type }) => type !== "status").length).toBe(3);
});
