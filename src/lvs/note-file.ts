/** The note of the table in the runtime directory: written whole or not at all, and never trusted. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { formatNote, type Note, type Noted, parseNote } from "./table-note.ts";

export class NoteFile implements Note {
  readonly #path: string;
  readonly #boot: string;
  #written = "";

  constructor(path: string, boot = bootId()) {
    this.#path = path;
    this.#boot = boot;
  }

  read(): { readonly noted: readonly Noted[]; readonly trouble?: string } {
    try {
      return { noted: parseNote(readFileSync(this.#path, "utf8"), this.#boot) };
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return { noted: [] };
      return { noted: [], trouble: `${this.#path} is not understood, and ignored: ${messageOf(error)}` };
    }
  }

  write(units: readonly Noted[]): string | undefined {
    const text = formatNote(this.#boot, units);
    if (text === this.#written) return undefined;
    try {
      writeFileSync(`${this.#path}.new`, text, { mode: 0o600 });
      renameSync(`${this.#path}.new`, this.#path);
      this.#written = text;
      return undefined;
    } catch (error) {
      return `a restart will not know what leaves the table: cannot write ${this.#path}: ${messageOf(error)}`;
    }
  }
}

/** Another one after each start of the machine, and with it of the clock and of the table. */
function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    // Without one there is no telling: no note is taken for one of this boot.
    return `${process.pid} ${Date.now()}`;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
