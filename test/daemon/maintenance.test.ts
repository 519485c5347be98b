import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Maintenance } from "../../src/daemon/maintenance.ts";
import { loaded, temporaryDirectory } from "./support.ts";

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse("2026-01-01T00:00:00Z") });
});
afterEach(() => {
  vi.useRealTimers();
});

function rig(file = join(temporaryDirectory(), "maintenance.json")) {
  const lines: string[] = [];
  const log = { debug() {}, info: (text: string) => lines.push(text), warn: (text: string) => lines.push(text) };
  let changes = 0;
  const maintenance = new Maintenance(
    file,
    { ...log, error: log.warn, flush: async () => {} } as never,
    () => changes++,
  );
  maintenance.load();
  const result = loaded("web", "inside");
  if (!result.ok) throw new Error("no configuration");
  const disabled = () => maintenance.apply(result.config).instances.map((instance) => instance.disabled);
  return { file, lines, maintenance, disabled, config: result.config, changes: () => changes };
}

test("nothing is out of service at first, and the configuration is what it is", () => {
  const { maintenance, config, file } = rig();
  expect(maintenance.apply(config)).toBe(config);
  expect(existsSync(file)).toBe(false);
});

test("an instance that is taken out of service says why, also to the next run, until it is put back", () => {
  const first = rig();
  first.maintenance.begin(["web"], "new kernel", undefined);
  expect(first.disabled()).toEqual(["out of service: new kernel", undefined]);
  expect(first.changes()).toBe(1);
  const second = rig(first.file);
  expect(second.disabled()).toEqual(["out of service: new kernel", undefined]);
  expect(second.lines).toEqual(["out of service, as before: web"]);
  expect(second.maintenance.end(["web", "inside"])).toEqual(["web"]);
  expect(second.disabled()).toEqual([undefined, undefined]);
  expect(existsSync(first.file)).toBe(false);
});

test("what is put back without names includes what is not configured any more", () => {
  const { maintenance, file } = rig();
  maintenance.begin(["web", "renamed"], "disks", undefined);
  expect(maintenance.end()).toEqual(["web", "renamed"]);
  expect(existsSync(file)).toBe(false);
});

test("it ends by itself when its time is over, in this run or before the next", () => {
  const { maintenance, disabled, changes, file, lines } = rig();
  maintenance.begin(["web"], "disks", 60_000);
  maintenance.begin(["inside"], "disks", 120_000);
  const until = "out of service: disks (until 2026-01-01T00";
  expect(disabled()).toEqual([`${until}:01:00.000Z)`, `${until}:02:00.000Z)`]);
  vi.advanceTimersByTime(60_001);
  expect(disabled()).toEqual([undefined, `${until}:02:00.000Z)`]);
  expect(changes()).toBe(3);
  expect(lines.at(-1)).toBe("web: back in service, the time is over");
  maintenance.close();
  vi.advanceTimersByTime(60_001);
  const next = rig(file);
  expect(next.disabled()).toEqual([undefined, undefined]);
  expect(next.changes()).toBe(0);
});

test("a note that cannot be read is told, and takes nothing out of service", () => {
  for (const text of ["", "[]", '{"web":null}', '{"web":{"reason":1}}', '{"web":{"reason":"x","until":"tomorrow"}}']) {
    const file = join(temporaryDirectory(), "maintenance.json");
    writeFileSync(file, text);
    const { disabled, lines } = rig(file);
    expect(disabled(), text).toEqual([undefined, undefined]);
    expect(lines[0], text).toContain(`maintenance: cannot read ${file}`);
    expect(readFileSync(file, "utf8")).toBe(text);
  }
});

test("a note that cannot be written is told, and what was asked for is done", () => {
  const { maintenance, disabled, lines } = rig("/proc/no/such/place");
  maintenance.begin(["web"], "disks", undefined);
  expect(disabled()).toEqual(["out of service: disks", undefined]);
  expect(lines.at(-1)).toMatch(/^maintenance: it will not outlive a restart: cannot write/);
});
