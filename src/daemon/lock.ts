/** One daemon for each runtime directory. Makes the directory, and holds a pid file in it that a dead daemon does not block. */
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import { dirname, resolve } from "node:path";
import { whyNot } from "../config/read-failure.ts";
import { pidFile } from "./paths.ts";

/** Refused: the message says by whom and what to do. */
export class LockError extends Error {}

export interface Lock {
  release(): void;
}

/** Step by step: Node's own way turns for ever where a file system says that nothing can be made, as /proc does. */
function makeDirectories(path: string): void {
  if (existsSync(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeDirectories(parent);
  mkdirSync(path, { mode: 0o755 });
}

export function acquireLock(runtimeDirectory: string): Lock {
  try {
    makeDirectory(runtimeDirectory);
    return hold(pidFile(runtimeDirectory), runtimeDirectory);
  } catch (error) {
    if (error instanceof LockError) throw error;
    const advice = codeOf(error) === "EACCES" ? ": run as root, or choose another --runtime-dir" : "";
    const message = `cannot use the runtime directory ${runtimeDirectory}: ${whyNot(error)}${advice}`;
    throw new LockError(message, { cause: error });
  }
}

function makeDirectory(path: string): void {
  makeDirectories(resolve(path));
  const { mode } = statSync(path);
  if ((mode & 0o002) !== 0) {
    throw new LockError(`the runtime directory ${path} is writable by everybody: give viprd one of its own`);
  }
}

/**
 * The file appears with its content in it (link is atomic), so nobody reads half a pid. The start time tells the
 * process from a later one with the same number.
 */
function hold(file: string, runtimeDirectory: string): Lock {
  const content = `${process.pid}\n${startTime(process.pid) ?? ""}\n`;
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, content, { mode: 0o644 });
  try {
    for (let attempt = 0; attempt < 10; attempt++) {
      if (tryLink(mine, file)) return { release: () => releaseFile(file, content) };
      const holder = read(file);
      if (holder === undefined) continue;
      const pid = livingHolder(holder);
      if (pid !== undefined) {
        throw new LockError(
          `a viprd with pid ${pid} already uses ${runtimeDirectory}: stop it, or choose another --runtime-dir`,
        );
      }
      discard(file, holder);
    }
    throw new LockError(`cannot take ${file}: others keep taking it`);
  } finally {
    unlinkSync(mine);
  }
}

/** Moves a stale file away; if a newcomer's was moved in between, it is put back. */
function discard(file: string, stale: string): void {
  const aside = `${file}.${process.pid}.stale`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    throw error;
  }
  if (read(aside) !== stale) tryLink(aside, file);
  unlinkSync(aside);
}

function releaseFile(file: string, content: string): void {
  if (read(file) === content) unlinkSync(file);
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    // ESRCH: a process that ended while its /proc file was read.
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ESRCH") return undefined;
    throw error;
  }
}

/** The pid in a pid file, when the process that wrote it still lives. */
export function livingHolder(content: string): number | undefined {
  const [pid = "", started = ""] = content.split("\n");
  if (!/^\d+$/.test(pid) || startTime(Number(pid)) !== started) return undefined;
  return Number(pid);
}

/**
 * Field 22 of /proc/PID/stat, in clock ticks since boot; undefined for a process that is gone, or dead and not yet
 * waited for (field 3). The command name before them may hold spaces and brackets.
 */
function startTime(pid: number): string | undefined {
  const stat = read(`/proc/${pid}/stat`);
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields === undefined || fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
}

/** A daemon in another pid namespace may share the directory; its pid says nothing here, but its socket answers. */
export async function refuseSecond(socket: string): Promise<void> {
  if (!(await answers(socket))) return;
  throw new LockError(`a viprd answers at ${socket}: stop it, or choose another --runtime-dir`);
}

function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket);
    const end = (result: boolean) => {
      connection.destroy();
      resolve(result);
    };
    connection.setTimeout(1000, () => end(true));
    connection.on("connect", () => end(true));
    connection.on("error", () => end(false));
  });
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}
