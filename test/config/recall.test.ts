import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { recallingLoader } from "../../src/config/recall.ts";

const instance = "{ interface: lo, virtual_router_id: 51, virtual_ipaddress: [192.0.2.10/24] }";
const key = "5f".repeat(32);
const otherKey = "6e".repeat(32);

/** A file that includes a directory, and one instance with a key in a file of its own. */
function files() {
  const directory = mkdtempSync(join(tmpdir(), "viprd-recall-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const at = (name: string) => join(directory, name);
  mkdirSync(at("parts"));
  writeFileSync(at("key"), `hex:${key}\n`, { mode: 0o600 });
  writeFileSync(at("parts/a.yaml"), `vrrp_instance: { a: ${instance} }\n`);
  writeFileSync(at("viprd.yaml"), `include: parts/*.yaml\nglobal: { lvs_reconcile_interval: 5s }\n`);
  return at;
}

test("what says the same gives the same configuration, and anything else is read anew", () => {
  const at = files();
  let name = "one";
  const load = recallingLoader(() => name);
  const first = load(at("viprd.yaml"));
  expect(first.problems).toEqual([]);
  expect(load(at("viprd.yaml"))).toBe(first);
  writeFileSync(at("parts/a.yaml"), `vrrp_instance: { a: ${instance} }\n`);
  expect(load(at("viprd.yaml"))).toBe(first);

  writeFileSync(at("parts/a.yaml"), `vrrp_instance: { a: ${instance.replace("51", "52")} }\n`);
  const second = load(at("viprd.yaml"));
  expect(second.config?.instances.map(({ vrid }) => vrid)).toEqual([52]);

  writeFileSync(at("parts/b.yaml"), `vrrp_instance: { b: ${instance.replace(".10/", ".11/")} }\n`);
  const third = load(at("viprd.yaml"));
  expect(third.config?.instances.map(({ name }) => name)).toEqual(["a", "b"]);
  expect(load(at("viprd.yaml"))).toBe(third);

  name = "two";
  expect(load(at("viprd.yaml")).config?.global.routerId).toBe("two");
});

test("a file that cannot be read is looked for again", () => {
  const at = files();
  const load = recallingLoader();
  rmSync(at("parts/a.yaml"));
  writeFileSync(at("viprd.yaml"), "include: parts/a.yaml\n");
  const missing = load(at("viprd.yaml"));
  expect(missing.config).toBeUndefined();
  expect(load(at("viprd.yaml"))).toBe(missing);
  writeFileSync(at("parts/a.yaml"), `vrrp_instance: { a: ${instance} }\n`);
  expect(load(at("viprd.yaml")).config?.instances).toHaveLength(1);
});

test("a key file counts with what it says and with who may read it", () => {
  const at = files();
  const load = recallingLoader();
  const auth = `auth_hmac: { keys: { 1: "file:${at("key")}" }, active_key: 1 }`;
  writeFileSync(at("parts/a.yaml"), `vrrp_instance: { a: ${instance.replace("{", `{ ${auth},`)} }\n`);
  const secret = () => load(at("viprd.yaml")).config?.instances[0]?.authHmac?.keys[0]?.secret;
  const first = load(at("viprd.yaml"));
  expect(first.problems).toEqual([]);
  expect(load(at("viprd.yaml"))).toBe(first);
  chmodSync(at("key"), 0o644);
  expect(load(at("viprd.yaml")).problems.map(({ message }) => message)).toEqual([
    expect.stringContaining("everybody on this host may read"),
  ]);
  chmodSync(at("key"), 0o600);
  writeFileSync(at("key"), `hex:${otherKey}\n`);
  expect(secret()).toBe(otherKey);
});
