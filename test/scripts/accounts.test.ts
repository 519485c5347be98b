import { describe, expect, test } from "vitest";
import { resolveAccount, userName } from "../../src/scripts/accounts.ts";

const files = {
  passwd: [
    "root:x:0:0:root:/root:/bin/bash",
    "# a comment, as some put there",
    "viprd_script:x:998:997::/nonexistent:/usr/sbin/nologin",
    "nohome:x:1001:1001:::",
    "broken:x:abc:1:::",
    "+::::::",
  ].join("\n"),
  group: ["root:x:0:", "viprd:x:990:alice,viprd_script", "viprd_script:x:997:", "bad:x::"].join("\n"),
};

test.each([
  ["root", { name: "root", uid: 0, gid: 0, home: "/root" }],
  ["viprd_script", { name: "viprd_script", uid: 998, gid: 997, home: "/nonexistent" }],
  ["viprd_script:viprd", { name: "viprd_script", uid: 998, gid: 990, home: "/nonexistent" }],
  ["998:990", { name: "viprd_script", uid: 998, gid: 990, home: "/nonexistent" }],
  ["nohome", { name: "nohome", uid: 1001, gid: 1001, home: "/" }],
])("%s", (written, account) => {
  expect(resolveAccount(written, files)).toEqual(account);
});

describe("what cannot be resolved is told", () => {
  test.each([
    ["nobody", "does not exist in /etc/passwd"],
    ["broken", "does not exist in /etc/passwd"],
    ["4711", "does not exist in /etc/passwd"],
    ["root:wheel", "cannot be used: there is no group wheel in /etc/group"],
    ["root:bad", "cannot be used: there is no group bad in /etc/group"],
    ["root:", "is not written as user or user:group"],
    [":root", "is not written as user or user:group"],
    ["a:b:c", "is not written as user or user:group"],
    ["", "is not written as user or user:group"],
  ])("%j", (written, reason) => {
    expect(resolveAccount(written, files)).toBe(reason);
  });
});

test("a number without a name is told as a number", () => {
  expect(userName(998, files.passwd)).toBe("viprd_script");
  expect(userName(12, files.passwd)).toBe("user 12");
});
