/** What the host has: programs along a fixed path, accounts, and who may change a file. Each call looks anew. */
import { closeSync, lstatSync, openSync, readFileSync, readlinkSync, readSync, statSync } from "node:fs";
import { type Account, type AccountFiles, resolveAccount, userName } from "./accounts.ts";
import { type FileFacts, type Inspection, inspectProgram, interpreterOf } from "./security.ts";

/** Where programs without a path are looked for, and the PATH that they get. The daemon's own may hold anything. */
export const searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** As in resolveAccount(). */
export function accountOf(written: string): Account | string {
  const files = readAccountFiles();
  return typeof files === "string" ? files : resolveAccount(written, files);
}

/** The user that this process runs as. */
export function ownAccount(): Account {
  const uid = process.getuid?.() ?? 0;
  const files = readAccountFiles();
  const known = typeof files === "string" ? "" : resolveAccount(String(uid), files);
  const gid = process.getgid?.() ?? 0;
  if (typeof known !== "string") return { ...known, gid };
  return { name: userName(uid, ""), uid, gid, home: "/" };
}

let lastRead: { readonly files: AccountFiles; readonly state: string } | undefined;

/** Read again when they have changed. A host without descriptors to spare does not forget its users by that. */
function readAccountFiles(): AccountFiles | string {
  try {
    const state = ["/etc/passwd", "/etc/group"].map(stateOfFile).join();
    if (lastRead?.state === state) return lastRead.files;
    const files = { passwd: readFileSync("/etc/passwd", "utf8"), group: readFileSync("/etc/group", "utf8") };
    lastRead = { files, state };
    return files;
  } catch (error) {
    return `cannot be looked up: ${messageOf(error)}`;
  }
}

function stateOfFile(path: string): string {
  const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
  return [dev, ino, size, mtimeNs, ctimeNs].join("/");
}

/** A program's name to its path; what has a path already is returned as it is. Undefined when there is none. */
export function findProgram(name: string): string | undefined {
  if (name.startsWith("/")) return name;
  return searchPath
    .split(":")
    .map((folder) => `${folder}/${name}`)
    .find((path) => {
      const stats = statSync(path, { throwIfNoEntry: false });
      return stats?.isFile() === true && (stats.mode & 0o111) !== 0;
    });
}

/** Whether nobody but root and `account` can change what runs: the program, the interpreter its #! line names, and every folder on their ways. */
export function inspectOnHost(path: string, account: Account): Inspection {
  const program = inspectProgram(path, account, lookAt);
  if (!program.ok) return program;
  const interpreter = interpreterIn(program.path);
  if (interpreter === undefined || !interpreter.startsWith("/")) return program;
  const inspected = inspectProgram(interpreter, account, lookAt);
  return inspected.ok ? program : { ok: false, reason: `its #! line names ${interpreter}: ${inspected.reason}` };
}

/** Undefined for a program without #! line, and for one that cannot be read. */
export function interpreterIn(path: string): string | undefined {
  try {
    const descriptor = openSync(path, "r");
    try {
      const head = new Uint8Array(256);
      return interpreterOf(head.subarray(0, readSync(descriptor, head)));
    } finally {
      closeSync(descriptor);
    }
  } catch {
    // Running it tells what is wrong with it.
    return undefined;
  }
}

function lookAt(path: string): FileFacts | string {
  try {
    const stats = lstatSync(path);
    const { uid, gid } = stats;
    const mode = stats.mode & 0o7777;
    if (stats.isSymbolicLink()) return { kind: "link", uid, gid, mode, target: readlinkSync(path) };
    return { kind: stats.isDirectory() ? "directory" : stats.isFile() ? "file" : "other", uid, gid, mode };
  } catch (error) {
    return messageOf(error);
  }
}

function messageOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT") return "there is no such file";
  if (code === "EACCES") return "may not be looked at";
  return error instanceof Error ? error.message : String(error);
}
