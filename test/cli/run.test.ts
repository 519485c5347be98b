import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { get, temporaryDirectory, until } from "../daemon/support.ts";
import { start, viprd } from "./support.ts";

// No instance: what needs privileges is not part of these tests.
const nothingToDo = "global:\n  router_id: lb1\n";

function files(config: string): { config: string; runtime: string } {
  const directory = temporaryDirectory();
  const file = join(directory, "viprd.yaml");
  writeFileSync(file, config);
  return { config: file, runtime: join(directory, "run") };
}

test("run logs JSON, is ready, reads the file again on SIGHUP and ends in order on SIGTERM", async () => {
  const { config, runtime } = files(nothingToDo);
  const running = start("run", "-c", config, "--runtime-dir", runtime);
  await until(() => running.output.stderr.includes('"message":"ready"'), "readiness", 15_000);
  expect(readFileSync(join(runtime, "viprd.pid"), "utf8").split("\n")[0]).toBe(String(running.process.pid));
  writeFileSync(config, "global:\n  rooter_id: lb1\n");
  running.process.kill("SIGHUP");
  await until(() => running.output.stderr.includes("refused, 1 problem"), "the refusal", 10_000);
  writeFileSync(config, nothingToDo);
  running.process.kill("SIGHUP");
  await until(() => running.output.stderr.includes("nothing to change"), "the reload", 10_000);
  running.process.kill("SIGTERM");
  running.process.kill("SIGTERM");
  const { code, stderr, stdout } = await running.ended;
  expect([code, stdout, existsSync(join(runtime, "viprd.pid"))]).toEqual([0, "", false]);
  for (const line of stderr.trim().split("\n")) expect(JSON.parse(line)).toHaveProperty("level");
});

test("a file with problems is refused with all of them and exit code 2", async () => {
  const { config, runtime } = files("global:\n  rooter_id: lb1\n  nice: high\nvrrp_instance: 7\n");
  const { code, stderr } = await viprd("run", "-c", config, "--runtime-dir", runtime);
  expect(code).toBe(2);
  expect(stderr).toContain(`${config}:2:3: `);
  expect(stderr).toContain(`${config}:4:16: `);
  expect(existsSync(join(runtime, "viprd.pid"))).toBe(false);
});

test("a second daemon is refused with exit code 1 and the pid of the first", async () => {
  const { config, runtime } = files(nothingToDo);
  const first = start("run", "-c", config, "--runtime-dir", runtime, "--log-format", "pretty");
  await until(() => first.output.stderr.includes("info  ready\n"), "readiness", 15_000);
  const { code, stderr } = await viprd("run", "-c", config, "--runtime-dir", runtime);
  expect(code).toBe(1);
  expect(stderr).toBe(
    `a viprd with pid ${first.process.pid} already uses ${runtime}: stop it, or choose another --runtime-dir\n`,
  );
});

test("a daemon with another runtime directory is told of the first: they could take each other's addresses", async () => {
  const [one, other] = [files(nothingToDo), files(nothingToDo)];
  const first = start("run", "-c", one.config, "--runtime-dir", one.runtime, "--log-format", "pretty");
  await until(() => first.output.stderr.includes("info  ready\n"), "readiness", 15_000);
  const second = start("run", "-c", other.config, "--runtime-dir", other.runtime, "--log-format", "pretty");
  const line = `warn  another viprd, pid ${first.process.pid}, runs in this network namespace`;
  await until(() => second.output.stderr.includes(line), "the warning", 15_000);
});

test("a daemon that was killed does not block the next one", async () => {
  const { config, runtime } = files(nothingToDo);
  const words = ["run", "-c", config, "--runtime-dir", runtime];
  const first = start(...words);
  await until(() => first.output.stderr.includes('"ready"'), "readiness", 15_000);
  first.process.kill("SIGKILL");
  await first.ended;
  expect([existsSync(join(runtime, "viprd.pid")), existsSync(join(runtime, "control.sock"))]).toEqual([true, true]);
  const second = start(...words);
  await until(() => second.output.stderr.includes('"ready"'), "readiness of the second", 15_000);
  expect(await viprd("status", "--runtime-dir", runtime)).toMatchObject({ code: 0 });
});

test("a log that nobody reads does not keep it from ending", async () => {
  const { config, runtime } = files(nothingToDo);
  const running = start("run", "-c", config, "--runtime-dir", runtime);
  await until(() => running.output.stderr.includes('"ready"'), "readiness", 15_000);
  running.process.stderr.pause();
  // More than any pipe holds.
  const mistakes = Array.from({ length: 5000 }, (_, i) => `  mistake_number_${i}_which_is_a_rather_long_name: true\n`);
  writeFileSync(config, `global:\n${mistakes.join("")}`);
  running.process.kill("SIGHUP");
  await until(
    async () => (await get(join(runtime, "control.sock"), "/v1/status")).body.includes("refused"),
    "the refusal",
    15_000,
  );
  running.process.kill("SIGTERM");
  await until(() => running.process.exitCode !== null, "its end", 10_000);
  expect(running.process.exitCode).toBe(0);
  running.process.stderr.resume();
}, 40_000);
