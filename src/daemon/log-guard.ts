/** Keeps a log readable under a storm: one line a second for each key, and how many were left out. Pure: time is an argument. */
import type { Instant, Milliseconds } from "../vrrp/parameters.ts";

export interface Admission {
  readonly admitted: boolean;
  /** Lines of this key left out since the last one that was admitted. */
  readonly suppressed: number;
}

export interface Suppression {
  readonly key: string;
  readonly count: number;
}

interface Entry {
  readonly since: Instant;
  suppressed: number;
}

export class LogGuard {
  readonly #window: Milliseconds;
  readonly #entries = new Map<string, Entry>();

  constructor(window: Milliseconds = 1000) {
    this.#window = window;
  }

  admit(key: string, now: Instant): Admission {
    const entry = this.#entries.get(key);
    if (entry !== undefined && now - entry.since < this.#window) {
      entry.suppressed += 1;
      return { admitted: false, suppressed: entry.suppressed };
    }
    this.#entries.set(key, { since: now, suppressed: 0 });
    return { admitted: true, suppressed: entry?.suppressed ?? 0 };
  }

  /** Forgets the keys whose second is over and returns those that still owe a count. */
  expire(now: Instant): Suppression[] {
    const owed: Suppression[] = [];
    for (const [key, entry] of this.#entries) {
      if (now - entry.since < this.#window) continue;
      this.#entries.delete(key);
      if (entry.suppressed > 0) owed.push({ key, count: entry.suppressed });
    }
    return owed;
  }

  get size(): number {
    return this.#entries.size;
  }
}

/** Lines that differ only in their numbers and addresses are of one kind. */
export function kindOf(instance: string | undefined, message: string): string {
  return `${instance ?? ""}: ${message.replace(/\b(?=[a-f:.]*\d)[0-9a-f:.]+/gi, "#")}`;
}
