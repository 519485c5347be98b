import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { HealthChecks, type NamedVerdict } from "../../src/healthchecks/health-checks.ts";
import type { CheckParameters } from "../../src/healthchecks/parameters.ts";
import { until } from "../daemon/support.ts";
import { closedPort, common, listen } from "./support.ts";

function checks() {
  const verdicts: NamedVerdict[] = [];
  const all = new HealthChecks((verdict) => verdicts.push(verdict));
  onTestFinished(() => all.stop());
  return { all, verdicts };
}

const tcp = (name: string, port: number): CheckParameters => ({
  ...common({ name, timeout: 1000 }),
  type: "tcp",
  host: "127.0.0.1",
  port,
});

test("checks run from the start on, each tells its own verdict, and later ones run at once", async () => {
  const { all, verdicts } = checks();
  const [open, closed] = [await listen((socket) => socket.destroy()), await closedPort()];
  all.configure(tcp("open", open));
  all.configure(tcp("closed", closed));
  expect([...all.verdicts()]).toMatchObject([
    { check: "open", up: null },
    { check: "closed", up: null },
  ]);
  all.start();
  await until(() => verdicts.length === 2, "two verdicts");
  all.configure(tcp("later", open));
  await until(() => verdicts.length === 3, "the third");
  expect(new Map(verdicts.map(({ check, up }) => [check, up]))).toEqual(
    new Map([
      ["open", true],
      ["closed", false],
      ["later", true],
    ]),
  );
  all.remove("closed");
  expect([...all.status()].map(({ name, state }) => [name, state])).toEqual([
    ["open", "up"],
    ["later", "up"],
  ]);
});

test("the end waits for what a removed check still runs", async () => {
  const { all } = checks();
  const directory = mkdtempSync(join(tmpdir(), "viprd-test-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const file = join(directory, "pid");
  const line = `trap '' TERM; echo $$ > ${file}; while :; do sleep 0.1; done`;
  all.configure({
    ...common({ timeout: 60_000 }),
    type: "script",
    argv: ["/bin/sh", "-c", line],
    user: String(process.getuid?.() ?? 0),
    security: false,
  });
  all.start();
  await until(() => existsSync(file) && readFileSync(file, "utf8").endsWith("\n"), "the start");
  const pid = Number(readFileSync(file, "utf8"));
  all.remove("web");
  await all.stop();
  await until(() => !existsSync(`/proc/${pid}`), "the end of the script");
});

test("how late runs begin is told, over all checks", async () => {
  const { all } = checks();
  const open = await listen((socket) => socket.destroy());
  for (const name of ["a", "b"]) all.configure({ ...tcp(name, open), interval: 20 });
  all.start();
  // Nothing runs while this thread stands still.
  const until50 = performance.now() + 50;
  while (performance.now() < until50);
  await until(() => all.lateness().timers >= 4, "some runs");
  const { max_ms, histogram, timers } = all.lateness();
  expect(max_ms).toBeGreaterThan(20);
  expect(histogram.reduce((sum, { count }) => sum + count, 0)).toBe(timers);
});

test("a check that rests keeps what it found and runs no more, until it goes on with that", async () => {
  const { all, verdicts } = checks();
  let connections = 0;
  const open = await listen((socket) => {
    connections++;
    socket.destroy();
  });
  all.configure({ ...tcp("busy", open), interval: 10 });
  all.configure({ ...tcp("resting", open), interval: 10 });
  all.rest(new Set(["busy", "resting", "nobody"]));
  all.start();
  all.rest(new Set(["resting"]));
  const runsOf = (name: string) => [...all.status()].find((check) => check.name === name)?.runs ?? 0;
  await until(() => runsOf("busy") >= 5, "five runs");
  expect([runsOf("resting"), verdicts.map(({ check }) => check)]).toEqual([0, ["busy"]]);
  all.rest(new Set(["busy"]));
  await until(() => runsOf("resting") >= 3, "runs of the other");
  const [runs, seen] = [runsOf("busy"), connections];
  await until(() => connections >= seen + 3, "more connections");
  expect(runsOf("busy")).toBe(runs);
  expect([...all.verdicts()].map(({ check, up }) => [check, up])).toEqual([
    ["busy", true],
    ["resting", true],
  ]);
  // Back and forth within a turn: it runs once at a time all the same.
  for (const names of [["busy"], [], ["busy"], []]) all.rest(new Set(names));
  await until(() => runsOf("busy") >= runs + 3, "runs after the rest");
});

test("checks that have rested are back soon: their service may have no server before", async () => {
  const { all } = checks();
  const open = await listen((socket) => socket.destroy());
  const names = Array.from({ length: 10 }, (_, index) => `check-${index}`);
  for (const name of names) all.configure({ ...tcp(name, open), interval: 60_000 });
  all.rest(new Set(names));
  all.start();
  all.rest(new Set());
  // Beside others that begin as after a reload, over a second.
  for (const name of names) all.configure({ ...tcp(`new-${name}`, open), interval: 60_000 });
  const ran = () => [...all.status()].filter(({ runs }) => runs > 0).map(({ name }) => name);
  await until(() => ran().includes("new-check-4"), "half of the others");
  expect(ran()).toEqual(expect.arrayContaining(names));
});

test("many checks that a reload brings begin spread over a second, as at the start", async () => {
  const { all } = checks();
  const open = await listen((socket) => socket.destroy());
  all.start();
  const begun = performance.now();
  for (let index = 0; index < 10; index++) all.configure({ ...tcp(`check-${index}`, open), interval: 60_000 });
  const ran = () => [...all.status()].filter(({ runs }) => runs > 0).map(({ name }) => name);
  await until(() => ran().length > 0, "the first one");
  await until(() => ran().includes("check-9"), "the last one");
  expect(performance.now() - begun).toBeGreaterThan(890);
  expect(ran().length).toBe(10);
  // So do those that it changes: all at once, for ever after on the same beat, they would be late by themselves.
  const changed = performance.now();
  for (let index = 0; index < 10; index++) all.configure({ ...tcp(`check-${index}`, open), interval: 50_000 });
  const ranAgain = () => [...all.status()].filter(({ runs }) => runs > 1).map(({ name }) => name);
  await until(() => ranAgain().length > 0, "the first one that was changed");
  await until(() => ranAgain().includes("check-9"), "the last one that was changed");
  expect(performance.now() - changed).toBeGreaterThan(890);
  expect(ranAgain().length).toBe(10);
});
