import { spawn } from "node:child_process";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { acquireLock, LockError, livingHolder, refuseSecond } from "../../src/daemon/lock.ts";
import { temporaryDirectory, until } from "./support.ts";

test("the lock is a file with our pid, gone on release", () => {
  const directory = join(temporaryDirectory(), "deep", "run");
  const lock = acquireLock(directory);
  const file = join(directory, "viprd.pid");
  expect(readFileSync(file, "utf8").split("\n")[0]).toBe(String(process.pid));
  lock.release();
  expect(existsSync(file)).toBe(false);
});

test("a lock that is held is refused, with the holder's pid", () => {
  const directory = temporaryDirectory();
  acquireLock(directory);
  expect(() => acquireLock(directory)).toThrow(`a viprd with pid ${process.pid} already uses ${directory}`);
});

test.each([
  ["whose process is gone", "4194305\n12345\n"],
  ["whose number was given to another process", `${process.pid}\n1\n`],
  ["that is empty", ""],
  ["with nonsense in it", "../../etc/passwd\n"],
])("a pid file %s does not block", (_what, content) => {
  const directory = temporaryDirectory();
  const file = join(directory, "viprd.pid");
  writeFileSync(file, content);
  acquireLock(directory);
  expect(livingHolder(readFileSync(file, "utf8"))).toBe(process.pid);
});

test("a holder that is dead but not waited for does not block", async () => {
  const directory = temporaryDirectory();
  const file = join(directory, "viprd.pid");
  // The shell becomes a sleep, which waits for nobody's end.
  const script = `sh -c 'IFS=" "; set -- $(cat /proc/$$/stat); shift 21; printf "%s\\n%s\\n" $$ $1 >"${file}"' & exec sleep 20`;
  const parent = spawn("sh", ["-c", script]);
  onTestFinished(() => void parent.kill("SIGKILL"));
  await until(() => {
    if (!existsSync(file)) return false;
    const pid = readFileSync(file, "utf8").split("\n")[0];
    return pid !== "" && / Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  }, "a zombie");
  acquireLock(directory);
});

test("a lock that another took over in the meantime is not removed on release", () => {
  const directory = temporaryDirectory();
  const lock = acquireLock(directory);
  writeFileSync(join(directory, "viprd.pid"), "another\n");
  lock.release();
  expect(existsSync(join(directory, "viprd.pid"))).toBe(true);
});

test("a directory that everybody may write is refused", () => {
  const directory = temporaryDirectory();
  chmodSync(directory, 0o777);
  expect(() => acquireLock(directory)).toThrow(LockError);
});

test("a directory that cannot be made is told with the reason", () => {
  const file = join(temporaryDirectory(), "file");
  writeFileSync(file, "");
  expect(() => acquireLock(join(file, "run"))).toThrow(
    `cannot use the runtime directory ${join(file, "run")}: a part of the path is no directory (ENOTDIR)`,
  );
});

test("a daemon that answers at the socket is respected; a socket file left behind is not", async () => {
  const path = join(temporaryDirectory(), "control.sock");
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestFinished(() => void server.close());
  await expect(refuseSecond(path)).rejects.toThrow(`a viprd answers at ${path}`);
  await expect(refuseSecond(`${path}.none`)).resolves.toBeUndefined();
});

test("a place where no directory can be made is refused, not tried for ever", () => {
  expect(() => acquireLock("/proc/viprd/run")).toThrow("cannot use the runtime directory /proc/viprd/run: ");
});
