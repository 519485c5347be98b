/**
 * What is to be told to whom, in order: one thing at a time for each subject, a limited number at a time in all. A
 * subject that is behind keeps only its newest news: who acts on old ones acts wrongly. The newest is never dropped,
 * not even when it says the same as what was told last, as another router may have acted meanwhile. Pure.
 */
export class NotifyQueue<News> {
  readonly #limit: number;
  readonly #busy = new Set<string>();
  /** In the order of their first waiting news. */
  readonly #waiting = new Map<string, News>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Returns what will not be told any more, as it is overtaken. */
  push(subject: string, news: News): News | undefined {
    const overtaken = this.#waiting.get(subject);
    this.#waiting.set(subject, news);
    return overtaken;
  }

  /** The newest news are nothing that anybody is told of. Returns what they overtake. */
  drop(subject: string): News | undefined {
    const overtaken = this.#waiting.get(subject);
    this.#waiting.delete(subject);
    return overtaken;
  }

  /** What is to be told now: `done` follows when that has happened. Ask until there is nothing. */
  next(): { readonly subject: string; readonly news: News } | undefined {
    if (this.#busy.size >= this.#limit) return undefined;
    for (const [subject, news] of this.#waiting) {
      if (this.#busy.has(subject)) continue;
      this.#waiting.delete(subject);
      this.#busy.add(subject);
      return { subject, news };
    }
    return undefined;
  }

  done(subject: string): void {
    this.#busy.delete(subject);
  }

  waiting(subject: string): News | undefined {
    return this.#waiting.get(subject);
  }

  /** Nothing is being told, and nothing waits. */
  get idle(): boolean {
    return this.#busy.size === 0 && this.#waiting.size === 0;
  }

  get subjectsWaiting(): readonly string[] {
    return [...this.#waiting.keys()];
  }
}
