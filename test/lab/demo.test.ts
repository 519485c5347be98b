/** `npm run demo` as somebody runs it who has just cloned: what it shows, and that it leaves nothing behind. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { expect, type TestContext, test } from "vitest";
import { until } from "../daemon/support.ts";

const script = join(import.meta.dirname, "../../scripts/demo.mjs");

function startDemo({ onTestFinished }: TestContext): {
  process: ChildProcessByStdio<null, Readable, Readable>;
  output: { text: string };
} {
  const child = spawn(process.execPath, [script], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env.PATH },
  });
  const output = { text: "" };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output.text += text;
    });
  }
  onTestFinished(() => {
    child.kill("SIGTERM");
  });
  return { process: child, output };
}

/** Namespaces of the demo with this process number. */
function namespacesOf(pid: number | undefined): string[] {
  const folder = "/run/netns";
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith(`viprd-demo-${pid}-`)) : [];
}

test.concurrent("the demo shows a crash, a return and a stop with their outages, and cleans up", async (context) => {
  const demo = startDemo(context);
  const [code] = await once(demo.process, "exit");
  const { text } = demo.output;
  expect(code, text).toBe(0);
  const claims = [
    /lb1 {2}backup → active: no advertisement from anybody/,
    /killing lb1\n.*lb2 {2}backup → active: no advertisement from 192\.0\.2\.11/,
    /client {2}\d{4} ms without an answer/,
    /lb1 {2}backup → active: preempting 192\.0\.2\.12/,
    /lb2 {2}backup → active: 192\.0\.2\.11 gave up the role/,
    /address {3}192\.0\.2\.10\/24 {2}eth0 {2}present, lease 5 s/,
  ];
  for (const claim of claims) expect(text).toMatch(claim);
  expect(namespacesOf(demo.process.pid)).toEqual([]);
});

test.concurrent("a demo whose output nobody reads any more ends and cleans up", async (context) => {
  const demo = startDemo(context);
  await until(() => demo.output.text.includes("starting both"), "its start", 30_000);
  demo.process.stdout.destroy();
  await once(demo.process, "exit");
  expect(namespacesOf(demo.process.pid)).toEqual([]);
});

test.concurrent("what a demo that was killed left behind goes with the next one", async (context) => {
  const killed = startDemo(context);
  await until(() => killed.output.text.includes("starting both"), "its start", 30_000);
  killed.process.kill("SIGKILL");
  await once(killed.process, "exit");
  expect(namespacesOf(killed.process.pid)).toHaveLength(4);
  const next = startDemo(context);
  await until(() => next.output.text.includes("starting both"), "the start of the next", 30_000);
  expect(namespacesOf(killed.process.pid)).toEqual([]);
  next.process.kill("SIGTERM");
  await once(next.process, "exit");
  expect(namespacesOf(next.process.pid)).toEqual([]);
});
