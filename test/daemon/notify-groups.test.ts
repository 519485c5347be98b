/** Instances and their sync group, told through a FIFO. */
import { closeSync, constants, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { Config } from "../../src/config/config.ts";
import { Notify } from "../../src/daemon/notify.ts";
import type { StateName, VrrpEvent } from "../../src/vrrp/status.ts";
import { loaded, MemoryLog, temporaryDirectory } from "./support.ts";

const at = "2026-01-02T03:04:05.678Z";

function config(fifo: string, instances: readonly string[], groups: NonNullable<Config["groups"]>): Config {
  const result = loaded(...instances);
  if (!result.ok) throw new Error("a plain configuration");
  return { ...result.config, groups, notify: { subjects: [], fifos: [{ path: fifo, of: "all" }] } };
}

function scene(members: readonly string[]) {
  const fifo = join(temporaryDirectory(), "fifo");
  const edge = { name: "edge", members, track: [], memberWeights: false };
  const notify = new Notify({ log: new MemoryLog(), version: "0.0.0" });
  notify.configure(config(fifo, members, [edge]));
  const descriptor = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  onTestFinished(() => closeSync(descriptor));
  const read = () => {
    const buffer = Buffer.alloc(65_536);
    return buffer.toString("utf8", 0, readSync(descriptor, buffer)).split("\n").slice(0, -1);
  };
  const instance = (name: string, from: StateName, to: StateName, ended = false) => {
    const more = ended ? { ended } : {};
    notify.event({ at, instance: name, type: "transition", from, to, reason: "x", priority: 150, ...more });
  };
  const group = (from: StateName, to: StateName) =>
    notify.event({ at, type: "group_transition", group: "edge", from, to, reason: "x" } satisfies VrrpEvent);
  return { fifo, notify, read, instance, group };
}

test("a group is told beside its members, each change once, and its end with theirs", async () => {
  const { notify, read, instance, group } = scene(["web", "mail"]);
  for (const [from, to] of [
    ["initialize", "backup"],
    ["backup", "active"],
  ] as const) {
    instance("web", from, to);
    instance("mail", from, to);
    group(from, to);
  }
  instance("web", "active", "initialize", true);
  group("active", "initialize");
  instance("mail", "active", "initialize", true);
  await notify.stop("viprd is stopping", 1000);
  expect(read()).toEqual([
    'INSTANCE "web" BACKUP 150',
    'INSTANCE "mail" BACKUP 150',
    'GROUP "edge" BACKUP 0',
    'INSTANCE "web" MASTER 150',
    'INSTANCE "mail" MASTER 150',
    'GROUP "edge" MASTER 0',
    'INSTANCE "web" STOP 150',
    'GROUP "edge" STOP 0',
    'INSTANCE "mail" STOP 150',
  ]);
});

test("a member that cannot start is a fault of the group, though the group changes no state", async () => {
  const { notify, read } = scene(["web"]);
  notify.event({ at, instance: "web", type: "warning", message: "cannot run: x", fault: "x" });
  notify.event({ at, instance: "web", type: "warning", message: "cannot run: y", fault: "y" });
  await notify.stop("viprd is stopping", 1000);
  expect(read()).toEqual([
    'INSTANCE "web" FAULT 100',
    'GROUP "edge" FAULT 0',
    'INSTANCE "web" STOP 100',
    'GROUP "edge" STOP 0',
  ]);
});

test("a group that a reload removes is told to stop, its members go on", async () => {
  const { fifo, notify, read, instance, group } = scene(["web"]);
  instance("web", "initialize", "backup");
  group("initialize", "backup");
  notify.configure(config(fifo, ["web"], []));
  expect(read()).toEqual(['INSTANCE "web" BACKUP 150', 'GROUP "edge" BACKUP 0', 'GROUP "edge" STOP 0']);
  instance("web", "backup", "active");
  group("backup", "active");
  expect(read()).toEqual(['INSTANCE "web" MASTER 150']);
  await notify.stop("viprd is stopping", 1000);
});

test("an instance that a reload removes and another one brings back is told its end before its return", async () => {
  const { fifo, notify, read, instance } = scene(["web"]);
  instance("web", "initialize", "backup");
  notify.configure(config(fifo, [], []));
  // The VRRP process has not said yet that it ended.
  notify.configure(config(fifo, ["web"], []));
  instance("web", "backup", "initialize", true);
  instance("web", "initialize", "backup");
  expect(read()).toEqual(['INSTANCE "web" BACKUP 150', 'INSTANCE "web" STOP 150', 'INSTANCE "web" BACKUP 150']);
  await notify.stop("viprd is stopping", 1000);
});
