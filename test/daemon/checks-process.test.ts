import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Bulletin } from "../../src/daemon/bulletin.ts";
import type { LoadResult } from "../../src/daemon/configuration.ts";
import type { ToChecks, ToVrrp } from "../../src/daemon/messages.ts";
import { lvsNote } from "../../src/daemon/paths.ts";
import type { StatusDocument } from "../../src/daemon/status.ts";
import type { CheckParameters, CommonParameters } from "../../src/healthchecks/parameters.ts";
import { get, loaded, MemoryLog, rig as plainRig, temporaryDirectory, until } from "./support.ts";

function check(name: string, changes: Partial<CommonParameters> = {}): CheckParameters {
  const common = { interval: 1000, timeout: 500, rise: 2, fall: 3, jitter: 0, fastInterval: 1000 };
  return { name, ...common, initial: "unknown", type: "tcp", host: "192.0.2.80", port: 80, ...changes };
}

function withChecks(...checks: readonly (string | CheckParameters)[]): LoadResult {
  const result = loaded("web");
  if (!result.ok) return result;
  const all = checks.map((each) => (typeof each === "string" ? check(each) : each));
  return { ...result, config: { ...result.config, checks: all } };
}

function rig(load: () => LoadResult) {
  const record = join(temporaryDirectory(), "checks");
  process.env.FAKE_CHECKS_LOG = record;
  const made = plainRig(load, {
    checks: { restartDelay: (previous) => (previous === undefined ? 0 : 20), statusLimit: 500 },
  });
  const toldToChecks = () =>
    existsSync(record)
      ? readFileSync(record, "utf8")
          .split("\n")
          .slice(0, -1)
          .map((line) => JSON.parse(line) as ToChecks)
      : [];
  return { ...made, toldToChecks };
}

async function statusOf(socket: string): Promise<StatusDocument> {
  const { body, status } = await get(socket, "/v1/status");
  if (status !== 200) throw new Error(body);
  return JSON.parse(body) as StatusDocument;
}

const verdictsIn = (messages: readonly ToVrrp[]) => messages.filter((message) => message.type === "verdict");

/** The VRRP process has been told this, whether before it started or after. */
const isTold = (messages: readonly ToVrrp[], check: string, up: boolean | null) =>
  verdictsIn(messages).findLast((message) => message.check === check)?.up === up;

test("without checks there is no checks process", async () => {
  const { supervisor, socket, toldToChecks } = rig(() => withChecks());
  await supervisor.start();
  await until(async () => (await statusOf(socket)).processes.vrrp.state === "running", "the VRRP process");
  const { processes, checks } = await statusOf(socket);
  expect([processes.checks.state, checks, toldToChecks()]).toEqual(["not needed", [], []]);
});

test("what a killed run has changed for the load balancer is put back, also when the file no longer balances", async () => {
  const { supervisor, directory, toldToChecks } = rig(() => withChecks());
  mkdirSync(join(directory, "run"));
  writeFileSync(lvsNote(join(directory, "run")), "{}");
  await supervisor.start();
  await until(() => toldToChecks().some(({ type }) => type === "start"), "the checks process");
  expect(toldToChecks().find(({ type }) => type === "lvs")).toMatchObject({
    type: "lvs",
    parameters: { virtualServers: [], timeouts: {}, settings: {} },
  });
});

test("a change of a verdict is forwarded, logged, an event and in the status", async () => {
  const { supervisor, socket, received, log } = rig(() => withChecks("good-1", "bad-1", "silent"));
  await supervisor.start();
  await until(() => isTold(received(), "good-1", true) && isTold(received(), "bad-1", false), "two verdicts");
  const orders = received().map((message) => (message.type === "verdict" ? message.check : message.type));
  expect(orders.slice(0, 6)).toEqual(["process", "configure", "good-1", "bad-1", "silent", "start"]);
  expect(verdictsIn(received())).toContainEqual({ type: "verdict", check: "bad-1", up: false, reason: "it is bad" });
  expect(isTold(received(), "silent", null)).toBe(true);
  expect(log.lines).toContain("info check good-1 unknown → up: it is good");
  expect(log.lines).toContain("warn check bad-1 unknown → down: it is bad");
  const { checks } = await statusOf(socket);
  expect(checks.map(({ name, runs }) => [name, runs])).toEqual([
    ["good-1", 1],
    ["bad-1", 1],
    ["silent", 1],
  ]);
});

test("warnings and advice are events of their own, each told once", () => {
  const bulletin = new Bulletin(new MemoryLog(), "0.1.0", { roles: () => {}, instance: () => {} });
  const up = { check: "web", up: true, reason: "well" };
  bulletin.check({ ...up, warning: "it expires" }, { ...up, warning: "it expires" });
  bulletin.check({ ...up, warning: "it expires" }, up);
  bulletin.check({ ...up, advice: { mode: "drain" } }, { ...up, warning: "it expires" });
  expect(bulletin.events.since(0).map(({ event }) => ({ ...event, at: "" }))).toEqual([
    { at: "", type: "check_notice", check: "web", message: "web: it expires" },
    { at: "", type: "check_notice", check: "web", message: "web: nothing to warn of any more" },
    { at: "", type: "check_notice", check: "web", message: "web: advises drain" },
  ]);
});

