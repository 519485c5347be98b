import { describe, expect, test } from "vitest";
import type { SyncDaemonParameters } from "../../src/lvs/parameters.ts";
import { daemonOf, difference, type SyncView, syncDeadline, syncSteps } from "../../src/lvs/sync-daemon.ts";
import type { SyncRole } from "../../src/lvs/table.ts";

const wanted: SyncDaemonParameters = {
  interface: "eth1",
  instance: "web",
  syncId: 51,
  group: "224.0.0.81",
  port: 8848,
  ttl: 1,
};
const { instance: _, ...alone } = wanted;

const view: SyncView = {
  wanted,
  unwanted: "it is no longer configured",
  active: false,
  flushUntil: 0,
  running: [],
  started: new Set(),
  backupOnly: false,
  outdated: new Set(),
};

const run = (...roles: readonly SyncRole[]) => roles.map((role) => daemonOf(role, wanted));
const short = (of: Partial<SyncView>, now = 100) =>
  syncSteps({ ...view, ...of }, now).map(
    (step) => `${step.type} ${step.type === "stop" ? step.role : step.daemon.role}`,
  );

describe("which daemons run", () => {
  test.each<[string, Partial<SyncView>, string[]]>([
    ["standby, nothing runs", {}, ["start backup"]],
    ["standby, backup runs", { running: run("backup") }, []],
    ["role not known: as it is", { active: undefined, running: run("master") }, []],
    ["active, nothing runs", { active: true }, ["start master", "start backup"]],
    ["becomes active: the backup stays", { active: true, running: run("backup") }, ["start master"]],
    ["role over, master may still send", { running: run("backup", "master"), flushUntil: 101 }, []],
    ["role over, all is sent", { running: run("backup", "master"), flushUntil: 100 }, ["stop master"]],
    ["a master after a kill, on standby", { running: run("master") }, ["stop master", "start backup"]],
    ["without an instance", { wanted: alone, active: undefined }, ["start backup", "start master"]],
    [
      "backup_only, becomes active",
      { active: true, backupOnly: true, running: run("backup") },
      ["stop backup", "start master"],
    ],
    [
      "backup_only, role over: backup at once",
      { backupOnly: true, running: run("master"), flushUntil: 101 },
      ["start backup"],
    ],
    [
      "no longer configured: only ours end",
      { wanted: undefined, running: run("backup", "master"), started: new Set(["master"]) },
      ["stop master"],
    ],
    ["never configured: others are left alone", { wanted: undefined, running: run("backup", "master") }, []],
    [
      "ports changed: all stop before one starts",
      { active: true, running: run("backup", "master"), outdated: new Set(["master", "backup"]) },
      ["stop backup", "stop master", "start master", "start backup"],
    ],
  ])("%s", (_name, of, steps) => {
    expect(short(of)).toEqual(steps);
  });

  test("one with other parameters is started anew, whoever started it", () => {
    const running = run("backup", "master").map((daemon) => ({
      ...daemon,
      parameters: { ...daemon.parameters, syncId: 7 },
    }));
    expect(syncSteps({ ...view, active: true, running }, 0)).toEqual([
      { type: "stop", role: "backup", reason: "it ran with sync id 7" },
      { type: "stop", role: "master", reason: "it ran with sync id 7" },
      { type: "start", daemon: daemonOf("master", wanted), reason: "web is active" },
      { type: "start", daemon: daemonOf("backup", wanted), reason: "web is active" },
    ]);
  });
});

test("it is looked at again when a master has had its time to send", () => {
  const flushing = { ...view, running: run("backup", "master"), flushUntil: 3200 };
  expect(syncDeadline(flushing, 10)).toBe(3200);
  expect(syncDeadline({ ...flushing, active: true }, 10)).toBeUndefined();
  expect(syncDeadline({ ...flushing, running: run("backup") }, 10)).toBeUndefined();
  expect(syncDeadline(flushing, 3200)).toBeUndefined();
});

describe("what a running one differs in", () => {
  test.each<[string, SyncRole, Partial<SyncDaemonParameters>, Partial<SyncDaemonParameters>, string | undefined]>([
    ["nothing", "master", {}, {}, undefined],
    ["another interface", "master", { interface: "eth2" }, {}, "interface eth2"],
    ["another group", "backup", { group: "224.0.0.82" }, {}, "group 224.0.0.82"],
    ["another port", "backup", { port: 8849 }, {}, "port 8849"],
    ["another TTL", "master", { ttl: 2 }, {}, "TTL 2"],
    ["another TTL where nothing is sent", "backup", { ttl: 2 }, {}, undefined],
    ["a length when none is asked for", "master", { maximumLength: 1472 }, {}, undefined],
    ["another length", "master", { maximumLength: 1472 }, { maximumLength: 900 }, "messages of 1472 bytes"],
    ["what the kernel made of a short one", "backup", { maximumLength: 1024 }, { maximumLength: 900 }, undefined],
    ["what the kernel made of a long one", "master", { maximumLength: 65507 }, { maximumLength: 65535 }, undefined],
    [
      "the same of IPv6",
      "master",
      { group: "ff05::81", maximumLength: 65487 },
      { group: "ff05::81", maximumLength: 65507 },
      undefined,
    ],
  ])("%s", (_name, role, found, asked, expected) => {
    const running = { role, parameters: { ...daemonOf(role, wanted).parameters, ...found } };
    expect(difference(running, { ...wanted, ...asked })).toBe(expected);
  });
});
