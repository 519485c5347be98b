/** The last events, kept for readers who come later, and handed to those who are there. Bounded. */
import type { CheckState } from "../healthchecks/status.ts";
import type { LvsEvent } from "../lvs/status.ts";
import type { VrrpEvent } from "../vrrp/status.ts";

/** What the supervisor itself does, next to what the VRRP process tells. */
export type DaemonEvent =
  | VrrpEvent
  | LvsEvent
  | {
      readonly at: string;
      /** "reload": the file was read again; "process": a child died, started or stopped; "operator": what is said of servers. */
      readonly type: "reload" | "process" | "operator";
      readonly message: string;
    }
  | {
      readonly at: string;
      /** The verdict of a health check changed. */
      readonly type: "check";
      readonly check: string;
      readonly from: CheckState;
      readonly to: CheckState;
      readonly reason: string;
      /** All of it in words. */
      readonly message: string;
    }
  | {
      readonly at: string;
      /** A check that is up warns of something, or what it advises the load balancer to do changed. */
      readonly type: "check_notice";
      readonly check: string;
      readonly message: string;
    };

export interface NumberedEvent {
  /** Grows by one with each event; starts at 1 with the daemon. */
  readonly id: number;
  readonly event: DaemonEvent;
}

export class EventLog {
  readonly #capacity: number;
  readonly #kept: NumberedEvent[] = [];
  readonly #readers = new Set<(event: NumberedEvent) => void>();
  #lastId = 0;

  constructor(capacity = 1000) {
    this.#capacity = capacity;
  }

  get lastId(): number {
    return this.#lastId;
  }

  append(event: DaemonEvent): void {
    const numbered = { id: ++this.#lastId, event };
    this.#kept.push(numbered);
    if (this.#kept.length > this.#capacity) this.#kept.shift();
    for (const reader of this.#readers) reader(numbered);
  }

  /** Kept events after `id`. An id from before a restart of the daemon is larger than any: then all are news. */
  since(id: number): NumberedEvent[] {
    if (id > this.#lastId) return [...this.#kept];
    return this.#kept.filter((event) => event.id > id);
  }

  /** Calls `reader` for each event to come; returns what ends that. */
  subscribe(reader: (event: NumberedEvent) => void): () => void {
    this.#readers.add(reader);
    return () => {
      this.#readers.delete(reader);
    };
  }
}
