import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { SettingsNote } from "../../src/vrrp/settings-note.ts";

const changed = { path: "net/ipv4/conf/eth0/arp_ignore", before: "0", set: "1" };

function note(): { file: string; note: SettingsNote } {
  const directory = mkdtempSync(join(tmpdir(), "viprd-test-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const file = join(directory, "settings.json");
  return { file, note: new SettingsNote(file) };
}

/** As a run would have left it that `changes` were true of. */
function rewrite(file: string, changes: Readonly<Record<string, unknown>>): void {
  const content: unknown = JSON.parse(readFileSync(file, "utf8"));
  writeFileSync(file, JSON.stringify({ ...(content as object), ...changes }));
}

test("what was written is read by the next run", () => {
  const { file, note: first } = note();
  expect(first.read()).toEqual({ settings: [], filter: false });
  first.write({ settings: [changed], filter: true });
  expect(new SettingsNote(file).read()).toMatchObject({ settings: [changed], filter: true });
});

test("nothing to remember leaves no file", () => {
  const { file, note: first } = note();
  first.write({ settings: [changed], filter: false });
  first.write({ settings: [], filter: false });
  expect(existsSync(file)).toBe(false);
  first.write({ settings: [], filter: false });
});

test.each([
  ["boot", { boot: "another" }],
  ["network namespace", { namespace: "net:[1]" }],
])("a note of another %s is none", (_, changes) => {
  const { file, note: first } = note();
  first.write({ settings: [changed], filter: true });
  rewrite(file, changes);
  expect(first.read()).toEqual({ settings: [], filter: false });
});

test.each([
  ["another file than a setting of an interface", { settings: [{ ...changed, path: "kernel/core_pattern" }] }],
  ["a way out of the folder", { settings: [{ ...changed, path: "net/ipv4/conf/../arp_ignore" }] }],
  ["values that are no text", { settings: [{ ...changed, before: 0 }] }],
  ["half of it", { filter: undefined }],
])("a note with %s is refused, and nothing is written for it", (_, changes) => {
  const { file, note: first } = note();
  first.write({ settings: [changed], filter: true });
  rewrite(file, changes);
  expect(() => first.read()).toThrow("is not a note of settings");
});

test("a note cut short is refused", () => {
  const { file, note: first } = note();
  writeFileSync(file, '{"boot":');
  expect(() => first.read()).toThrow();
});
