import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { loaded, rig, temporaryDirectory, until } from "../daemon/support.ts";
import { viprd } from "./support.ts";

async function daemon(...names: readonly string[]): Promise<string> {
  const { supervisor, directory, log } = rig(() => loaded(...names));
  await supervisor.start();
  await until(() => names.length === 0 || log.lines.some((line) => line.includes("→ backup")), "a running child");
  return join(directory, "run");
}

test("status tells every instance, --json as the control interface gives it", async () => {
  const directory = await daemon("web", "inside");
  const text = await viprd("status", "--runtime-dir", directory);
  expect(text).toMatchObject({ code: 0, stderr: "" });
  expect(text.stdout).toMatch(/^web {2}backup for .* vrid 51 on eth0, VRRP 3, ipv4$/m);
  const json = await viprd("--runtime-dir", directory, "status", "inside", "--json");
  expect(json.code).toBe(0);
  expect(JSON.parse(json.stdout)).toMatchObject({ version: 1, instances: [{ name: "inside", state: "backup" }] });
});

test("an unknown instance is answered with those that exist", async () => {
  const directory = await daemon("web", "inside");
  expect(await viprd("status", "wbe", "--runtime-dir", directory)).toMatchObject({
    code: 1,
    stdout: "",
    stderr: 'no instance "wbe"; there are: web, inside\n',
  });
});

test("a child that does not answer is told after two seconds", async () => {
  const directory = await daemon("mute");
  expect(await viprd("status", "--runtime-dir", directory)).toMatchObject({
    code: 1,
    stderr: "the vrrp process did not answer within 2 s\n",
  });
});

test("without a daemon it says which socket and what to do, and exits with 3", async () => {
  const directory = temporaryDirectory();
  const { code, stderr } = await viprd("status", "--runtime-dir", directory);
  expect([code, stderr]).toEqual([
    3,
    `no daemon at ${directory}/control.sock: there is no such socket\n` +
      "Start it with `viprd run` or `systemctl start viprd`, or name its --runtime-dir.\n",
  ]);
});

test("a socket that a dead daemon left behind is told as such", async () => {
  const path = join(temporaryDirectory(), "control.sock");
  writeFileSync(path, "");
  const { code, stderr } = await viprd("status", "--runtime-dir", join(path, ".."));
  expect(code).toBe(3);
  expect(stderr).toContain("nobody listens there");
});

test.skipIf(process.getuid?.() === 0)("a socket that may not be opened is told as such", async () => {
  const directory = join(temporaryDirectory(), "run");
  mkdirSync(directory);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(join(directory, "control.sock"), resolve));
  onTestFinished(() => void server.close());
  chmodSync(join(directory, "control.sock"), 0);
  const { code, stderr } = await viprd("status", "--runtime-dir", directory);
  expect(code).toBe(3);
  expect(stderr).toContain("Ask as root, or as a member of the group viprd.");
});
