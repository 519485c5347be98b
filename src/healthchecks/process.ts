/**
 * `type: process`: enough processes of a program or of a command line run. Found by looking through /proc, which works in
 * containers, where the kernel's process events do not.
 */
import type { CheckType } from "./check-type.ts";
import { judgeCount, matches, mayMatch, type WantedProcess } from "./process-match.ts";
import { processWords, recentProcesses } from "./process-table.ts";

export interface ProcessParameters {
  readonly type: "process";
  readonly wanted: WantedProcess;
  /** How many there have to be. */
  readonly quorum: number;
  /** How many there may be. */
  readonly quorumMax?: number;
}

export const processes: CheckType<ProcessParameters> = {
  async probe({ wanted, quorum, quorumMax }) {
    let count = 0;
    for (const { pid, shortName, ended } of await recentProcesses()) {
      if (ended || !mayMatch(wanted, shortName)) continue;
      const words = "program" in wanted && wanted.program === shortName ? [] : await processWords(pid);
      if (matches(wanted, { pid, shortName, ended, words })) count += 1;
    }
    return judgeCount(wanted, count, quorum, quorumMax);
  },
};
