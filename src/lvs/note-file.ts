/** The note of the table in the runtime directory, never trusted: the table itself says most. */
import { NoteFile as File } from "../socket/note-file.ts";
import { formatNote, type Note, type Noted, parseNote } from "./table-note.ts";

export class NoteFile implements Note {
  readonly #path: string;
  readonly #file: File;
  #written = "";

  constructor(path: string) {
    this.#path = path;
    this.#file = new File(path);
  }

  read(): { readonly noted: readonly Noted[]; readonly trouble?: string } {
    try {
      return { noted: parseNote(this.#file.read()) };
    } catch (error) {
      return { noted: [], trouble: `${this.#path} is not understood, and ignored: ${messageOf(error)}` };
    }
  }

  write(units: readonly Noted[]): string | undefined {
    const content = formatNote(units);
    const text = JSON.stringify(content);
    if (text === this.#written) return undefined;
    try {
      // Of nothing there is no note: nobody has to go on with anything.
      this.#file.write(units.length === 0 ? undefined : content);
      this.#written = text;
      return undefined;
    } catch (error) {
      return `a restart will not know what leaves the table: cannot write ${this.#path}: ${messageOf(error)}`;
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
