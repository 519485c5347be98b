import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { type CustomParameters, custom } from "../../src/healthchecks/custom.ts";
import { temporaryDirectory } from "../daemon/support.ts";
import { probeOnce } from "./support.ts";

const worker = fileURLToPath(new URL("../../dist/healthchecks/custom-worker.js", import.meta.url));
if (!existsSync(worker)) throw new Error("dist/healthchecks/custom-worker.js is missing: npm run build");

/** The folder for temporary files is open to everybody: script security is looked at in a test of its own. */
function moduleOf(code: string, options: unknown = {}): CustomParameters {
  const path = join(temporaryDirectory(), "check.mjs");
  writeFileSync(path, code);
  return { type: "custom", module: path, options, security: false };
}

const ask = (parameters: CustomParameters, limit?: number) => probeOnce(custom, parameters, limit);

test("a module gets its options and answers with an outcome", async () => {
  const code = `export async function probe({ host, list }, { signal }) {
    return { ok: !signal.aborted, reason: \`\${host}\\n is \${list.length}\`, latency: 0.5, more: 1 };
  }`;
  expect(await ask(moduleOf(code, { host: "a", list: [1, { b: 2 }] }))).toEqual({
    ok: true,
    reason: "a is 2",
    latency: 0.5,
  });
});

describe("whatever a module does wrong is a failure of its checks alone", () => {
  test.each<[string, string, string]>([
    ["throws", 'export function probe() { throw new Error("out of luck"); }', "out of luck"],
    ["throws at load", 'throw new Error("out of luck")', "out of luck"],
    [
      "throws later, where nobody listens",
      'export const probe = () => new Promise(() => setTimeout(() => { throw new Error("late"); }, 1));',
      "late",
    ],
    ["is no JavaScript", "export function probe( {", "Unexpected"],
    ["has no probe", "export const prob = 1;", "exports no function probe"],
    [
      "answers nothing",
      "export function probe() {}",
      "probe() did not answer with { ok: true or false, reason: a text }",
    ],
    [
      "answers with half an outcome",
      "export const probe = () => ({ ok: 1, reason: 'x' });",
      "probe() did not answer with { ok: true or false, reason: a text }",
    ],
    [
      "answers with an odd latency",
      "export const probe = () => ({ ok: true, reason: 'x', latency: 'y' });",
      "probe() answered with a latency that is no number of milliseconds",
    ],
    ["ends its thread", "export const probe = () => process.exit(7);", "its thread ended with code 7"],
  ])("one that %s", async (_what, code, reason) => {
    const parameters = moduleOf(code);
    const outcome = await ask(parameters);
    expect(outcome.ok).toBe(false);
    expect(outcome.reason).toContain(reason);
    expect(outcome.reason.startsWith(`${parameters.module}: `)).toBe(true);
  });

  test("one that is missing", async () => {
    const path = join(temporaryDirectory(), "nothing.mjs");
    const outcome = await ask({ type: "custom", module: path, options: {}, security: false });
    expect(outcome).toMatchObject({ ok: false, reason: expect.stringContaining("Cannot find module") });
  });

  test("one that eats memory", async () => {
    const code =
      "export const probe = () => { const all = []; for (;;) all.push(new Array(1e5).fill(Math.random())); };";
    const outcome = await ask(moduleOf(code), 60_000);
    expect(outcome.ok).toBe(false);
    expect(outcome.reason).toContain("memory");
  });

  test("one that blocks is ended with its thread, and this one goes on meanwhile", async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 10);
    const outcome = await ask(moduleOf("export const probe = () => { for (;;); };"), 50);
    clearInterval(timer);
    expect(outcome.reason).toContain("no answer within 50 ms, and it did not stop: its thread was ended");
    expect(turns).toBeGreaterThan(10);
  });
});

test("a module is told to stop, and why", async () => {
  const code = `export const probe = (_, { signal }) => new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve({ ok: false, reason: signal.reason.message }));
  });`;
  expect(await ask(moduleOf(code), 30)).toEqual({ ok: false, reason: "no answer within 30 ms" });
});

test("between the runs of a check the module stays loaded; after its end it is forgotten", async () => {
  const parameters = moduleOf("let runs = 0; export const probe = () => ({ ok: true, reason: String(++runs) });");
  const end = custom.watch?.(parameters, () => {});
  const reasons = [await ask(parameters), await ask(parameters)].map(({ reason }) => reason);
  end?.();
  reasons.push((await ask(parameters)).reason);
  expect(reasons).toEqual(["1", "2", "1"]);
});

test("one that others could have changed is not loaded", async () => {
  const directory = mkdtempSync(join(fileURLToPath(new URL("../..", import.meta.url)), "build", "custom-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const path = join(directory, "check.mjs");
  writeFileSync(path, "export const probe = () => ({ ok: true, reason: 'loaded' });");
  chmodSync(path, 0o666);
  const outcome = await ask({ type: "custom", module: path, options: {}, security: true });
  expect(outcome.ok).toBe(false);
  expect(outcome.reason).toMatch(/ is not loaded: \/.* (is writable by|belongs to)/);
});
