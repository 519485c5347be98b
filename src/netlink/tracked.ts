/** One table of a watch with the dump that corrects it: when to take it, when its result counts. */
import type { Connection } from "./connection.ts";
import type { Difference, Table } from "./table.ts";

export interface Subject<T, Key, Group> {
  readonly table: Table<T, Key, Group>;
  readonly newType: number;
  readonly deleteType: number;
  /** Multicast groups that tell of changes. */
  readonly groups: readonly number[];
  decode(payload: Uint8Array): T | undefined;
  list(connection: Connection): Promise<T[]>;
  /** For tables whose events do not always say enough: true = dump again. Otherwise the event is applied. */
  unclear?(entry: T, type: number, flags: number): boolean;
  /** For tables that hold only a part of the kernel's. */
  wanted?(entry: T): boolean;
  emit(difference: Difference<T>): void;
}

const maxPorts = 1000;

export class Tracked<T, Key = string, Group = number> {
  readonly #subject: Subject<T, Key, Group>;
  readonly #connection: Connection;
  /** The dump is here, or it failed: the event queue should be read next. */
  readonly #arrived: (error?: unknown) => void;
  #stale = true;
  #dumping = false;
  #fetched: T[] | undefined;
  #complete = false;
  #suspended = false;
  /** Who caused the events that were not clear: what the dump finds different in their groups is their doing. */
  readonly #ports = new Map<Group, number>();

  constructor(subject: Subject<T, Key, Group>, connection: Connection, arrived: (error?: unknown) => void) {
    this.#subject = subject;
    this.#connection = connection;
    this.#arrived = arrived;
  }

  get groups(): readonly number[] {
    return this.#subject.groups;
  }

  /** Has been complete once. */
  get complete(): boolean {
    return this.#complete;
  }

  get table(): Table<T, Key, Group> {
    return this.#subject.table;
  }

  /** The table can no longer be trusted; a dump that is running does not help. */
  invalidate(): void {
    this.#stale = true;
    this.#fetched = undefined;
  }

  /** False if the message is about something else. */
  event(type: number, flags: number, payload: Uint8Array, port: number): boolean {
    const { newType, deleteType, table } = this.#subject;
    if (type !== newType && type !== deleteType) return false;
    const entry = this.#subject.decode(payload);
    if (entry === undefined) return true;
    if (this.#subject.unclear?.(entry, type, flags)) {
      if (this.#ports.size < maxPorts) this.#ports.set(table.groupOf(entry), port);
      this.invalidate();
      return true;
    }
    if (this.#subject.wanted?.(entry) === false) return true;
    const difference = type === newType ? table.put(entry) : table.remove(entry);
    this.#emit(difference && { ...difference, port });
    return true;
  }

  /** Removes what the kernel dropped without a word. */
  drop(entries: readonly T[]): void {
    for (const entry of entries) this.#emit(this.#subject.table.remove(entry));
  }

  /** Every event up to now has been read. */
  drained(): void {
    if (this.#fetched !== undefined) {
      const differences = this.#subject.table.endDump(this.#fetched);
      this.#fetched = undefined;
      this.#complete = true;
      const ports = new Map(this.#ports);
      this.#ports.clear();
      for (const difference of differences) {
        const port = ports.get(this.#subject.table.groupOf(difference.entry));
        this.#emit(port === undefined ? difference : { ...difference, port });
      }
    } else if (this.#stale && !this.#dumping && !this.#suspended) this.#fetch();
  }

  /** After a dump failed, another is taken only when this has been called. */
  resume(): void {
    this.#suspended = false;
  }

  #fetch(): void {
    this.#stale = false;
    this.#dumping = true;
    this.#subject.table.beginDump();
    this.#subject.list(this.#connection).then(
      (entries) => {
        this.#dumping = false;
        if (!this.#stale) this.#fetched = entries;
        this.#arrived();
      },
      (error: unknown) => {
        this.#dumping = false;
        this.#stale = true;
        this.#suspended = true;
        this.#arrived(error);
      },
    );
  }

  #emit(difference: Difference<T> | undefined): void {
    if (difference !== undefined) this.#subject.emit(difference);
  }
}
