/** Key files as they lie on a disk: where they are looked for, what they may be, and what is said about who may read them. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test } from "vitest";
import { renderCheck, renderCheckJson } from "../../src/cli/check-render.ts";
import { loadConfig } from "../../src/config/load.ts";
import { formatProblem } from "../../src/config/problem.ts";
import { instanceWith } from "./support.ts";

const folder = mkdtempSync(join(tmpdir(), "viprd-keys-"));
afterAll(() => rmSync(folder, { recursive: true }));

const secret = "5f".repeat(32);
const file = join(folder, "vrrp.key");

beforeEach(() => {
  writeFileSync(file, `hex:${secret}\n`);
  chmodSync(file, 0o600);
});

function load(key: string) {
  const config = join(folder, "viprd.yaml");
  writeFileSync(config, instanceWith("auth_hmac:", `  keys: { 1: "file:${key}" }`, "  active_key: 1"));
  const loaded = loadConfig(config, { env: {}, hostName: "lb1" });
  return { loaded, messages: loaded.problems.map(formatProblem).map((text) => text.replaceAll(folder, "")) };
}

test("a key file is found beside the file that names it, and is one of the files that were read", () => {
  const { loaded, messages } = load("vrrp.key");
  expect(messages).toEqual([]);
  expect(loaded.config?.instances[0]?.authHmac?.keys).toEqual([{ id: 1, secret, file }]);
  expect(loaded.files).toEqual([join(folder, "viprd.yaml"), file]);
});

test.each([
  [0o600, undefined],
  [0o640, undefined],
  [0o644, "read"],
  [0o604, "read"],
  [0o602, "write"],
  [0o666, "write"],
])("mode %o: a warning that everybody may %s it, and the key counts", (mode, may) => {
  chmodSync(file, mode);
  const { loaded, messages } = load(file);
  const where = "/viprd.yaml:7:18: vrrp_instance.web.auth_hmac.keys.1: warning";
  expect(messages).toEqual(
    may === undefined ? [] : [`${where}: everybody on this host may ${may} /vrrp.key: chmod o= /vrrp.key`],
  );
  expect(loaded.config).toBeDefined();
});

test("what is no plain file is not opened: a pipe would wait for ever", () => {
  const pipe = join(folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  mkdirSync(join(folder, "directory"));
  symlinkSync(file, join(folder, "link"));
  symlinkSync("nowhere", join(folder, "broken"));
  const complaint = (name: string) => load(name).messages.map((text) => text.replace(/^.*keys\.1: /, ""));
  expect(complaint("pipe")).toEqual(["cannot read /pipe: it is no plain file"]);
  expect(complaint("directory")).toEqual(["cannot read /directory: it is no plain file"]);
  expect(complaint("/dev/zero")).toEqual(["cannot read /dev/zero: it is no plain file"]);
  expect(complaint("broken")).toEqual(["cannot read /broken: no such file or directory (ENOENT)"]);
  expect(complaint("link")).toEqual([]);
});

test("no output of the check has a secret in it, and the resolved one names the file", () => {
  const { loaded } = load("vrrp.key");
  const outputs = [renderCheck(loaded, false), renderCheck(loaded, true), renderCheckJson(loaded)];
  for (const output of outputs) expect(output).not.toContain("5f5f");
  expect(outputs[1]).toContain(`"1": file:${file}`);
  const inline = join(folder, "inline.yaml");
  writeFileSync(inline, instanceWith("auth_hmac:", `  keys: { 1: "hex:${secret}" }`, "  active_key: 1"));
  const resolved = renderCheck(loadConfig(inline, { env: {}, hostName: "lb1" }), true);
  expect(resolved).not.toContain("5f5f");
  expect(resolved).toContain("********");
});
