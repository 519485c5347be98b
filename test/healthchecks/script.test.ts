import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { CheckParameters } from "../../src/healthchecks/parameters.ts";
import { CheckRunner } from "../../src/healthchecks/runner.ts";
import { type ScriptParameters, script } from "../../src/healthchecks/script.ts";
import { typeOf } from "../../src/healthchecks/types.ts";
import type { Argv } from "../../src/scripts/command.ts";
import { temporaryDirectory, until } from "../daemon/support.ts";
import { common, probeOnce } from "./support.ts";

const own = String(process.getuid?.() ?? 0);

/** The folder for temporary files is open to everybody: script security is looked at in a test of its own. */
const command = (argv: Argv, more: Partial<ScriptParameters> = {}): ScriptParameters => ({
  type: "script",
  argv,
  user: own,
  security: false,
  ...more,
});
const shell = (line: string): ScriptParameters => command(["/bin/sh", "-c", line]);
const ask = (parameters: ScriptParameters, limit?: number) => probeOnce(script, parameters, limit);

test.each<[string, string, Awaited<ReturnType<typeof ask>>]>([
  [
    "exit code 0 is a success",
    "echo all is well",
    { ok: true, reason: "/bin/sh exited with code 0", program: { exitCode: 0, signal: null, output: "all is well" } },
  ],
  [
    "any other is a failure, with what was printed on both streams",
    "echo out; echo of luck >&2; exit 3",
    { ok: false, reason: "/bin/sh exited with code 3", program: { exitCode: 3, signal: null, output: "out\nof luck" } },
  ],
  [
    "one that a signal ends has no exit code",
    "kill -SEGV $$",
    { ok: false, reason: "/bin/sh was ended by SIGSEGV", program: { exitCode: null, signal: "SIGSEGV", output: "" } },
  ],
])("%s", async (_what, line, outcome) => {
  expect(await ask(shell(line))).toEqual(outcome);
});

test.each<[number, boolean, object | undefined]>([
  [0, true, undefined],
  [1, false, undefined],
  [2, true, { weight: 0 }],
  [255, true, { weight: 253 }],
])("exit code %d of a program that says the weight", async (code, ok, advice) => {
  const outcome = await ask({ ...shell(`exit ${code}`), dynamic: true });
  expect([outcome.ok, outcome.advice]).toEqual([ok, advice]);
  expect((await ask(shell(`exit ${code}`))).ok).toBe(code === 0);
});

describe("what cannot be executed is a failure", () => {
  const missing = "/nonexistent/check";
  test.each<[string, () => ScriptParameters, RegExp]>([
    [
      "a program that is missing",
      () => command([missing]),
      /check could not be run: there is no \/nonexistent\/check$/,
    ],
    [
      "a name that is nowhere",
      () => command(["no-such-program"]),
      /^no-such-program could not be run: there is no program/,
    ],
    [
      "a user that is missing",
      () => command(["/bin/true"], { user: "nobody-here" }),
      /^\/bin\/true is not run: the user/,
    ],
  ])("%s", async (_what, parameters, reason) => {
    const outcome = await ask(parameters());
    expect(outcome.ok).toBe(false);
    expect(outcome.reason).toMatch(reason);
  });

  test("a file that is not executable", async () => {
    const path = join(temporaryDirectory(), "check");
    writeFileSync(path, "#!/bin/sh\nexit 0\n");
    const outcome = await ask(command([path]));
    expect(outcome.ok).toBe(false);
    expect(outcome.reason).toMatch(/may not run .*: EACCES/);
  });

  test("a file that others can change", async () => {
    const path = join(temporaryDirectory(), "check");
    writeFileSync(path, "#!/bin/sh\nexit 0\n");
    chmodSync(path, 0o777);
    expect((await ask(command([path]))).ok).toBe(true);
    const outcome = await ask(command([path], { security: true }));
    expect(outcome.ok).toBe(false);
    expect(outcome.reason).toMatch(/is not run: \/.* is writable by everyone/);
  });
});

test("of much output the end is kept", async () => {
  const { ok, program } = await ask(shell("head -c 5000000 /dev/zero | tr '\\0' x; echo the end"));
  expect(ok).toBe(true);
  expect(program?.output.length).toBeLessThanOrEqual(4096);
  expect(program?.output.endsWith("xthe end")).toBe(true);
});

test("no shell: what one would act on are ordinary characters", async () => {
  const { program } = await ask(command(["/bin/echo", "$HOME", "|", "a b"]));
  expect(program?.output).toBe("$HOME | a b");
});

/** Runs it as a check does, with a short time limit. */
function run(parameters: ScriptParameters, timeout: number) {
  const all: CheckParameters = { ...common({ interval: 60_000, timeout }), ...parameters };
  const runner = new CheckRunner(all, { type: typeOf(all), changed: () => {} });
  onTestFinished(() => runner.stop());
  runner.start(0);
  return runner;
}

test("one that hangs is a failure at the deadline, and what it printed is told when it has ended", async () => {
  const runner = run(shell("echo waiting for the lock; exec sleep 600"), 200);
  await until(() => runner.health.up === false, "the deadline");
  expect(runner.health.reason).toBe("/bin/sh did not end within 200 ms");
  await until(() => runner.health.last?.program !== undefined, "its end");
  expect(runner.status().last).toMatchObject({
    ok: false,
    reason: "/bin/sh did not end within 200 ms",
    program: { exit_code: null, signal: "SIGTERM", output: "waiting for the lock" },
  });
});

test("one that ignores SIGTERM, with all that it started, is killed when the check is stopped", async () => {
  const pids = join(temporaryDirectory(), "pids");
  const runner = run(shell(`trap '' TERM; sleep 600 & echo $$ $! > ${pids}; wait; sleep 600`), 60_000);
  await until(() => existsSync(pids) && readFileSync(pids, "utf8").endsWith("\n"), "the start");
  const [parent, child] = readFileSync(pids, "utf8").trim().split(" ").map(Number);
  await runner.stop();
  // A process that was killed may still be on its way out.
  const isGone = (pid: number | undefined) =>
    !existsSync(`/proc/${pid}/stat`) || /\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  await until(() => isGone(parent) && isGone(child), "the end of both");
});
