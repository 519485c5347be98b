/**
 * Instances that the operator has taken out of service, with a reason and perhaps an end. Noted in the runtime directory,
 * so that a restart of the daemon does not put a node back to work on which somebody is working.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import type { Config } from "../config/config.ts";
import type { InstanceParameters } from "../vrrp/parameters.ts";
import type { Log } from "./log.ts";

interface Entry {
  readonly reason: string;
  /** Milliseconds since 1970; without it, until it is ended. */
  readonly until?: number;
}

/** setTimeout counts in 31 bits. */
const longestTimer = 2 ** 31 - 1;

export class Maintenance {
  readonly #file: string;
  readonly #log: Log;
  readonly #tell: () => void;
  #entries = new Map<string, Entry>();
  #timer: NodeJS.Timeout | undefined;

  /** `changed` is called after every change; `apply` gives what holds then. */
  constructor(file: string, log: Log, changed: () => void) {
    this.#file = file;
    this.#log = log;
    this.#tell = changed;
  }

  /** What an earlier run has noted and is not over yet. A note that cannot be read takes nothing out of service. */
  load(): void {
    try {
      this.#entries = readEntries(readFileSync(this.#file, "utf8"));
    } catch (error) {
      const missing = error instanceof Error && "code" in error && error.code === "ENOENT";
      if (!missing) this.#log.error(`maintenance: cannot read ${this.#file}: ${messageOf(error)}`);
    }
    // Nothing runs yet that would have to be told.
    const now = Date.now();
    for (const [name, { until = now + 1 }] of this.#entries) if (until <= now) this.#entries.delete(name);
    this.#schedule();
    if (this.#entries.size > 0) this.#log.warn(`out of service, as before: ${[...this.#entries.keys()].join(", ")}`);
  }

  /** Milliseconds; without a duration, until it is ended. */
  begin(names: readonly string[], reason: string, duration: number | undefined): void {
    const until = duration === undefined ? {} : { until: Date.now() + duration };
    for (const name of names) this.#entries.set(name, { reason, ...until });
    this.#log.warn(`${names.join(", ")}: taken out of service: ${describe({ reason, ...until })}`);
    this.#changed();
  }

  /** All, those of instances that are not configured any more included, when none is named. Returns those that were out. */
  end(names: readonly string[] = [...this.#entries.keys()]): string[] {
    const ended = names.filter((name) => this.#entries.delete(name));
    if (ended.length > 0) this.#log.info(`${ended.join(", ")}: back in service`);
    this.#changed();
    return ended;
  }

  /** The configuration with its instances as they are to run now. */
  apply(config: Config): Config {
    if (this.#entries.size === 0) return config;
    return { ...config, instances: config.instances.map((instance) => this.#mark(instance)) };
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #mark(instance: InstanceParameters): InstanceParameters {
    const entry = this.#entries.get(instance.name);
    return entry === undefined ? instance : { ...instance, disabled: `out of service: ${describe(entry)}` };
  }

  #changed(): void {
    this.#schedule();
    this.#tell();
    try {
      if (this.#entries.size === 0) rmSync(this.#file, { force: true });
      else {
        // Whole or not at all, whenever the power fails.
        writeFileSync(`${this.#file}.new`, JSON.stringify(Object.fromEntries(this.#entries)), { mode: 0o600 });
        renameSync(`${this.#file}.new`, this.#file);
      }
    } catch (error) {
      this.#log.error(`maintenance: it will not outlive a restart: cannot write ${this.#file}: ${messageOf(error)}`);
    }
  }

  #expire(): void {
    const now = Date.now();
    const over = [...this.#entries].filter(([, { until }]) => until !== undefined && until <= now);
    for (const [name] of over) this.#entries.delete(name);
    if (over.length > 0) {
      this.#log.info(`${over.map(([name]) => name).join(", ")}: back in service, the time is over`);
      this.#changed();
    } else this.#schedule();
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const next = Math.min(...[...this.#entries.values()].map(({ until = Number.POSITIVE_INFINITY }) => until));
    if (!Number.isFinite(next)) return;
    this.#timer = setTimeout(() => this.#expire(), Math.min(Math.max(0, next - Date.now()), longestTimer)).unref();
  }
}

function readEntries(text: string): Map<string, Entry> {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("it is no map of instances");
  return new Map(
    Object.entries(value).map(([name, entry]: [string, Partial<Entry> | null]) => {
      const { reason, until } = entry ?? {};
      if (typeof reason !== "string" || (until !== undefined && typeof until !== "number")) {
        throw new Error(`what it says of ${name} is not understood`);
      }
      return [name, { reason, ...(until === undefined ? {} : { until }) }];
    }),
  );
}

function describe({ reason, until }: Entry): string {
  return until === undefined ? reason : `${reason} (until ${new Date(until).toISOString()})`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
