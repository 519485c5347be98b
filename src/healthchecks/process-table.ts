/** The processes of this host, or of this container, from /proc (proc(5)). */
import { readdir, readFile } from "node:fs/promises";
import type { ProcessEntry } from "./process-match.ts";
import { undecidedBy } from "./system-failure.ts";

export type ProcessHead = Pick<ProcessEntry, "pid" | "shortName" | "ended">;

/** One look serves all checks that want one at about the same time. */
const freshFor = 50;
const together = 32;
let latest: { readonly at: number; readonly processes: Promise<readonly ProcessHead[]> } | undefined;

export function recentProcesses(): Promise<readonly ProcessHead[]> {
  const now = performance.now();
  if (latest === undefined || now - latest.at > freshFor) latest = { at: now, processes: listProcesses() };
  return latest.processes;
}

async function listProcesses(): Promise<ProcessHead[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const found: ProcessHead[] = [];
  // Not all at once: each takes a descriptor meanwhile, and there may be more processes than those.
  for (let at = 0; at < pids.length; at += together) {
    const heads = await Promise.all(pids.slice(at, at + together).map(processHead));
    found.push(...heads.filter((head) => head !== undefined));
  }
  return found;
}

/** "17 (name) S …": the name may hold anything, also brackets. */
export async function processHead(pid: number): Promise<ProcessHead | undefined> {
  const text = await readOf(pid, "stat");
  const [start, end] = [text.indexOf("("), text.lastIndexOf(")")];
  if (start < 0 || end < start) return undefined;
  const state = text.charAt(end + 2);
  return { pid, shortName: text.slice(start + 1, end), ended: state === "Z" || state === "X" };
}

/** The command line. Empty when it has none any more. */
export async function processWords(pid: number): Promise<string[]> {
  const words = (await readOf(pid, "cmdline")).split("\0");
  // Every word ends with a NUL.
  return words.slice(0, -1);
}

async function readOf(pid: number, file: "stat" | "cmdline"): Promise<string> {
  try {
    return await readFile(`/proc/${pid}/${file}`, "utf8");
  } catch (error) {
    // Then nothing is known, not even of those that were read.
    if (undecidedBy(error).undecided) throw error;
    // It has ended meanwhile, or belongs to somebody who hides it (hidepid).
    return "";
  }
}
