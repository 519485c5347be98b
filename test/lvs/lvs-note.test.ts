import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { LvsNote, type LvsNoted, nothingNoted } from "../../src/lvs/lvs-note.ts";
import { isNetworkSetting, settingPath } from "../../src/lvs/sysctl-store.ts";

const noted: LvsNoted = {
  settings: [{ name: "net.ipv4.vs.conntrack", before: "0", set: "1" }],
  timeouts: [{ name: "udp", before: "300", set: "30" }],
  syncDaemons: ["backup"],
};

function note(): { file: string; note: LvsNote } {
  const directory = mkdtempSync(join(tmpdir(), "viprd-test-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const file = join(directory, "lvs.json");
  return { file, note: new LvsNote(file) };
}

/** As a run would have left it that `changes` were true of. */
function rewrite(file: string, changes: Readonly<Record<string, unknown>>): void {
  const content: unknown = JSON.parse(readFileSync(file, "utf8"));
  writeFileSync(file, JSON.stringify({ ...(content as object), ...changes }));
}

test("what was written is read by the next run, and nothing to remember leaves no file", () => {
  const { file, note: first } = note();
  expect(first.read()).toEqual(nothingNoted);
  first.write(noted);
  expect(new LvsNote(file).read()).toEqual(noted);
  first.write(nothingNoted);
  expect(existsSync(file)).toBe(false);
});

test("a note of another boot is none", () => {
  const { file, note: first } = note();
  first.write(noted);
  rewrite(file, { boot: "another" });
  expect(first.read()).toEqual(nothingNoted);
});

test.each([
  ["a setting that is not of the network", { settings: [{ name: "kernel.core_pattern", before: "a", set: "b" }] }],
  ["a way out of the folder", { settings: [{ name: "net.//.kernel.core_pattern", before: "a", set: "b" }] }],
  ["a timeout that there is not", { timeouts: [{ name: "sctp", before: "1", set: "2" }] }],
  ["values that are no text", { timeouts: [{ name: "udp", before: 1, set: "2" }] }],
  ["a role that there is not", { syncDaemons: ["slave"] }],
  ["half of it", { settings: undefined }],
])("a note with %s is refused, and nothing is written for it", (_, changes) => {
  const { file, note: first } = note();
  first.write(noted);
  rewrite(file, changes);
  expect(() => first.read()).toThrow("is not a note of what was changed for the load balancer");
});

test("settings are named as sysctl(8) names them", () => {
  expect(settingPath("net.ipv4.conf.eth0/100.rp_filter")).toBe("net/ipv4/conf/eth0.100/rp_filter");
  expect(isNetworkSetting("net.ipv4.conf.eth0/100.rp_filter")).toBe(true);
  expect(isNetworkSetting("kernel.core_pattern")).toBe(false);
  expect(isNetworkSetting("net.//.kernel")).toBe(false);
});
