/**
 * A note of the kernel settings that were changed, kept in the runtime directory: after a kill the next start reads
 * what the administrator had.
 */
import { NoteFile } from "../socket/note-file.ts";

export interface Changed {
  /** Below /proc/sys. */
  readonly path: string;
  readonly before: string;
  readonly set: string;
}

export interface Noted {
  readonly settings: readonly Changed[];
  /** A packet filter of ours is on the host. */
  readonly filter: boolean;
}

const nothing: Noted = { settings: [], filter: false };

export class SettingsNote {
  readonly #file: string;
  readonly #note: NoteFile;

  constructor(file: string) {
    this.#file = file;
    this.#note = new NoteFile(file);
  }

  /** Nothing when there is no note, or one of another boot or network namespace. Throws when it cannot be read. */
  read(): Noted {
    const content = this.#note.read();
    if (content === undefined) return nothing;
    if (!isNoted(content)) throw new Error(`${this.#file} is not a note of settings`);
    return content;
  }

  /** Throws the error of the file system. */
  write({ settings, filter }: Noted): void {
    this.#note.write(settings.length === 0 && !filter ? undefined : { settings, filter });
  }
}

function isNoted(value: unknown): value is Noted {
  if (typeof value !== "object" || value === null) return false;
  const { settings, filter } = value as Partial<Record<keyof Noted, unknown>>;
  return typeof filter === "boolean" && Array.isArray(settings) && settings.every(isChanged);
}

function isChanged(value: unknown): value is Changed {
  if (typeof value !== "object" || value === null) return false;
  const { path, before, set } = value as Partial<Record<keyof Changed, unknown>>;
  // It is written to as root: only what we could have written ourselves.
  return typeof path === "string" && isOfInterface(path) && typeof before === "string" && typeof set === "string";
}

function isOfInterface(path: string): boolean {
  return /^net\/ipv[46]\/conf\/[^/]+\/[a-z_]+$/.test(path) && !path.includes("/../");
}
