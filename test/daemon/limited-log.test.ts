import { expect, test } from "vitest";
import { limitedLog } from "../../src/daemon/limited-log.ts";
import { MemoryLog, until } from "./support.ts";

test("a storm of one kind is one line and its count; another kind and another instance pass", async () => {
  const memory = new MemoryLog();
  const log = limitedLog(memory);
  for (let i = 0; i < 100; i++) log.warn(`rejected packet from 192.0.2.${i}`, { instance: "web" });
  log.warn("rejected packet from 192.0.2.1", { instance: "inside" });
  log.warn("conflict", { instance: "web" });
  expect(memory.lines).toEqual([
    "warn web: rejected packet from 192.0.2.0",
    "warn inside: rejected packet from 192.0.2.1",
    "warn web: conflict",
  ]);
  await until(() => memory.lines.length > 3, "the count");
  expect(memory.lines[3]).toBe("info web: rejected packet from 192.0.2.99 (99 like it)");
});

test("what becomes of each check and each sync group is told, whatever their names look like", () => {
  const memory = new MemoryLog();
  const log = limitedLog(memory);
  for (const check of ["be1", "be2"]) log.warn(`check ${check} up → down: refused`, { check });
  for (const group of ["edge", "core"]) log.info("backup → active: all want to", { group });
  expect(memory.lines).toHaveLength(4);
});
