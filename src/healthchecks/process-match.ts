/** Which processes are meant, and whether there are enough of them. Pure. */
import type { Outcome } from "./check-type.ts";

export interface ProcessEntry {
  readonly pid: number;
  /** As the kernel has it: at most 15 bytes. */
  readonly shortName: string;
  /** Ended, and only waiting to be noticed. */
  readonly ended: boolean;
  /** Empty for threads of the kernel, and where they were not read. */
  readonly words: readonly string[];
}

export type WantedProcess =
  /** The file name of the program. */
  | { readonly program: string }
  /** The words that the command line begins with; a first one without / is compared with the file name alone. */
  | { readonly command: readonly string[] };

const pidsShown = 3;

/** TASK_COMM_LEN less the final NUL. */
const shortNameBytes = 15;

/** By the short name alone: most processes need no second look. */
export function mayMatch(wanted: WantedProcess, shortName: string): boolean {
  return "command" in wanted || shorten(wanted.program) === shortName;
}

export function matches(wanted: WantedProcess, { ended, shortName, words }: ProcessEntry): boolean {
  if (ended) return false;
  if ("command" in wanted) {
    return wanted.command.every((word, i) => {
      const found = words[i];
      return found === word || (i === 0 && !word.includes("/") && found !== undefined && fileName(found) === word);
    });
  }
  if (shorten(wanted.program) !== shortName) return false;
  // A name that was cut is compared with the words of the command line: of a script it is not the first one.
  return wanted.program === shortName || words.slice(0, 2).some((word) => fileName(word) === wanted.program);
}

/** `pids`: all of them where there are too few or too many, otherwise at least enough. */
export function judgeCount(
  wanted: WantedProcess,
  pids: readonly number[],
  least: number,
  most: number | undefined,
): Outcome {
  const what = "program" in wanted ? wanted.program : wanted.command.join(" ");
  const count = pids.length;
  const found = `${count === 0 ? "no process" : count === 1 ? "1 process" : `${count} processes`} of ${what}`;
  if (count < least) return { ok: false, reason: `${found}, expected at least ${least}` };
  if (most !== undefined && count > most) return { ok: false, reason: `${found}, expected at most ${most}` };
  const shown = pids.slice(0, pidsShown).join(", ");
  return { ok: true, reason: `${what} runs, pid ${shown}${count > pidsShown ? " and others" : ""}` };
}

function shorten(name: string): string {
  const bytes = new TextEncoder().encode(name);
  return bytes.length <= shortNameBytes ? name : new TextDecoder().decode(bytes.subarray(0, shortNameBytes));
}

function fileName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
