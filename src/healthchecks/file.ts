/**
 * `type: file`: a file is there, or is not, or says what it should. Its folder is watched, so that a change is seen at
 * once, also of a file that is replaced by another or that appears; the runs at the interval see what a watch cannot
 * (another folder behind a link, a file system on the network).
 */
import { constants, type FSWatcher, watch } from "node:fs";
import { open, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { CheckType, Outcome } from "./check-type.ts";
import { judgeContent, type ValueRule } from "./file-value.ts";
import { undecidedBy, whySystem } from "./system-failure.ts";

export interface FileParameters {
  readonly type: "file";
  /** From / on. */
  readonly path: string;
  /** Whether it has to be there. */
  readonly present: boolean;
  /** What it has to say; without one its presence is enough. */
  readonly value?: ValueRule;
  /** The number that it says, times this, is added to the weight of what is checked. */
  readonly weight?: number;
}

/** A value stands at the beginning of a file. */
const mostRead = 4096;
/** A folder that is not there, or a system that has no more watches to give, is asked again, each time later. */
const firstAgain = 20;
const longestAgain = 5000;

export const file: CheckType<FileParameters> = {
  async probe({ path, present, value, weight }) {
    if (value === undefined && weight === undefined) return judgePresence(path, present);
    try {
      return judgeContent(path, await readStart(path), value, weight);
    } catch (error) {
      return { ok: false, reason: `${path}: ${whySystem(error)}`, ...undecidedBy(error) };
    }
  },
  watch({ path }, changed) {
    let watcher: FSWatcher | undefined;
    let timer: NodeJS.Timeout | undefined;
    let pause = firstAgain;
    const name = basename(path);
    const folder = dirname(path);
    const begin = (): void => {
      timer = undefined;
      try {
        watcher = watch(folder, (event, file) => {
          // Kubernetes replaces a folder "..data" that the file is a link into. No name: something happened.
          if (file === null || file === name || file.startsWith("..")) changed();
          // The folder itself was moved or removed: what comes in its place is another one.
          if (event === "rename" && file === basename(folder)) {
            pause = firstAgain;
            again();
            changed();
          }
        });
        watcher.on("error", again);
      } catch {
        // Missing, forbidden, or no watches left: until then the interval alone tells.
        again();
      }
    };
    const again = (): void => {
      watcher?.close();
      watcher = undefined;
      timer ??= setTimeout(() => {
        begin();
        // Whatever happened while nobody looked.
        if (watcher !== undefined) changed();
      }, pause);
      pause = Math.min(2 * pause, longestAgain);
    };
    begin();
    return () => {
      clearTimeout(timer);
      watcher?.close();
    };
  },
};

async function judgePresence(path: string, present: boolean): Promise<Outcome> {
  try {
    await stat(path);
    return { ok: present, reason: `${path} exists` };
  } catch (error) {
    if (!(error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR"))) {
      return { ok: false, reason: `${path}: ${whySystem(error)}`, ...undecidedBy(error) };
    }
    return { ok: !present, reason: `${path} does not exist` };
  }
}

/** A pipe without a writer would never answer; a device might for ever. */
async function readStart(path: string): Promise<string> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!(await handle.stat()).isFile()) throw new Error("it is not a file");
    const { buffer, bytesRead } = await handle.read(new Uint8Array(mostRead), 0, mostRead, 0);
    return new TextDecoder().decode(buffer.subarray(0, bytesRead));
  } finally {
    await handle.close();
  }
}
