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
