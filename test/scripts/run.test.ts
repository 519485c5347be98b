/** Real programs: what is said about how they ended, and that nothing of them is left. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { accountOf, inspectOnHost, ownAccount } from "../../src/scripts/host.ts";
import { describeResult, type RunResult } from "../../src/scripts/result.ts";
import { Runner, type RunOptions } from "../../src/scripts/run.ts";

const runner = new Runner();
const isRoot = process.getuid?.() === 0;
const folder = mkdtempSync(join(tmpdir(), "viprd-scripts-"));
chmodSync(folder, 0o755);
afterAll(() => rmSync(folder, { recursive: true }));

const generous = 30_000;

function run(argv: RunOptions["argv"], options: Partial<RunOptions> = {}): Promise<RunResult> {
  return runner.run({ argv, account: ownAccount(), timeout: generous, ...options });
}

function sh(script: string, options: Partial<RunOptions> = {}): Promise<RunResult> {
  return run(["/bin/sh", "-c", script], options);
}

function put(name: string, text: string, mode = 0o755): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + generous;
  while (!condition()) {
    if (performance.now() > end) throw new Error("waited in vain");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function lives(pid: number): boolean {
  try {
    // A zombie that nobody has collected yet is dead.
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

describe("how a program ended", () => {
  test("exit code 0 is success", async () => {
    const result = await sh("echo out; echo err >&2");
    expect(result).toMatchObject({ ok: true, exitCode: 0, signal: null, timedOut: false, aborted: false, error: null });
    expect(result.output.split("\n").sort()).toEqual(["err", "out"]);
    expect(result.duration).toBeGreaterThan(0);
  });

  test("any other exit code is failure", async () => {
    const result = await sh("exit 3");
    expect(result).toMatchObject({ ok: false, exitCode: 3, signal: null, error: null });
    expect(describeResult(result, generous)).toBe("exited with code 3");
  });

  test("a signal is failure and is named", async () => {
    const result = await sh("kill -SEGV $$");
    expect(result).toMatchObject({ ok: false, exitCode: null, signal: "SIGSEGV", error: null });
    expect(describeResult(result, generous)).toBe("was ended by SIGSEGV");
  });

  test("of much output the end is kept", async () => {
    const result = await sh("i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done", { outputLimit: 20 });
    expect(result.ok).toBe(true);
    expect(result.output).toBe("…line 2998\nline 2999");
  });

  test("arguments arrive as they were given, and nothing is expanded", async () => {
    const argv = ["/usr/bin/printf", "[%s]", "a b", "", "$HOME", "*", "`id`", "ü"] as const;
    expect((await run(argv)).output).toBe("[a b][][$HOME][*][`id`][ü]");
  });

  test("a name without a path is found where programs of the system are", async () => {
    expect((await run(["printf", "found"])).output).toBe("found");
  });

  test("standard input is what was given, and ends", async () => {
    const input = `${"x".repeat(100_000)}end`;
    expect((await run(["/usr/bin/tail", "-c", "6"], { input })).output).toBe("xxxend");
    expect((await run(["/bin/cat"])).output).toBe("");
  });

  test("a program that does not read its input is none the worse for it", async () => {
    expect(await run(["/bin/true"], { input: "x".repeat(1_000_000) })).toMatchObject({ ok: true });
  });
});

describe("a program that cannot be executed is a failure with a reason", () => {
  test.each<[string, () => readonly [string, ...string[]], RegExp | string]>([
    ["no such file", () => ["/nonexistent/x"], "could not be run: there is no /nonexistent/x"],
    [
      "no such name",
      () => ["viprd-no-such-program"],
      "could not be run: there is no program viprd-no-such-program in /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ],
    ["not executable", () => [put("plain", "#!/bin/sh\n", 0o644)], /may not run .*plain: EACCES \(not executable/],
    ["a folder", () => ["/etc"], /may not run \/etc: EACCES/],
    [
      "an interpreter that is missing",
      () => [put("python9", "#!/usr/bin/python9 -u\n")],
      /the #! line of .*python9 names \/usr\/bin\/python9, which does not exist/,
    ],
    ["arguments that are too long", () => ["/bin/true", "x".repeat(10_000_000)], /could not be run: .*E2BIG/],
  ])("%s", async (_name, argv, error) => {
    const result = await run(argv());
    expect(result).toMatchObject({ ok: false, exitCode: null, signal: null });
    expect(describeResult(result, generous)).toMatch(error);
  });

  test.skipIf(isRoot)("another user without the privilege", async () => {
    const result = await run(["/bin/true"], { account: { name: "root", uid: 0, gid: 0, home: "/root" } });
    expect(result.error).toBe("could not be run: it cannot run as root: EPERM (needs CAP_SETUID and CAP_SETGID)");
  });
});

describe("the time limit", () => {
  test("SIGTERM ends the whole group", async () => {
    const result = await sh("sleep 1000 & echo $!; wait", { timeout: 300 });
    expect(result).toMatchObject({ ok: false, timedOut: true, exitCode: null, signal: "SIGTERM" });
    expect(describeResult(result, 300)).toBe("did not end within 0.3 s and was ended by SIGTERM");
    expect(lives(Number(result.output))).toBe(false);
  });

  test("who answers SIGTERM by ending well has still been too slow", async () => {
    const result = await sh("trap 'echo cleaned; exit 0' TERM; sleep 1000 & wait", { timeout: 300 });
    expect(result).toMatchObject({ ok: false, timedOut: true, exitCode: 0, output: "cleaned" });
  });

  test("who ignores SIGTERM gets SIGKILL after the grace, children too", async () => {
    const script = "trap '' TERM; sleep 1000 & echo $!; wait; wait";
    const result = await sh(script, { timeout: 300, grace: 200 });
    expect(result).toMatchObject({ ok: false, timedOut: true, signal: "SIGKILL" });
    expect(result.duration).toBeGreaterThanOrEqual(490);
    await until(() => !lives(Number(result.output)));
  });

  test("a child that ignores SIGTERM goes with its parent that does not", async () => {
    const result = await sh("(trap '' TERM; exec sleep 1000) & echo $!; exec sleep 1000", { timeout: 300, grace: 200 });
    expect(result).toMatchObject({ timedOut: true, signal: "SIGTERM" });
    await until(() => !lives(Number(result.output)));
  });
});

test("a program ends at once when it is not wanted any more", async () => {
  const stop = new AbortController();
  const mark = join(folder, "begun");
  const result = sh(`touch ${mark}; exec sleep 1000`, { signal: stop.signal });
  await until(() => existsSync(mark));
  stop.abort();
  expect(await result).toMatchObject({ ok: false, aborted: true, timedOut: false, signal: "SIGTERM" });
  expect(await sh("true", { signal: stop.signal })).toMatchObject({ ok: false, aborted: true, exitCode: null });
});

test("what a program leaves running in the background is not waited for, and not ended by a closed pipe", async () => {
  const mark = join(folder, "background");
  const begun = performance.now();
  const result = await sh(`(sleep 1; echo still here; echo written > ${mark}) & echo $!`);
  expect(result).toMatchObject({ ok: true, exitCode: 0 });
  expect(performance.now() - begun).toBeLessThan(1000);
  await until(() => existsSync(mark));
});

test("closing ends what runs and lets nothing new begin", async () => {
  const closing = new Runner();
  const options = { account: ownAccount(), timeout: generous };
  const result = closing.run({ argv: ["/bin/sleep", "1000"], ...options });
  expect(closing.running).toBe(1);
  await closing.close();
  expect(closing.running).toBe(0);
  expect(await result).toMatchObject({ ok: false, aborted: true, signal: "SIGTERM" });
  expect((await closing.run({ argv: ["/bin/true"], ...options })).error).toBe("could not be run: viprd is stopping");
});

describe("what a program gets of us", () => {
  test("an environment of a few variables", async () => {
    const kept = { LANG: process.env.LANG, TZ: process.env.TZ };
    Object.assign(process.env, { LANG: "de_DE.UTF-8", LD_TEST: "x", NODE_OPTIONS: "", NOTIFY_SOCKET: "/x", IFS: "x" });
    try {
      const result = await run(["/usr/bin/env"], { environment: { VIPRD_TEST: "a=b c" } });
      const names = result.output.split("\n").map((line) => line.split("=")[0]);
      expect(names.filter((name) => name !== "TZ" && !name?.startsWith("LC_")).sort()).toEqual(
        ["HOME", "LANG", "LOGNAME", "PATH", "USER", "VIPRD_TEST"].sort(),
      );
      expect(result.output).toContain("VIPRD_TEST=a=b c");
    } finally {
      for (const name of ["LD_TEST", "NODE_OPTIONS", "NOTIFY_SOCKET", "IFS"]) delete process.env[name];
      for (const [name, value] of Object.entries(kept)) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    }
  });

  test("the root directory, and a session and process group of its own", async () => {
    const result = await sh("pwd; cut -d' ' -f1,5,6 /proc/$$/stat");
    const [directory, numbers] = result.output.split("\n");
    expect(directory).toBe("/");
    expect(new Set(numbers?.split(" ")).size).toBe(1);
  });

  test("no descriptors but the three", async () => {
    const result = await sh("ls /proc/$$/fd");
    expect(result.output.split("\n").filter((name) => Number(name) < 10)).toEqual(["0", "1", "2"]);
  });

  test.skipIf(!isRoot)("another user, its group, and no others", async () => {
    const account = accountOf("nobody");
    if (typeof account === "string") throw new Error(account);
    const status = await run(["/bin/grep", "-E", "^(Uid|Gid|Groups|CapEff|CapAmb)", "/proc/self/status"], { account });
    const ids = (id: number) => [id, id, id, id].join("\t");
    expect(status.output.split("\n").map((line) => line.trim())).toEqual([
      `Uid:\t${ids(account.uid)}`,
      `Gid:\t${ids(account.gid)}`,
      "Groups:",
      "CapEff:\t0000000000000000",
      "CapAmb:\t0000000000000000",
    ]);
  });
});

describe("script_security on this host", () => {
  test("a program in a folder that everybody can write is refused", () => {
    const program = put("safe-but-for-its-folder", "#!/bin/sh\n");
    const inspected = inspectOnHost(program, ownAccount());
    if (inspected.ok) throw new Error(`${program} was found safe`);
    expect(inspected.reason).toMatch(/ is writable by everyone \(mode 01777\)$/);
  });

  test("a program of the system is not, and its links are followed", () => {
    const inspected = inspectOnHost("/bin/sh", { name: "root", uid: 0, gid: 0, home: "/root" });
    if (!inspected.ok) throw new Error(inspected.reason);
    expect(inspected.path).toBe(realpathSync("/bin/sh"));
  });
});
