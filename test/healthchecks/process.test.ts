import { type ChildProcess, spawn } from "node:child_process";
import { copyFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { type ProcessParameters, processes } from "../../src/healthchecks/process.ts";
import {
  judgeCount,
  matches,
  mayMatch,
  type ProcessEntry,
  type WantedProcess,
} from "../../src/healthchecks/process-match.ts";
import { temporaryDirectory, until } from "../daemon/support.ts";
import { probeOnce } from "./support.ts";

const entry = (shortName: string, ...words: string[]): ProcessEntry => ({ pid: 7, shortName, ended: false, words });

describe("which process is meant", () => {
  const haproxy = entry("haproxy", "/usr/sbin/haproxy", "-W", "-f", "/etc/haproxy.cfg");
  const long = entry("very-long-progr", "/opt/very-long-program", "-x");
  const script = entry("very-long-progr", "/usr/bin/python3", "/opt/very-long-program.py");
  test.each<[string, WantedProcess, ProcessEntry, boolean]>([
    ["its name", { program: "haproxy" }, haproxy, true],
    ["the beginning of its name", { program: "hap" }, haproxy, false],
    ["a name that begins as its own", { program: "haproxy-exporter" }, haproxy, false],
    ["a long name", { program: "very-long-program" }, long, true],
    ["a long name that differs where it was cut", { program: "very-long-progress" }, long, false],
    ["the long name of a script", { program: "very-long-program.py" }, script, true],
    ["the first words of its command line", { command: ["haproxy", "-W"] }, haproxy, true],
    ["all of its words", { command: ["/usr/sbin/haproxy", "-W", "-f", "/etc/haproxy.cfg"] }, haproxy, true],
    ["more words than it has", { command: ["haproxy", "-W", "-f", "/etc/haproxy.cfg", "-d"] }, haproxy, false],
    ["another path", { command: ["/usr/local/sbin/haproxy"] }, haproxy, false],
    ["words in another order", { command: ["haproxy", "-f"] }, haproxy, false],
    ["the beginning of a word", { command: ["haproxy", "-"] }, haproxy, false],
    ["a thread of the kernel has no words", { command: ["kworker"] }, entry("kworker/0:1"), false],
    ["one that has ended", { program: "haproxy" }, { ...haproxy, ended: true }, false],
  ])("%s", (_what, wanted, process, meant) => {
    expect(matches(wanted, process)).toBe(meant);
    if (meant) expect(mayMatch(wanted, process.shortName)).toBe(true);
  });
});

test.each<[readonly number[], number, number | undefined, boolean, string]>([
  [[], 1, undefined, false, "no process of haproxy, expected at least 1"],
  [[7], 1, undefined, true, "haproxy runs, pid 7"],
  [[7, 8], 3, undefined, false, "2 processes of haproxy, expected at least 3"],
  [[7, 8], 1, 2, true, "haproxy runs, pid 7, 8"],
  [[7, 8, 9], 1, 2, false, "3 processes of haproxy, expected at most 2"],
  [[7, 8, 9, 10], 1, undefined, true, "haproxy runs, pid 7, 8, 9 and others"],
])("%j with a quorum of %d to %s", (pids, least, most, ok, reason) => {
  expect(judgeCount({ program: "haproxy" }, pids, least, most)).toEqual({ ok, reason });
});

describe("on this host", () => {
  /** `sleep` under another name, so that nobody else runs it. */
  function start(program: string, ...words: readonly string[]): ChildProcess {
    const child = spawn(program, words, { stdio: "ignore" });
    onTestFinished(() => void child.kill("SIGKILL"));
    return child;
  }
  const ask = (wanted: WantedProcess, more: Partial<ProcessParameters> = {}) =>
    probeOnce(processes, { type: "process", wanted, quorum: 1, ...more });

  test("processes are found, counted, and missed when they have gone", async () => {
    const name = `viprd-test-${process.pid}-sleeps`;
    const path = join(temporaryDirectory(), name);
    copyFileSync(realpathSync("/bin/sleep"), path);
    expect(await ask({ program: name })).toMatchObject({ ok: false });
    const first = start(path, "61");
    start(path, "62");
    await until(async () => (await ask({ program: name }, { quorum: 2 })).ok, "two processes");
    expect(await ask({ command: [name, "61"] })).toEqual({
      ok: true,
      reason: `${name} 61 runs, pid ${first.pid}`,
    });
    expect(await ask({ command: [path] }, { quorumMax: 1 })).toEqual({
      ok: false,
      reason: `2 processes of ${path}, expected at most 1`,
    });
    // Of one check, whose last run knows both: one that has gone is missed, and one that comes is found.
    const both: ProcessParameters = { type: "process", wanted: { program: name }, quorum: 2 };
    expect(await probeOnce(processes, both)).toMatchObject({ ok: true });
    first.kill("SIGKILL");
    await until(async () => !(await probeOnce(processes, both)).ok, "the end of one");
    start(path, "63");
    await until(async () => (await probeOnce(processes, both)).ok, "the one in its place");
  });
});
