/** The results of health checks, and who is to be told when one changes: only those that track it. */

/** The result of a health check; null when there is none yet. */
export interface Verdict {
  readonly up: boolean | null;
  readonly reason: string;
}

export interface VerdictReader {
  readonly checks: readonly string[];
  /** One of them has changed. */
  readonly changed: () => void;
}

export class Verdicts {
  readonly #known = new Map<string, Verdict>();
  readonly #readers = new Map<string, Set<VerdictReader>>();

  get(check: string): Verdict | undefined {
    return this.#known.get(check);
  }

  /** Tells nobody. */
  note(check: string, verdict: Verdict): void {
    this.#known.set(check, verdict);
  }

  set(check: string, verdict: Verdict): void {
    this.note(check, verdict);
    for (const reader of this.#readers.get(check) ?? []) reader.changed();
  }

  add(reader: VerdictReader): void {
    for (const check of reader.checks) {
      const readers = this.#readers.get(check) ?? new Set();
      this.#readers.set(check, readers.add(reader));
    }
  }

  /** Before the reader's checks change, or when it goes. */
  remove(reader: VerdictReader): void {
    for (const check of reader.checks) {
      const readers = this.#readers.get(check);
      readers?.delete(reader);
      if (readers?.size === 0) this.#readers.delete(check);
    }
  }
}
