import { expect, test } from "vitest";
import { formatRecord } from "../../src/daemon/log-format.ts";

const at = new Date(2026, 0, 2, 3, 4, 5, 6);

test("a line has its time, level, instance and words", () => {
  const message = "backup → active: no advertisement from 192.0.2.11 for 3.61 s";
  expect(formatRecord({ at, level: "info", instance: "web", message, fields: {} }, false)).toBe(
    "03:04:05.006 info  web: backup → active: no advertisement from 192.0.2.11 for 3.61 s\n",
  );
});

test("fields follow as name=value, quoted where they need it", () => {
  const fields = { count: 3, reason: "a b", peer: "192.0.2.1" };
  expect(formatRecord({ at, level: "warn", message: "x", fields }, false)).toBe(
    '03:04:05.006 warn  x count=3 reason="a b" peer=192.0.2.1\n',
  );
});

test("text from outside cannot move the cursor, and further lines are indented", () => {
  const message = "stack\n  at x\u001b[2J\r";
  expect(formatRecord({ at, level: "error", message, fields: {} }, false)).toBe(
    "03:04:05.006 error stack\n      at x?[2J?\n",
  );
});

test("colour is added on request only", () => {
  expect(formatRecord({ at, level: "info", message: "x", fields: {} }, true)).toContain("\u001b[36minfo \u001b[0m");
});
