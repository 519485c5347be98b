/** What of the kernel is to be put back when viprd ends, kept in the runtime directory for the run after a kill. */
import { NoteFile } from "../socket/note-file.ts";
import type { Changed } from "./held-settings.ts";
import { isNetworkSetting } from "./sysctl-store.ts";
import type { SyncRole } from "./table.ts";

export interface LvsNoted {
  readonly settings: readonly Changed[];
  /** In seconds. */
  readonly timeouts: readonly Changed[];
  readonly syncDaemons: readonly SyncRole[];
}

export const nothingNoted: LvsNoted = { settings: [], timeouts: [], syncDaemons: [] };

export class LvsNote {
  readonly #file: string;
  readonly #note: NoteFile;

  constructor(file: string) {
    this.#file = file;
    this.#note = new NoteFile(file);
  }

  /** Nothing when there is no note, or one of another boot or network namespace. Throws when it cannot be read. */
  read(): LvsNoted {
    const content = this.#note.read();
    if (content === undefined) return nothingNoted;
    if (!isNoted(content)) throw new Error(`${this.#file} is not a note of what was changed for the load balancer`);
    const { settings, timeouts, syncDaemons } = content;
    return { settings, timeouts, syncDaemons };
  }

  /** Throws the error of the file system. */
  write(noted: LvsNoted): void {
    const empty = Object.values(noted).every((list: readonly unknown[]) => list.length === 0);
    this.#note.write(empty ? undefined : noted);
  }
}

function isNoted(value: unknown): value is LvsNoted {
  if (typeof value !== "object" || value === null) return false;
  const { settings, timeouts, syncDaemons } = value as Partial<Record<keyof LvsNoted, unknown>>;
  return (
    listOf(settings, (entry) => isChanged(entry) && isNetworkSetting(entry.name)) &&
    listOf(timeouts, (entry) => isChanged(entry) && ["tcp", "tcpFin", "udp"].includes(entry.name)) &&
    listOf(syncDaemons, (role) => role === "master" || role === "backup")
  );
}

function listOf(value: unknown, good: (entry: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(good);
}

function isChanged(value: unknown): value is Changed {
  if (typeof value !== "object" || value === null) return false;
  const { name, before, set } = value as Partial<Record<keyof Changed, unknown>>;
  return typeof name === "string" && typeof before === "string" && typeof set === "string";
}
