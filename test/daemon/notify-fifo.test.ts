import { execFileSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { NotifyFifo } from "../../src/daemon/notify-fifo.ts";
import { MemoryLog, until } from "./support.ts";

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "viprd-fifo-"));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}

function reader(path: string): () => string {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  onTestFinished(() => closeSync(descriptor));
  const buffer = Buffer.alloc(1024 * 1024);
  return () => {
    try {
      return buffer.toString("utf8", 0, readSync(descriptor, buffer));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EAGAIN") return "";
      throw error;
    }
  };
}

function open(path: string) {
  const log = new MemoryLog();
  const fifo = new NotifyFifo(path, log);
  onTestFinished(() => fifo.close());
  return { fifo, log };
}

test("a missing FIFO is made, for its owner only, and removed in the end", () => {
  const path = join(folder(), "x.fifo");
  const { fifo } = open(path);
  expect(lstatSync(path).isFIFO()).toBe(true);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  fifo.close();
  expect(existsSync(path)).toBe(false);
});

test("one that is there is used and stays, and a reader gets what was written before it came", () => {
  const path = join(folder(), "x.fifo");
  execFileSync("mkfifo", ["-m", "0640", path]);
  const { fifo } = open(path);
  fifo.write("a", "one\n");
  fifo.write("b", "two\n");
  expect(reader(path)()).toBe("one\ntwo\n");
  fifo.close();
  expect(existsSync(path)).toBe(true);
});

test("without a reader nothing blocks: what does not fit is lost and counted, the newest of each waits for room", async () => {
  const path = join(folder(), "x.fifo");
  const { fifo, log } = open(path);
  const line = (n: number) => `${`${n}`.padEnd(99, ".")}\n`;
  for (let n = 0; n < 10_000; n++) fifo.write(n % 2 === 0 ? "even" : "odd", line(n));
  const full = fifo.status();
  expect(full.problem).toBe("it is full, as nobody reads it");
  expect(full.waiting).toBe(2);
  expect(full.lines + full.lost + full.waiting).toBe(10_000);
  expect(log.lines.filter((text) => text.startsWith("error"))).toEqual([
    `error FIFO ${path}: it is full, as nobody reads it`,
  ]);
  const read = reader(path);
  const first = read();
  expect(first.split("\n").filter((text) => text !== "")).toHaveLength(full.lines);
  let later = "";
  await until(() => {
    later += read();
    return later.endsWith(line(9999));
  }, "the newest lines");
  expect(later).toBe(line(9998) + line(9999));
  expect(fifo.status()).toEqual({ path, lines: full.lines + 2, lost: full.lost, waiting: 0, problem: null });
  expect(log.lines.at(-1)).toBe(`info FIFO ${path}: written again, ${full.lost} lines lost so far`);
});

test("a FIFO that was removed or replaced is made or opened again", () => {
  const path = join(folder(), "x.fifo");
  const { fifo } = open(path);
  unlinkSync(path);
  fifo.write("a", "one\n");
  expect(reader(path)()).toBe("one\n");
  unlinkSync(path);
  execFileSync("mkfifo", [path]);
  fifo.write("a", "two\n");
  expect(reader(path)()).toBe("two\n");
});

test.each<[string, (path: string) => void]>([
  ["a file", (path) => writeFileSync(path, "precious\n")],
  ["a link", (path) => symlinkSync("/dev/null", path)],
])("%s of that name is left alone and complained about", (_what, put) => {
  const path = join(folder(), "x.fifo");
  put(path);
  const { fifo, log } = open(path);
  fifo.write("a", "one\n");
  fifo.write("a", "two\n");
  expect(fifo.status()).toMatchObject({ lines: 0, lost: 1, waiting: 1 });
  expect(log.lines).toEqual([`error FIFO ${path}: there is something else of that name, no FIFO`]);
  fifo.close();
  expect(lstatSync(path).isFIFO()).toBe(false);
});

test("a folder that has become something else is a problem of the FIFO, not of whoever writes", () => {
  const parent = folder();
  const path = join(parent, "run", "x.fifo");
  mkdirSync(join(parent, "run"));
  const { fifo, log } = open(path);
  renameSync(join(parent, "run"), join(parent, "gone"));
  writeFileSync(join(parent, "run"), "");
  fifo.write("a", "one\n");
  expect(fifo.status()).toMatchObject({ lines: 0, waiting: 1 });
  expect(log.lines).toEqual([`error FIFO ${path}: ENOTDIR: not a directory, lstat '${path}'`]);
  fifo.close();
  expect(log.lines.slice(1)).toEqual([
    `warn FIFO ${path}: 1 lines were never read`,
    `warn FIFO ${path}: it cannot be removed: ENOTDIR: not a directory, lstat '${path}'`,
  ]);
});

test("a folder that is not there yet is waited for", async () => {
  const parent = folder();
  const path = join(parent, "later", "x.fifo");
  const { fifo, log } = open(path);
  fifo.write("a", "one\n");
  expect(log.lines).toEqual([`error FIFO ${path}: make the FIFO ${path}: ENOENT (no such file)`]);
  execFileSync("mkdir", [join(parent, "later")]);
  chmodSync(join(parent, "later"), 0o755);
  await until(() => fifo.status().lines === 1, "the line");
  expect(reader(path)()).toBe("one\n");
});
