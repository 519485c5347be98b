/**
 * A note of the kernel settings that were changed, kept in the runtime directory: after a kill the next start reads
 * what the administrator had.
 */
import { readFileSync, readlinkSync, renameSync, rmSync, writeFileSync } from "node:fs";

export interface Changed {
  /** Below /proc/sys. */
  readonly path: string;
  readonly before: string;
  readonly set: string;
}

interface Content {
  /** Settings live as long as the kernel and the network namespace. */
  readonly boot: string;
  readonly namespace: string;
  readonly settings: readonly Changed[];
  /** A packet filter of ours is on the host. */
  readonly filter: boolean;
}

export type Noted = Pick<Content, "settings" | "filter">;

const nothing: Noted = { settings: [], filter: false };

export class SettingsNote {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** Nothing when there is no note, or one of another boot or network namespace. Throws when it cannot be read. */
  read(): Noted {
    let text: string;
    try {
      text = readFileSync(this.#file, "utf8");
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return nothing;
      throw error;
    }
    const content: unknown = JSON.parse(text);
    if (!isContent(content)) throw new Error(`${this.#file} is not a note of settings`);
    const { boot, namespace } = here();
    return content.boot === boot && content.namespace === namespace ? content : nothing;
  }

  /** Throws the error of the file system. */
  write({ settings, filter }: Noted): void {
    if (settings.length === 0 && !filter) {
      rmSync(this.#file, { force: true });
      return;
    }
    const content: Content = { ...here(), settings, filter };
    // Whole or not at all: a note cut short would lose what it is for.
    writeFileSync(`${this.#file}.new`, `${JSON.stringify(content)}\n`, { mode: 0o600 });
    renameSync(`${this.#file}.new`, this.#file);
  }
}

function here(): Pick<Content, "boot" | "namespace"> {
  return {
    boot: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
    namespace: readlinkSync("/proc/self/ns/net"),
  };
}

function isContent(value: unknown): value is Content {
  if (typeof value !== "object" || value === null) return false;
  const { boot, namespace, settings, filter } = value as Partial<Record<keyof Content, unknown>>;
  if (typeof filter !== "boolean") return false;
  return (
    typeof boot === "string" && typeof namespace === "string" && Array.isArray(settings) && settings.every(isChanged)
  );
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
