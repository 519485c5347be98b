import { expect, test } from "vitest";
import { commandWord } from "../../src/cli/command-line.ts";
import { start, viprd } from "./support.ts";

test("the help teaches: commands, examples, exit codes and files", async () => {
  const { code, stdout } = await viprd("--help");
  expect(code).toBe(0);
  for (const part of ["run ", "check ", "status ", "events ", "decode ", "Examples:", "Exit codes:", "Files:"]) {
    expect(stdout).toContain(part);
  }
  expect(stdout).not.toContain("internal");
});

test("the version is the package's", async () => {
  expect(await viprd("--version")).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
});

test.each([
  ["an unknown command", ["statsu"], "error: unknown command 'statsu'\n(Did you mean status?)"],
  ["an unknown option", ["status", "--jsno"], "error: unknown option '--jsno'\n(Did you mean --json?)"],
  ["an option without its value", ["run", "--config"], "argument missing"],
  ["a value that is none of the choices", ["run", "--log-format", "xml"], "Allowed choices are pretty, json"],
  ["what systemd does", ["reload"], "viprd has no command reload: systemctl reload viprd, or kill -HUP "],
  ["a word too many", ["status", "web", "inside"], "too many arguments"],
  ["no command at all", [], "Usage: viprd"],
])("%s is a usage error with advice", async (_what, words, advice) => {
  const { code, stdout, stderr } = await viprd(...words);
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toContain(advice);
});

test("a reader that goes away ends a command quietly", async () => {
  const running = start("help");
  running.process.stdout.destroy();
  const { code, stderr } = await running.ended;
  expect([code, stderr]).toEqual([0, ""]);
});

test("the vrrp role refuses to run without its supervisor", async () => {
  const { code, stderr } = await viprd("internal", "vrrp");
  expect(code).toBe(2);
  expect(stderr).toContain("viprd run");
});

test.each([
  [["status", "web"], "status"],
  [["-c", "run", "status"], "status"],
  [["--config=run", "status"], "status"],
  [["--runtime-dir", "x", "--log-level", "warn", "events", "--json"], "events"],
  [["--help"], undefined],
  [[], undefined],
])("the command in %j is %s", (words, command) => {
  expect(commandWord(words)).toBe(command);
});
