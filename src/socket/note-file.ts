/**
 * A note in the runtime directory of what was changed in the kernel and is to be put back: after a kill the next start
 * reads it. What it tells of lives as long as the kernel and the network namespace, and so does the note.
 */
import { readFileSync, readlinkSync, renameSync, rmSync, writeFileSync } from "node:fs";

export class NoteFile {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** Undefined when there is no note, or one of another boot or network namespace. Throws when it cannot be read. */
  read(): unknown {
    let text: string;
    try {
      text = readFileSync(this.#file, "utf8");
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
      throw error;
    }
    const content: unknown = JSON.parse(text);
    if (typeof content !== "object" || content === null || !("boot" in content) || !("namespace" in content)) {
      throw new Error(`${this.#file} does not tell where it belongs`);
    }
    const { boot, namespace } = here();
    return content.boot === boot && content.namespace === namespace ? content : undefined;
  }

  /** Without content there is no file. Throws the error of the file system. */
  write(content: object | undefined): void {
    if (content === undefined) {
      rmSync(this.#file, { force: true });
      return;
    }
    // Whole or not at all: a note cut short would lose what it is for.
    writeFileSync(`${this.#file}.new`, `${JSON.stringify({ ...here(), ...content })}\n`, { mode: 0o600 });
    renameSync(`${this.#file}.new`, this.#file);
  }
}

function here(): { readonly boot: string; readonly namespace: string } {
  return {
    boot: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
    namespace: readlinkSync("/proc/self/ns/net"),
  };
}
