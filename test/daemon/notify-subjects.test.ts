import { expect, test } from "vitest";
import { NotifySubjects } from "../../src/daemon/notify-subjects.ts";
import type { InstanceEvent, StateName } from "../../src/vrrp/status.ts";

const at = "2026-01-02T03:04:05.678Z";

function transition(from: StateName, to: StateName, ended = false): InstanceEvent {
  const more = ended ? { ended } : {};
  return { at, instance: "web", type: "transition", from, to, reason: `${from} to ${to}`, priority: 150, ...more };
}
const cannotRun: InstanceEvent = { at, instance: "web", type: "warning", message: "cannot run: x", fault: "x" };

const web = { kind: "instance", name: "web" } as const;

function wordsFor(...events: InstanceEvent[]): (string | undefined)[] {
  const subjects = new NotifySubjects();
  return events.map((event) => subjects.instance(event, 100)?.state);
}

test("states become keepalived's four", () => {
  expect(
    wordsFor(
      transition("initialize", "backup"),
      transition("backup", "active"),
      transition("active", "backup"),
      transition("backup", "initialize"),
      transition("initialize", "backup"),
      transition("backup", "initialize", true),
    ),
  ).toEqual(["backup", "active", "backup", "fault", "backup", "stop"]);
});

test("what cannot start is a fault, told once whatever its reasons", () => {
  expect(wordsFor(cannotRun, { ...cannotRun, fault: "y" }, transition("initialize", "backup"))).toEqual([
    "fault",
    undefined,
    "backup",
  ]);
  expect(wordsFor(transition("initialize", "backup"), transition("backup", "initialize"), cannotRun)).toEqual([
    "backup",
    "fault",
    undefined,
  ]);
});

test("a fault of something that never started has the configured priority", () => {
  expect(new NotifySubjects().instance(cannotRun, 100)).toEqual({
    kind: "instance",
    name: "web",
    state: "fault",
    from: "initialize",
    to: "initialize",
    reason: "x",
    priority: 100,
    time: at,
  });
});

test("other events are not for those who act on states", () => {
  expect(
    wordsFor(
      { at, instance: "web", type: "warning", message: "x" },
      { at, instance: "web", type: "repair", message: "x" },
      { at, instance: "web", type: "conflict", message: "x" },
    ),
  ).toEqual([undefined, undefined, undefined]);
});

test("an end is told once, with the last state and priority, and only of what was told anything", () => {
  const subjects = new NotifySubjects();
  expect(subjects.end(web, "viprd is stopping", at)).toBeUndefined();
  subjects.instance(transition("initialize", "backup"), 100);
  expect(subjects.runs(web)).toBe(true);
  expect(subjects.end(web, "viprd is stopping", at)).toMatchObject({
    state: "stop",
    from: "backup",
    to: "initialize",
    reason: "viprd is stopping",
    priority: 150,
  });
  expect(subjects.runs(web)).toBe(false);
  expect(subjects.end(web, "viprd is stopping", at)).toBeUndefined();
});

test("the end of an instance that said so itself is not told again", () => {
  const subjects = new NotifySubjects();
  subjects.instance(transition("initialize", "backup"), 100);
  subjects.instance(transition("backup", "initialize", true), 100);
  expect(subjects.end(web, "viprd is stopping", at)).toBeUndefined();
});

const change = (from: StateName, to: StateName) => ({ at, from, to, reason: "x" });

test("a group has keepalived's four states as well, and priority 0", () => {
  const subjects = new NotifySubjects();
  expect(subjects.group("edge", change("initialize", "backup"), ["web", "mail"])).toEqual({
    kind: "group",
    name: "edge",
    state: "backup",
    from: "initialize",
    to: "backup",
    reason: "x",
    priority: 0,
    time: at,
  });
  expect(subjects.group("edge", change("backup", "active"), ["web"])?.state).toBe("active");
  expect(subjects.group("edge", change("active", "initialize"), ["web"])?.state).toBe("fault");
  expect(subjects.group("edge", change("initialize", "backup"), ["web"])?.state).toBe("backup");
  subjects.instance(transition("backup", "initialize", true), 100);
  expect(subjects.group("edge", change("backup", "initialize"), ["mail", "web"])?.state).toBe("stop");
  expect(subjects.end({ kind: "group", name: "edge" }, "viprd is stopping", at)).toBeUndefined();
});

test("a group that cannot start because of a member is told so once", () => {
  const subjects = new NotifySubjects();
  const member = subjects.instance(cannotRun, 100);
  if (member === undefined) throw new Error("no news of the member");
  expect(subjects.groupBlocked("edge", member)).toMatchObject({ state: "fault", reason: "web: x", priority: 0 });
  expect(subjects.groupBlocked("edge", member)).toBeUndefined();
});
