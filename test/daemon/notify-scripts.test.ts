/** Real scripts, told by the part of the daemon that tells them. */
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { CommandKey, CommandParameters, NotifySubject } from "../../src/config/notify.ts";
import type { News } from "../../src/daemon/notify-news.ts";
import { NotifyScripts } from "../../src/daemon/notify-scripts.ts";
import { MemoryLog, temporaryDirectory, until } from "./support.ts";

const background = { routerId: "lb1", instance: { interface: "eth0", vrid: 51, addresses: ["192.0.2.10/24"] } };
const own = { user: `${process.getuid?.()}`, security: false };
type State = News["state"];

const patience = 20_000;

function command(argv: CommandParameters["argv"], more: Partial<CommandParameters> = {}): CommandParameters {
  return { argv, timeout: patience, place: { file: "x.yaml", line: 5, column: 3, path: "here" }, ...more };
}

function shell(script: string, more: Partial<CommandParameters> = {}): CommandParameters {
  return command(["/bin/sh", "-c", script, "sh"], more);
}

function subject(commands: Partial<Record<CommandKey, CommandParameters>>, name = "web"): NotifySubject {
  return { kind: "instance", name, commands, webhooks: [] };
}

function news(state: State, name = "web"): News {
  const to = state === "active" || state === "backup" ? state : "initialize";
  const time = "2026-01-02T03:04:05.678Z";
  return { kind: "instance", name, state, from: "initialize", to, reason: "it's a test; $HOME", priority: 150, time };
}

function teller(commands: Partial<Record<CommandKey, CommandParameters>>, rights = own) {
  const log = new MemoryLog();
  const scripts = new NotifyScripts(log);
  const file = join(temporaryDirectory(), "log");
  const web = subject(commands);
  const warnings = scripts.configure([web], [], rights);
  const read = () => (existsSync(file) ? readFileSync(file, "utf8") : "");
  const tell = (state: State) => scripts.tell(news(state), web, background, rights);
  const settled = () =>
    until(() => scripts.status()[0]?.running === null && scripts.status()[0]?.waiting === null, "it");
  const status = () => {
    const [first] = scripts.status();
    if (first === undefined) throw new Error("no status");
    return first;
  };
  return { log, scripts, file, warnings, read, tell, settled, status };
}

function logging(file: string, word: string): CommandParameters {
  return command(["/bin/sh", "-c", `echo "$0 $*" >> ${file}`, word, "a b"]);
}

test("the specific script comes first and gets its own arguments only; notify gets four more", async () => {
  const file = join(temporaryDirectory(), "log");
  const keys = ["notify", "notify_active", "notify_backup", "notify_fault", "notify_stop"] as const;
  const { tell, status } = teller(Object.fromEntries(keys.map((key) => [key, logging(file, key)])));
  for (const [i, state] of (["backup", "active", "fault", "stop"] as const).entries()) {
    tell(state);
    await until(() => status().runs === 2 * (i + 1), `the scripts of ${state}`, patience);
  }
  expect(readFileSync(file, "utf8").split("\n")).toEqual([
    "notify_backup a b",
    "notify a b INSTANCE web BACKUP 150",
    "notify_active a b",
    "notify a b INSTANCE web MASTER 150",
    "notify_fault a b",
    "notify a b INSTANCE web FAULT 150",
    "notify_stop a b",
    "notify a b INSTANCE web STOP 150",
    "",
  ]);
});

test("environment and standard input tell more, word for word", async () => {
  const { tell, status } = teller({ notify: shell('echo "$VIPRD_STATE|$VIPRD_REASON|$VIPRD_ADDRESSES"; cat') });
  tell("active");
  await until(() => status().runs === 1, "the script", patience);
  const [first = "", second = ""] = status().last[0]?.output.split("\n") ?? [];
  expect(first).toBe("active|it's a test; $HOME|192.0.2.10/24");
  expect(JSON.parse(second)).toMatchObject({ name: "web", reason: "it's a test; $HOME", addresses: ["192.0.2.10/24"] });
});

test("a failure is told in log and status, with exit code and the last output, and stops nothing", async () => {
  const { tell, status, log } = teller({ notify_active: shell("echo no; exit 7"), notify: shell("kill -KILL $$") });
  tell("active");
  await until(() => status().runs === 2, "both scripts", patience);
  expect(status()).toMatchObject({
    kind: "instance",
    name: "web",
    told: "active",
    running: null,
    waiting: null,
    skipped: 0,
    runs: 2,
    failures: 2,
    last: [
      { key: "notify", state: "active", ok: false, exit_code: null, signal: "SIGKILL", timed_out: false, output: "" },
      {
        key: "notify_active",
        command: "/bin/sh -c 'echo no; exit 7' sh",
        ok: false,
        exit_code: 7,
        signal: null,
        output: "no",
        message: "exited with code 7",
      },
    ],
  });
  expect(log.lines).toEqual([
    "error web: notify_active (MASTER): /bin/sh -c 'echo no; exit 7' sh exited with code 7",
    "error web: notify (MASTER): /bin/sh -c 'kill -KILL $$' sh was ended by SIGKILL",
  ]);
});

