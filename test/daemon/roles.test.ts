import { expect, test } from "vitest";
import { describeRoles } from "../../src/daemon/roles.ts";
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
