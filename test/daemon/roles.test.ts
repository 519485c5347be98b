import { expect, test } from "vitest";
import { describeRoles, Roles } from "../../src/daemon/roles.ts";
import type { StateName } from "../../src/vrrp/status.ts";

const many = (state: StateName, count: number) =>
  Array.from({ length: count }, (_, i): [string, StateName] => [`${state}${i}`, state]);

test.each<[string, [string, StateName][]]>([
  ["", []],
  [
    "active: web, inside; initialize: mail",
    [
      ["web", "active"],
      ["mail", "initialize"],
      ["inside", "active"],
    ],
  ],
  ["7 active, 2 backup", [...many("backup", 2), ...many("active", 7)]],
])("roles are told as %j", (text, roles) => {
  expect(describeRoles(new Map(roles))).toBe(text);
});

test("what a process that died cannot tell any more: whatever ran does not", () => {
  const roles = new Roles();
  const at = "2026-01-02T03:04:05.678Z";
  const enter = (instance: string, from: StateName, to: StateName) =>
    roles.take({ at, instance, type: "transition", from, to, reason: "x", priority: 150 });
  expect(roles.take({ at, instance: "web", type: "repair", message: "x" })).toBe(false);
  expect(enter("web", "backup", "active")).toBe(true);
  enter("mail", "initialize", "backup");
  enter("broken", "backup", "initialize");
  enter("gone", "initialize", "backup");
  for (const [group, to] of [
    ["edge", "active"],
    ["old", "active"],
    ["down", "initialize"],
  ] as const) {
    expect(roles.take({ at, type: "group_transition", group, from: "backup", to, reason: "x" })).toBe(false);
  }
  roles.keep(new Set(["web", "mail", "broken"]), new Set(["edge", "down"]));
  expect(roles.describe()).toBe("active: web; backup: mail; initialize: broken");
  const reason = "the vrrp process was killed by SIGKILL";
  const lost = { at, type: "transition", to: "initialize", reason, priority: 150 };
  expect(roles.lost(reason, at)).toEqual([
    { ...lost, instance: "web", from: "active" },
    { ...lost, instance: "mail", from: "backup" },
    { at, type: "group_transition", group: "edge", from: "active", to: "initialize", reason },
  ]);
});
