import { describe, expect, test } from "vitest";
import { type FileFacts, inspectProgram, interpreterOf } from "../../src/scripts/security.ts";

const root = { uid: 0, gid: 0 };
const alice = { uid: 1000, gid: 1000 };

const folder = (more: Partial<FileFacts> = {}): FileFacts => ({ kind: "directory", ...root, mode: 0o755, ...more });
const file = (more: Partial<FileFacts> = {}): FileFacts => ({ kind: "file", ...root, mode: 0o755, ...more });
const link = (target: string): FileFacts => ({ kind: "link", ...root, mode: 0o777, target });

const host: Readonly<Record<string, FileFacts>> = {
  "/": folder(),
  "/etc": folder(),
  "/etc/good": file(),
  "/etc/world": file({ mode: 0o757 }),
  "/etc/group": file({ mode: 0o775, gid: 50 }),
  "/etc/rootgroup": file({ mode: 0o775 }),
  "/etc/of-alice": file(alice),
  "/etc/of-alices-group": file({ ...alice, mode: 0o775 }),
  "/etc/link": link("good"),
  "/etc/alternatives": link("/open/x"),
  "/etc/round": link("round"),
  "/etc/up": link("../etc/../etc/./good"),
  "/etc/folder-link": link("/etc/scripts/"),
  "/etc/scripts": folder(),
  "/etc/scripts/x": file({ mode: 0o4755 }),
  "/etc/device": { kind: "other", ...root, mode: 0o600 },
  "/tmp": folder({ mode: 0o1777 }),
  "/tmp/x": file(),
  "/tmp/safe": link("/etc/good"),
  "/open": folder({ mode: 0o777 }),
  "/open/x": file(),
  "/home": folder(),
  "/home/alice": folder(alice),
  "/home/alice/x": file(),
};
const lookAt = (path: string) => host[path] ?? "there is no such file";

describe("a program that only root and its user can change", () => {
  test.each([
    ["/etc/good", root, "/etc/good"],
    ["//etc/./good", root, "/etc/good"],
    ["/etc/scripts/../good", root, "/etc/good"],
    ["/etc/link", root, "/etc/good"],
    ["/etc/up", root, "/etc/good"],
    ["/etc/folder-link/x", root, "/etc/scripts/x"],
    ["/etc/rootgroup", root, "/etc/rootgroup"],
    ["/etc/good", alice, "/etc/good"],
    ["/etc/of-alice", alice, "/etc/of-alice"],
    ["/etc/of-alices-group", alice, "/etc/of-alices-group"],
    ["/home/alice/x", alice, "/home/alice/x"],
  ])("%s", (path, account, resolved) => {
    expect(inspectProgram(path, account, lookAt)).toEqual({ ok: true, path: resolved });
  });
});

describe("a program that somebody else can change is refused, and what and who is named", () => {
  test.each([
    ["/etc/world", root, "/etc/world is writable by everyone (mode 0757)"],
    ["/etc/group", root, "/etc/group is writable by group 50 (mode 0775)"],
    ["/etc/group", alice, "/etc/group is writable by group 50 (mode 0775)"],
    ["/etc/of-alice", root, "/etc/of-alice belongs to user 1000 (mode 0755)"],
    ["/home/alice/x", root, "/home/alice belongs to user 1000 (mode 0755)"],
    ["/home/alice/x", { uid: 1001, gid: 1001 }, "/home/alice belongs to user 1000 (mode 0755)"],
    ["/tmp/x", root, "/tmp is writable by everyone (mode 01777)"],
    ["/open/x", root, "/open is writable by everyone (mode 0777)"],
    // The folder of the link, and the one that it leads to.
    ["/tmp/safe", root, "/tmp is writable by everyone (mode 01777)"],
    ["/etc/alternatives", root, "/open is writable by everyone (mode 0777)"],
  ])("%s as %o", (path, account, reason) => {
    expect(inspectProgram(path, account, lookAt)).toEqual({ ok: false, reason });
  });
});

describe("what is no program is refused", () => {
  test.each([
    ["/etc/missing", "/etc/missing: there is no such file"],
    ["/etc/missing/x", "/etc/missing: there is no such file"],
    ["/etc/good/x", "/etc/good is not a directory"],
    ["/etc/scripts", "/etc/scripts is not a file"],
    ["/etc/scripts/..", "/etc is not a file"],
    ["/etc/device", "/etc/device is not a file"],
    ["/", "/ is not a file"],
    ["/etc/round", "/etc/round: more than 40 symbolic links"],
  ])("%s", (path, reason) => {
    expect(inspectProgram(path, root, lookAt)).toEqual({ ok: false, reason });
  });
});

test("a root folder that others can write is refused before anything in it", () => {
  const open = (path: string) => (path === "/" ? folder({ mode: 0o777 }) : lookAt(path));
  expect(inspectProgram("/etc/good", root, open)).toEqual({
    ok: false,
    reason: "/ is writable by everyone (mode 0777)",
  });
});

test.each([
  ["#!/bin/sh\n", "/bin/sh"],
  ["#! /usr/bin/env python3 -u\nx", "/usr/bin/env"],
  ["#!/bin/sh -e", "/bin/sh"],
  ["#!\n", undefined],
  ["\x7fELF", undefined],
  ["", undefined],
])("the interpreter in %j", (head, interpreter) => {
  expect(interpreterOf(new TextEncoder().encode(head))).toBe(interpreter);
});