test("warnings and advice of a check are logged and in the status, and come back after a restart", async () => {
  const { supervisor, socket, received, log, toldToChecks } = rig(() => withChecks("good-but-old", "good-and-full"));
  await supervisor.start();
  await until(() => isTold(received(), "good-and-full", true), "the verdicts");
  expect(verdictsIn(received()).at(-1)).toEqual({
    type: "verdict",
    check: "good-and-full",
    up: true,
    reason: "it is good",
  });
  expect(log.lines).toContain("warn check good-but-old: the certificate of it expires in 9 days");
  expect(log.lines).toContain("info check good-and-full: advises ready, weight 50 %");
  const { processes } = await statusOf(socket);
  process.kill(processes.checks.pid ?? 0, "SIGKILL");
  const again = () => toldToChecks().filter((message) => message.type === "configure" && message.known !== undefined);
  await until(() => again().length === 2, "the new checks process");
  expect(again()).toMatchObject([
    { known: { up: true, warning: "the certificate of it expires in 9 days" } },
    { known: { up: true, advice: { weightPercent: 50, mode: "ready" } } },
  ]);
});

test("initial states count from the start", async () => {
  const { supervisor, received } = rig(() =>
    withChecks(check("a", { initial: "up" }), check("b", { initial: "down" })),
  );
  await supervisor.start();
  await until(() => received().some(({ type }) => type === "start"), "the start");
  expect(verdictsIn(received())).toMatchObject([
    { check: "a", up: true },
    { check: "b", up: false },
  ]);
});

test("a reload tells the differences alone", async () => {
  let file = withChecks("good-same", "gone", "changed");
  const { supervisor, received, toldToChecks, socket } = rig(() => file);
  await supervisor.start();
  await until(() => isTold(received(), "good-same", true) && toldToChecks().length >= 4, "the start");
  await until(() => received().some(({ type }) => type === "start"), "the start of the VRRP process");
  const before = verdictsIn(received()).length;
  file = withChecks("good-same", check("changed", { timeout: 100 }), "new");
  await supervisor.reload();
  const orders = () => toldToChecks().filter(({ type }) => type !== "status");
  await until(() => orders().length === 7, "three more messages");
  expect(orders().slice(4)).toMatchObject([
    { type: "remove", name: "gone" },
    { type: "configure", parameters: { name: "changed", timeout: 100 } },
    { type: "configure", parameters: { name: "new" } },
  ]);
  expect((await statusOf(socket)).config.reload?.message).toBe(
    "removed check gone; changed check changed (timeout); added check new",
  );
  await until(() => verdictsIn(received()).length > before, "the verdict of the new one");
  expect(verdictsIn(received()).slice(before)).toEqual([
    { type: "verdict", check: "new", up: null, reason: "no result yet" },
  ]);
});

test("a checks process that dies is started again and goes on with the last verdicts", async () => {
  const { supervisor, socket, toldToChecks, received, log } = rig(() => withChecks("bad-1", "silent"));
  await supervisor.start();
  await until(() => isTold(received(), "bad-1", false), "the verdict");
  const told = verdictsIn(received());
  await until(async () => (await statusOf(socket)).processes.checks.state === "running", "the process");
  const { pid } = (await statusOf(socket)).processes.checks;
  if (pid === null) throw new Error("a running child has a pid");
  process.kill(pid, "SIGKILL");
  await until(() => toldToChecks().filter(({ type }) => type === "start").length === 2, "the second start");
  expect(log.lines).toContain("error the checks process was killed by SIGKILL; it is started again at once");
  const orders = toldToChecks().filter(({ type }) => type === "configure");
  expect(orders.slice(2)).toEqual([
    { type: "configure", parameters: check("bad-1"), known: { up: false, reason: "it is bad" } },
    { type: "configure", parameters: check("silent") },
  ]);
  // Nothing of it reached the VRRP process: the verdicts stayed.
  expect(verdictsIn(received())).toEqual(told);
});

test("while the checks process is down the status tells the last verdicts", async () => {
  const { supervisor, socket, received } = rig(() => withChecks("bad-1"));
  await supervisor.start();
  await until(() => isTold(received(), "bad-1", false), "the verdict");
  await until(async () => (await statusOf(socket)).processes.checks.state === "running", "the process");
  const { pid } = (await statusOf(socket)).processes.checks;
  if (pid === null) throw new Error("a running child has a pid");
  process.kill(pid, "SIGSTOP");
  expect((await statusOf(socket)).checks).toMatchObject([
    { name: "bad-1", state: "down", reason: "it is bad; the checks process did not answer within 0.5 s", last: null },
  ]);
  process.kill(pid, "SIGCONT");
});

test("a VRRP process that is started again is told every verdict before it starts", async () => {
  const { supervisor, socket, received } = rig(() => withChecks("good-1", "silent"));
  await supervisor.start();
  await until(() => isTold(received(), "good-1", true), "the verdict");
  await until(async () => (await statusOf(socket)).processes.vrrp.state === "running", "the VRRP process");
  const { pid } = (await statusOf(socket)).processes.vrrp;
  if (pid === null) throw new Error("a running child has a pid");
  const before = received().length;
  process.kill(pid, "SIGKILL");
  await until(() => received().filter(({ type }) => type === "start").length === 2, "the second start");
  const orders = received()
    .slice(before)
    .filter(({ type }) => type !== "status");
  expect(orders.map(({ type }) => type)).toEqual(["process", "configure", "verdict", "verdict", "start"]);
  expect(verdictsIn(orders)).toEqual([
    { type: "verdict", check: "good-1", up: true, reason: "it is good" },
    { type: "verdict", check: "silent", up: null, reason: "no result yet" },
  ]);
});

test("the checks process is stopped with the last check", async () => {
  let file = withChecks("good-1");
  const { supervisor, socket } = rig(() => file);
  await supervisor.start();
  await until(async () => (await statusOf(socket)).processes.checks.state === "running", "the process");
  file = withChecks();
  await supervisor.reload();
  await until(async () => (await statusOf(socket)).processes.checks.state === "not needed", "its end");
});