test("one that takes too long is ended, then the newest state is told and the one between is not", async () => {
  const file = join(temporaryDirectory(), "log");
  const slow = `echo "$3" >> ${file}; [ "$3" = BACKUP ] && sleep 1000; true`;
  const { tell, status, log } = teller({ notify: shell(slow, { timeout: 500 }) });
  tell("backup");
  await until(() => existsSync(file), "its begin", patience);
  tell("active");
  tell("fault");
  expect(status()).toMatchObject({ told: "backup", running: { key: "notify", state: "backup" }, waiting: "fault" });
  await until(() => status().runs === 2, "the end", patience);
  expect(readFileSync(file, "utf8")).toBe("BACKUP\nFAULT\n");
  expect(status()).toMatchObject({ told: "fault", skipped: 1, runs: 2, failures: 1 });
  expect(log.lines[0]).toBe("warn web: notify is behind: MASTER is not told any more");
  expect(log.lines[1]).toMatch(/^error web: notify \(BACKUP\): .* did not end within 0\.5 s and was ended by SIGTERM$/);
});

test("what is overtaken by a state that no script is for is not told either", async () => {
  const file = join(temporaryDirectory(), "log");
  const { tell, settled, status, log } = teller({ notify_active: shell(`echo active >> ${file}; sleep 0.3`) });
  tell("active");
  await until(() => existsSync(file), "its begin", patience);
  tell("backup");
  tell("active");
  expect(status()).toMatchObject({ waiting: "active", skipped: 0 });
  tell("backup");
  expect(status()).toMatchObject({ waiting: null, skipped: 1 });
  await settled();
  expect(readFileSync(file, "utf8")).toBe("active\n");
  expect(log.lines[0]).toBe("warn web: notify is behind: MASTER is not told any more");
});

test("a stop waits for the word of the end", async () => {
  const file = join(temporaryDirectory(), "log");
  const { tell, scripts } = teller({ notify: shell(`sleep 0.3; echo "$3" >> ${file}`) });
  tell("active");
  tell("stop");
  await scripts.stop(patience);
  expect(readFileSync(file, "utf8")).toBe("MASTER\nSTOP\n");
});

test("a stop ends what hangs, tells the end nevertheless, and takes no longer than it may", async () => {
  const file = join(temporaryDirectory(), "log");
  const { tell, scripts, status } = teller({
    notify: shell(`echo "$3" >> ${file}; [ "$3" = MASTER ] && exec sleep 1000; true`),
  });
  tell("active");
  await until(() => existsSync(file), "its begin", patience);
  tell("stop");
  const begun = performance.now();
  await scripts.stop(2000);
  expect(performance.now() - begun).toBeGreaterThan(950);
  expect(readFileSync(file, "utf8")).toBe("MASTER\nSTOP\n");
  expect(status().last[0]).toMatchObject({ state: "stop", ok: true });
});

test("a stop does not wait for scripts that never end", async () => {
  const { tell, scripts, status, log } = teller({ notify: shell("trap '' TERM; while :; do sleep 1; done") });
  tell("stop");
  const begun = performance.now();
  await scripts.stop(300);
  expect(performance.now() - begun).toBeLessThan(3000);
  expect(status().last[0]).toMatchObject({ ok: false, signal: "SIGKILL" });
  expect(log.lines.at(-1)).toMatch(/was ended, as it is not wanted any more$/);
});

test("a thousand instances are told a few at a time, and each gets its turn", async () => {
  const log = new MemoryLog();
  const scripts = new NotifyScripts(log);
  const all = Array.from({ length: 60 }, (_, i) => subject({ notify: command(["/bin/true"]) }, `web${i}`));
  scripts.configure(all, [], own);
  for (const each of all) scripts.tell(news("backup", each.name), each, background, own);
  expect(scripts.status().filter(({ running }) => running !== null).length).toBeLessThanOrEqual(16);
  await until(() => scripts.status().every(({ runs }) => runs === 1), "all of them", patience);
  expect(log.lines.filter((line) => !line.startsWith("debug"))).toEqual([]);
});

test("a script that others can change is told with its place when the file is read, and is not run until that is mended", async () => {
  const folder = temporaryDirectory();
  const mark = join(folder, "mark");
  const program = join(folder, "x");
  writeFileSync(program, `#!/bin/sh\ntouch ${mark}\n`);
  chmodSync(program, 0o755);
  const { warnings, tell, status, log } = teller({ notify: command([program]) }, { ...own, security: true });
  expect(warnings).toEqual([
    expect.stringMatching(
      /^x\.yaml:5:3: here: warning: it will not be run: \/.* is writable by everyone \(mode 01777\)$/,
    ),
  ]);
  tell("active");
  await until(() => status().runs === 1, "the refusal");
  expect(existsSync(mark)).toBe(false);
  expect(status()).toMatchObject({ failures: 1, last: [{ ok: false, exit_code: null }] });
  expect(log.lines[0]).toMatch(/could not be run: \/.* is writable by everyone \(mode 01777\)$/);
});

test("a user that does not exist is told when the file is read", () => {
  const { warnings } = teller({ notify: command(["/bin/true"], { user: "nobody-of-that-name" }) });
  expect(warnings).toEqual([
    "x.yaml:5:3: here: warning: it will not be run: the user nobody-of-that-name does not exist in /etc/passwd",
  ]);
});
