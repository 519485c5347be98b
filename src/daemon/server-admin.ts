/**
 * What the operator says about servers while viprd runs: drained, in maintenance, another weight, each with who said it and
 * perhaps an end. Noted in the runtime directory, so that a restart of the daemon sends no traffic to a server on which
 * somebody is working.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import type { AdminEntry, LvsParameters } from "../lvs/parameters.ts";
import {
  type AdminKind,
  covers,
  describeEntry,
  kindOf,
  readEntries,
  type ServerReference,
  withEntries,
} from "./admin-entries.ts";
import type { Log } from "./log.ts";
import { findServers } from "./server-lookup.ts";

/** setTimeout counts in 31 bits. */
const longestTimer = 2 ** 31 - 1;

export interface ServerAdminListeners {
  /** After every change. */
  changed(): void;
  /** Each in words. */
  told(message: string): void;
}

export class ServerAdmin {
  readonly #file: string;
  readonly #log: Log;
  readonly #listeners: ServerAdminListeners;
  #entries: readonly AdminEntry[] = [];
  #idle: ReadonlySet<AdminEntry> = new Set();
  #timer: NodeJS.Timeout | undefined;

  constructor(file: string, log: Log, listeners: ServerAdminListeners) {
    this.#file = file;
    this.#log = log;
    this.#listeners = listeners;
  }

  get entries(): readonly AdminEntry[] {
    return this.#entries;
  }

  /** What an earlier run has noted and is not over yet. A note that cannot be read says nothing about any server. */
  load(): void {
    try {
      this.#entries = readEntries(readFileSync(this.#file, "utf8"));
    } catch (error) {
      const missing = error instanceof Error && "code" in error && error.code === "ENOENT";
      if (!missing)
        this.#log.error(
          `drains, maintenance and weights of servers are lost: cannot read ${this.#file}: ${messageOf(error)}`,
        );
    }
    // Nothing runs yet that would have to be told.
    const now = Date.now();
    this.#entries = this.#entries.filter(({ until }) => until === undefined || until > now);
    this.#schedule();
    for (const entry of this.#entries) this.#say("warn", `as before: ${describeEntry(entry)}`);
  }

  /** What names no server of the file is told once: nobody is drained by it. It counts again when the file has the server. */
  compare(lvs: LvsParameters | undefined): void {
    const idle = this.#entries.filter((entry) => typeof findServers(lvs, entry) === "string");
    for (const entry of idle) {
      if (!this.#idle.has(entry))
        this.#say("warn", `${describeEntry(entry)}: the file has no such server; it counts again when it has`);
    }
    this.#idle = new Set(idle);
  }

  /** Takes the place of what was said about the same servers. */
  begin(added: readonly AdminEntry[]): void {
    this.#entries = withEntries(this.#entries, added);
    for (const entry of added) this.#say("warn", describeEntry(entry));
    this.#changed();
  }

  /** Returns what is taken back. */
  end(kind: AdminKind, reference: ServerReference, by: string): AdminEntry[] {
    const ended = this.#entries.filter((entry) => kindOf(entry) === kind && covers(reference, entry));
    if (ended.length === 0) return [];
    this.#entries = this.#entries.filter((entry) => !ended.includes(entry));
    for (const entry of ended) this.#say("info", `taken back by ${by}: ${describeEntry(entry)}`);
    this.#changed();
    return ended;
  }

  #say(level: "info" | "warn", message: string): void {
    this.#log[level](message);
    this.#listeners.told(message);
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #changed(): void {
    this.#schedule();
    this.#listeners.changed();
    try {
      if (this.#entries.length === 0) rmSync(this.#file, { force: true });
      else {
        // Whole or not at all, whenever the power fails.
        writeFileSync(`${this.#file}.new`, JSON.stringify(this.#entries), { mode: 0o600 });
        renameSync(`${this.#file}.new`, this.#file);
      }
    } catch (error) {
      this.#log.error(
        `what was said about servers will not outlive a restart: cannot write ${this.#file}: ${messageOf(error)}`,
      );
    }
  }

  #expire(): void {
    const now = Date.now();
    const over = this.#entries.filter(({ until }) => until !== undefined && until <= now);
    this.#entries = this.#entries.filter((entry) => !over.includes(entry));
    for (const entry of over) this.#say("info", `the time is over: ${describeEntry(entry)}`);
    if (over.length > 0) this.#changed();
    else this.#schedule();
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const next = Math.min(...this.#entries.map(({ until = Number.POSITIVE_INFINITY }) => until));
    if (!Number.isFinite(next)) return;
    this.#timer = setTimeout(() => this.#expire(), Math.min(Math.max(0, next - Date.now()), longestTimer)).unref();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
