import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { describeEntry } from "../../src/daemon/admin-entries.ts";
import { ServerAdmin } from "../../src/daemon/server-admin.ts";
import type { AdminEntry } from "../../src/lvs/parameters.ts";
import { lvsParameters, virtualServer } from "./lvs-support.ts";
import { MemoryLog, temporaryDirectory } from "./support.ts";

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse("2026-01-01T00:00:00Z") });
});
afterEach(() => {
  vi.useRealTimers();
});

function rig(file = join(temporaryDirectory(), "servers.json")) {
  const log = new MemoryLog();
  let changes = 0;
  const events: string[] = [];
  const admin = new ServerAdmin(file, log, { changed: () => changes++, told: (message) => events.push(message) });
  admin.load();
  return { file, log, admin, events, told: () => admin.entries.map(describeEntry), changes: () => changes };
}

function entry(changes: Partial<AdminEntry> = {}): AdminEntry {
  return { address: "192.0.2.21", what: { type: "drain" }, since: Date.now(), by: "root (uid 0)", ...changes };
}

test("what was said is in force, told, noted, and in force in the next run, until it is taken back", () => {
  const first = rig();
  first.admin.begin([entry({ port: 443, service: "https", reason: "new kernel" })]);
  const text = "192.0.2.21:443 of https: drain by root (uid 0): new kernel";
  expect([first.told(), first.log.lines, first.changes()]).toEqual([[text], [`warn ${text}`], 1]);
  const second = rig(first.file);
  expect([second.told(), second.log.lines]).toEqual([[text], [`warn as before: ${text}`]]);
  expect(second.admin.end("drain", { address: "192.0.2.21" }, "alice (uid 1000)")).toMatchObject([{ port: 443 }]);
  expect([second.told(), second.log.lines.at(-1)]).toEqual([[], `info taken back by alice (uid 1000): ${text}`]);
  expect([...first.events, ...second.events]).toEqual([
    text,
    `as before: ${text}`,
    `taken back by alice (uid 1000): ${text}`,
  ]);
  expect(existsSync(first.file)).toBe(false);
});

test("of each kind the last word counts, for the servers that it names; what it does not name stays", () => {
  const { admin, told } = rig();
  admin.begin([entry({ port: 443 }), entry({ port: 80, what: { type: "weight", weight: 5 } })]);
  admin.begin([entry({ port: 80, what: { type: "weight_percent", percent: 50 }, by: "alice" })]);
  expect(told()).toEqual(["192.0.2.21:443: drain by root (uid 0)", "192.0.2.21:80: weight 50% by alice"]);
  admin.begin([entry({ by: "bob" })]);
  expect(told()).toEqual(["192.0.2.21:80: weight 50% by alice", "192.0.2.21: drain by bob"]);
  admin.begin([entry({ service: "https", by: "carol" })]);
  expect(told()).toEqual([
    "192.0.2.21:80: weight 50% by alice",
    "192.0.2.21: drain by bob",
    "192.0.2.21 of https: drain by carol",
  ]);
});

test("what names no server of the file is told once, and again when the file loses the server once more", () => {
  const { admin, log, told } = rig();
  admin.begin([entry({ service: "www" }), entry({ address: "192.0.2.22" })]);
  const files = [["www"], ["web"], ["web"], ["www"], ["web"]].map(([name = ""]) =>
    lvsParameters(virtualServer(name, ["192.0.2.21:80", "192.0.2.22:80"])),
  );
  const lines = files.map((lvs) => {
    const before = log.lines.length;
    admin.compare(lvs);
    return log.lines.slice(before);
  });
  const line =
    "warn 192.0.2.21 of www: drain by root (uid 0): the file has no such server; it counts again when it has";
  expect(lines).toEqual([[], [line], [], [], [line]]);
  expect(told()).toHaveLength(2);
});

test("nothing is taken back of another kind, of other servers, or of more servers than were named", () => {
  const { admin, told, changes } = rig();
  admin.begin([entry()]);
  expect(admin.end("maintenance", { address: "192.0.2.21" }, "x")).toEqual([]);
  expect(admin.end("drain", { address: "192.0.2.22" }, "x")).toEqual([]);
  expect(admin.end("drain", { address: "192.0.2.21", port: 443 }, "x")).toEqual([]);
  expect([told().length, changes()]).toEqual([1, 1]);
});

test("it ends by itself when its time is over, in this run or before the next", () => {
  const { admin, told, changes, file, log } = rig();
  admin.begin([entry({ until: Date.now() + 60_000 }), entry({ address: "192.0.2.22", until: Date.now() + 120_000 })]);
  vi.advanceTimersByTime(60_000);
  expect(told()).toEqual(["192.0.2.22: drain by root (uid 0) (until 2026-01-01T00:02:00.000Z)"]);
  expect([changes(), log.lines.at(-1)]).toEqual([
    2,
    "info the time is over: 192.0.2.21: drain by root (uid 0) (until 2026-01-01T00:01:00.000Z)",
  ]);
  admin.close();
  vi.advanceTimersByTime(60_000);
  expect(rig(file).told()).toEqual([]);
});

test("an end that is further away than a timer can count is kept all the same", () => {
  const { admin, told } = rig();
  const year = 365 * 24 * 3600 * 1000;
  admin.begin([entry({ until: Date.now() + year })]);
  vi.advanceTimersByTime(year - 1);
  expect(told().length).toBe(1);
  vi.advanceTimersByTime(1);
  expect(told()).toEqual([]);
});

test.each([
  ["{", "JSON"],
  ["{}", "it is no list"],
  ["[null]", "its entry 1 is not understood"],
  ['[{"address":"192.0.2.21","what":{"type":"dance"},"since":1,"by":"x"}]', "its entry 1 is not understood"],
  ['[{"address":"192.0.2.21","what":{"type":"weight"},"since":1,"by":"x"}]', "its entry 1 is not understood"],
])("the note %s is told as broken and says nothing of any server", (text, why) => {
  const file = join(temporaryDirectory(), "servers.json");
  writeFileSync(file, text);
  const { admin, log } = rig(file);
  expect(admin.entries).toEqual([]);
  expect(log.lines).toEqual([expect.stringContaining(`cannot read ${file}:`)]);
  expect(log.lines[0]).toContain(why);
});

test("what cannot be noted is in force all the same, and told", () => {
  const { admin, log, told } = rig("/proc/viprd-cannot/servers.json");
  admin.begin([entry()]);
  expect(told().length).toBe(1);
  expect(log.lines.at(-1)).toContain("will not outlive a restart: cannot write /proc/viprd-cannot/servers.json");
});

test("the note is complete at any time", () => {
  const { admin, file } = rig();
  admin.begin([entry()]);
  expect(JSON.parse(readFileSync(file, "utf8"))).toEqual(admin.entries);
  expect(existsSync(`${file}.new`)).toBe(false);
});
