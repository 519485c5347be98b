import { spawn } from "node:child_process";
import { closeSync, constants, openSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { BoundedWriter } from "../../src/daemon/bounded-writer.ts";
import { temporaryDirectory } from "./support.ts";

const dropped = (count: number) => `${count} dropped\n`;

test("text arrives whole and in order", async () => {
  const file = join(temporaryDirectory(), "log");
  const descriptor = openSync(file, "a");
  const writer = new BoundedWriter(descriptor, { capacity: 1_000_000, dropped });
  const lines = Array.from({ length: 20_000 }, (_, i) => `line ${i} ä\n`);
  for (const line of lines) writer.write(line);
  expect(await writer.flush(5000)).toBe(true);
  expect(readFileSync(file, "utf8")).toBe(lines.join(""));
  closeSync(descriptor);
});

test("a reader that stands still costs lines, not time; when it is back it is told how many", async () => {
  const pipe = join(temporaryDirectory(), "pipe");
  await new Promise((resolve) => spawn("mkfifo", [pipe]).on("exit", resolve));
  const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  const descriptor = openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
  onTestFinished(() => [reader, descriptor].forEach(closeSync));
  const writer = new BoundedWriter(descriptor, { capacity: 100_000, dropped });
  const line = `${"x".repeat(999)}\n`;
  for (let i = 0; i < 500; i++) writer.write(line);
  expect(await writer.flush(100)).toBe(false);
  const flushed = writer.flush(5000);
  let text = "";
  while (!text.endsWith("dropped\n")) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    text += readAvailable(reader);
  }
  expect(await flushed).toBe(true);
  const kept = text.split(line).length - 1;
  expect(kept).toBeGreaterThan(100);
  expect(text.slice(kept * line.length)).toBe(`${500 - kept} dropped\n`);
});

test("when nobody can read any more, it gives up at once", async () => {
  const pipe = join(temporaryDirectory(), "pipe");
  await new Promise((resolve) => spawn("mkfifo", [pipe]).on("exit", resolve));
  const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  const descriptor = openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
  closeSync(reader);
  onTestFinished(() => closeSync(descriptor));
  const writer = new BoundedWriter(descriptor, { capacity: 1000, dropped });
  writer.write("x\n");
  writer.write("y\n");
  expect(await writer.flush(5000)).toBe(false);
  writer.write("z\n");
  expect(await writer.flush(5000)).toBe(false);
});

test("a full disk costs lines, and the log goes on when there is room again", async () => {
  const file = join(temporaryDirectory(), "log");
  const descriptor = openSync("/dev/full", "w");
  const writer = new BoundedWriter(descriptor, { capacity: 10, dropped });
  writer.write("first\n");
  writer.write("second\n");
  writer.write("too much\n");
  expect(await writer.flush(100)).toBe(false);
  // The lowest free number is taken: the same descriptor, now of a disk with room.
  closeSync(descriptor);
  expect(openSync(file, "a")).toBe(descriptor);
  onTestFinished(() => closeSync(descriptor));
  expect(await writer.flush(10_000)).toBe(true);
  expect(readFileSync(file, "utf8")).toBe("first\nsecond\n1 dropped\n");
});

function readAvailable(descriptor: number): string {
  const bytes = Buffer.alloc(65_536);
  try {
    return bytes.toString("utf8", 0, readSync(descriptor, bytes));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EAGAIN") return "";
    throw error;
  }
}
