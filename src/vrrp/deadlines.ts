/** A binary heap of deadlines: one kernel timer serves a thousand routers. */
import type { Instant } from "./parameters.ts";

/** Owned by whoever schedules it; `slot` belongs to the heap. */
export interface Entry {
  at: Instant;
  slot: number;
  /** Set while the deadline has to be met to a fraction of a millisecond. */
  exact: boolean;
  readonly fire: (now: Instant) => void;
  /** Called a moment before an exact deadline; may move it. */
  readonly prepare: (at: Instant) => void;
}

export function newEntry(fire: (now: Instant) => void, prepare: (at: Instant) => void = () => {}): Entry {
  return { at: 0, slot: -1, exact: false, fire, prepare };
}

export class Deadlines {
  readonly #heap: Entry[] = [];

  /** Moves the entry to `at`, or takes it out when `at` is undefined. */
  set(entry: Entry, at: Instant | undefined): void {
    if (at === undefined) {
      if (entry.slot >= 0) this.#remove(entry);
      return;
    }
    entry.at = at;
    if (entry.slot < 0) {
      entry.slot = this.#heap.length;
      this.#heap.push(entry);
    }
    this.#settle(entry);
  }

  get first(): Entry | undefined {
    return this.#heap[0];
  }

  /** Takes the earliest entry that is due. */
  take(now: Instant): Entry | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.at > now) return undefined;
    this.#remove(first);
    return first;
  }

  get size(): number {
    return this.#heap.length;
  }

  #remove(entry: Entry): void {
    const slot = entry.slot;
    entry.slot = -1;
    const last = this.#heap.pop();
    if (last === undefined || last === entry) return;
    this.#heap[slot] = last;
    last.slot = slot;
    this.#settle(last);
  }

  #settle(entry: Entry): void {
    const heap = this.#heap;
    let slot = entry.slot;
    while (slot > 0) {
      const parent = (slot - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || above.at <= entry.at) break;
      heap[slot] = above;
      above.slot = slot;
      slot = parent;
    }
    for (;;) {
      const left = heap[2 * slot + 1];
      const right = heap[2 * slot + 2];
      const below = right !== undefined && left !== undefined && right.at < left.at ? right : left;
      if (below === undefined || below.at >= entry.at) break;
      const next = below.slot;
      heap[slot] = below;
      below.slot = slot;
      slot = next;
    }
    heap[slot] = entry;
    entry.slot = slot;
  }
}
