/**
 * `type: process`: enough processes of a program or of a command line run. Found by looking through /proc, which works in
 * containers, where the kernel's process events do not. Those found last are looked at first: while they are enough,
 * nothing else is read.
 */
import type { CheckType } from "./check-type.ts";
import { judgeCount, matches, mayMatch, type ProcessEntry, type WantedProcess } from "./process-match.ts";
import { type ProcessHead, processHead, processWords, recentProcesses } from "./process-table.ts";

export interface ProcessParameters {
  readonly type: "process";
  readonly wanted: WantedProcess;
  /** How many there have to be. */
  readonly quorum: number;
  /** How many there may be. */
  readonly quorumMax?: number;
}

/** The processes that the last run of a check found. */
const found = new WeakMap<ProcessParameters, readonly number[]>();

export const processes: CheckType<ProcessParameters> = {
  async probe(parameters) {
    const { wanted, quorum, quorumMax } = parameters;
    const known = found.get(parameters) ?? [];
    // Whether there are too many only a look at all of them tells.
    if (quorumMax === undefined && known.length >= quorum) {
      const still = await stillMeant(wanted, known, quorum);
      if (still.length >= quorum) return judgeCount(wanted, still, quorum, quorumMax);
    }
    const all = await meant(wanted, await recentProcesses());
    found.set(parameters, all);
    return judgeCount(wanted, all, quorum, quorumMax);
  },
};

async function stillMeant(wanted: WantedProcess, known: readonly number[], enough: number): Promise<number[]> {
  const still: number[] = [];
  for (const pid of known) {
    if (still.length >= enough) break;
    const head = await processHead(pid);
    if (head !== undefined) still.push(...(await meant(wanted, [head])));
  }
  return still;
}

async function meant(wanted: WantedProcess, heads: readonly ProcessHead[]): Promise<number[]> {
  const pids: number[] = [];
  for (const head of heads) {
    if (head.ended || !mayMatch(wanted, head.shortName)) continue;
    const enough = "program" in wanted && wanted.program === head.shortName;
    const entry: ProcessEntry = { ...head, words: enough ? [] : await processWords(head.pid) };
    if (matches(wanted, entry)) pids.push(head.pid);
  }
  return pids;
}
