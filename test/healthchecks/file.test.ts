import { execFileSync } from "node:child_process";
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { type FileParameters, file } from "../../src/healthchecks/file.ts";
import { judgeContent, type ValueRule } from "../../src/healthchecks/file-value.ts";
import { CheckRunner } from "../../src/healthchecks/runner.ts";
import { typeOf } from "../../src/healthchecks/types.ts";
import { temporaryDirectory, until } from "../daemon/support.ts";
import { common, probeOnce } from "./support.ts";

const at = (path: string, more: Partial<FileParameters> = {}): FileParameters => ({
  type: "file",
  path,
  present: true,
  ...more,
});

test("a file that is there, and one that is not", async () => {
  const path = join(temporaryDirectory(), "ready");
  expect(await probeOnce(file, at(path))).toEqual({ ok: false, reason: `${path} does not exist` });
  expect(await probeOnce(file, at(path, { present: false }))).toEqual({ ok: true, reason: `${path} does not exist` });
  writeFileSync(path, "");
  expect(await probeOnce(file, at(path))).toEqual({ ok: true, reason: `${path} exists` });
  expect(await probeOnce(file, at(path, { present: false }))).toEqual({ ok: false, reason: `${path} exists` });
});

describe("what a file says", () => {
  test.each<[string, ValueRule, boolean, string]>([
    ["ready\n", { equals: "ready" }, true, 'f says "ready"'],
    ["Ready\n", { equals: "ready" }, false, 'f says "Ready", expected "ready"'],
    ["ready\nand more\n", { equals: "ready" }, true, 'f says "ready"'],
    [" 7.0 \n", { equals: "7" }, true, "f says 7.0"],
    ["8", { equals: "7" }, false, "f says 8, expected 7"],
    ["", { equals: "7" }, false, "f says nothing, expected 7"],
    ["", { equals: "" }, true, "f says nothing"],
    ["10", { atLeast: 10 }, true, "f says 10"],
    ["9.9", { atLeast: 10 }, false, "f says 9.9, expected at least 10"],
    ["-3", { atLeast: -5, atMost: -1 }, true, "f says -3"],
    ["91", { atMost: 90 }, false, "f says 91, expected at most 90"],
    ["1", { nonzero: true }, true, "f says 1"],
    ["0", { nonzero: true }, false, "f says 0, expected another number"],
    ["0.0", { nonzero: true }, false, "f says 0.0, expected another number"],
    ["many", { nonzero: true }, false, 'f says "many", expected a number'],
    ["", { atLeast: 0 }, false, "f says nothing, expected a number"],
    ["0x10", { atLeast: 0 }, false, 'f says "0x10", expected a number'],
    ["x".repeat(100), { atLeast: 0 }, false, `f says "${"x".repeat(57)}...", expected a number`],
  ])("%j by %j", (content, rule, ok, reason) => {
    expect(judgeContent("f", content, rule)).toEqual({ ok, reason });
  });

  test("only the beginning of a large file is read", async () => {
    const path = join(temporaryDirectory(), "large");
    writeFileSync(path, `7\n${"x".repeat(10_000_000)}`);
    expect(await probeOnce(file, at(path, { value: { equals: "7" } }))).toMatchObject({ ok: true });
  });

  test("what is no file is a failure, and a pipe is not waited for", async () => {
    const directory = temporaryDirectory();
    const pipe = join(directory, "pipe");
    execFileSync("mkfifo", [pipe]);
    const value: ValueRule = { equals: "7" };
    expect(await probeOnce(file, at(pipe, { value }))).toEqual({ ok: false, reason: `${pipe}: it is not a file` });
    expect(await probeOnce(file, at(directory, { value }))).toEqual({
      ok: false,
      reason: `${directory}: it is not a file`,
    });
    expect(await probeOnce(file, at("/dev/zero", { value }))).toMatchObject({ ok: false });
    const missing = join(directory, "missing");
    expect(await probeOnce(file, at(missing, { value }))).toEqual({
      ok: false,
      reason: `${missing}: it does not exist (ENOENT)`,
    });
    const below = join(pipe, "below");
    expect((await probeOnce(file, at(below, { value }))).reason).toBe(
      `${below}: a part of the path is no folder (ENOTDIR)`,
    );
  });
});

describe("a change is seen long before the interval", () => {
  /** A minute apart, runs that come sooner come from the watch. */
  function run(parameters: FileParameters) {
    const all = { ...common({ interval: 60_000, timeout: 10_000 }), ...parameters };
    const verdicts: (boolean | null)[] = [];
    const runner = new CheckRunner(all, { type: typeOf(all), changed: ({ up }) => verdicts.push(up) });
    onTestFinished(() => runner.stop());
    runner.start(0);
    return verdicts;
  }

  test("of one that appears, is written, is replaced by a rename and goes", async () => {
    const directory = temporaryDirectory();
    const path = join(directory, "value");
    const verdicts = run(at(path, { value: { nonzero: true } }));
    await until(() => verdicts.length === 1, "the first run");
    writeFileSync(path, "1\n");
    await until(() => verdicts.length === 2, "the file that appeared");
    writeFileSync(path, "0\n");
    await until(() => verdicts.length === 3, "the file that was written");
    writeFileSync(join(directory, "next"), "1\n");
    renameSync(join(directory, "next"), path);
    await until(() => verdicts.length === 4, "the file that took its place");
    rmSync(path);
    await until(() => verdicts.length === 5, "its end");
    expect(verdicts).toEqual([false, true, false, true, false]);
  });

  test("of one behind a folder that is switched, as Kubernetes does", async () => {
    const directory = temporaryDirectory();
    for (const [name, value] of [
      ["old", "0"],
      ["new", "1"],
    ] as const) {
      mkdirSync(join(directory, name));
      writeFileSync(join(directory, name, "value"), value);
    }
    symlinkSync("old", join(directory, "..data"));
    symlinkSync("..data/value", join(directory, "value"));
    const verdicts = run(at(join(directory, "value"), { value: { nonzero: true } }));
    await until(() => verdicts.length === 1, "the first run");
    symlinkSync("new", join(directory, "..next"));
    renameSync(join(directory, "..next"), join(directory, "..data"));
    await until(() => verdicts.length === 2, "the switch");
    expect(verdicts).toEqual([false, true]);
  });

  test("of one in a folder that is moved away, or removed, and made anew", async () => {
    const directory = join(temporaryDirectory(), "folder");
    const path = join(directory, "value");
    const make = (value: string) => {
      mkdirSync(directory);
      writeFileSync(path, value);
    };
    make("1");
    const verdicts = run(at(path, { value: { nonzero: true } }));
    await until(() => verdicts.length === 1, "the first run");
    renameSync(directory, `${directory}.old`);
    await until(() => verdicts.length === 2, "the move");
    make("1");
    await until(() => verdicts.length === 3, "the folder in its place");
    rmSync(directory, { recursive: true });
    await until(() => verdicts.length === 4, "the removal");
    make("0");
    writeFileSync(path, "1");
    await until(() => verdicts.length === 5, "the folder made anew");
    expect(verdicts).toEqual([true, false, true, false, true]);
  });
});

test("a folder that is not there is no reason to fail, and the watch can be ended", () => {
  const end = file.watch?.(at(join(temporaryDirectory(), "missing", "file")), () => {});
  expect(end).toBeTypeOf("function");
  end?.();
});

test("with a weight its number is advice, and it has to be one", () => {
  expect(judgeContent("f", "12 spare\n", undefined, 3)).toEqual({
    ok: false,
    reason: 'f says "12 spare", expected a number',
  });
  expect(judgeContent("f", "12\n", undefined, -3)).toEqual({
    ok: true,
    reason: "f says 12",
    advice: { weightOffset: -36 },
  });
  expect(judgeContent("f", "1e9", undefined, 3).ok).toBe(false);
  expect(judgeContent("f", "999999999", { atMost: 5 }, 3)).toEqual({
    ok: false,
    reason: "f says 999999999, expected at most 5",
    advice: { weightOffset: 65_535 },
  });
});
