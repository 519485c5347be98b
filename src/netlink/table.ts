/**
 * A copy of one kernel table, kept by events and corrected by dumps.
 *
 * A dump takes time, and events that arrive meanwhile are newer than some of it and older than the rest. So what an
 * event has touched since the dump began is left as the events say, and the dump speaks for everything else. That is
 * exact if the event queue was emptied after the dump ended.
 */

export interface Difference<T> {
  readonly kind: "added" | "changed" | "removed";
  readonly entry: T;
  /** Of a change: the entry as it was. */
  readonly before?: T;
  /** Of the netlink socket that asked for it, often the process id; 0 = the kernel by itself; none when nobody said. */
  readonly port?: number;
}

/** What makes an entry that entry, where it is looked up, and which differences nobody wants to hear of. */
export interface Identity<T, Key, Group> {
  key(entry: T): Key;
  group(entry: T): Group;
  same(a: T, b: T): boolean;
}

export class Table<T, Key = string, Group = number> {
  readonly #identity: Identity<T, Key, Group>;
  readonly #entries = new Map<Key, T>();
  readonly #groups = new Map<Group, Map<Key, T>>();
  readonly #lists = new Map<Group, readonly T[]>();
  #touched: Set<Key> | undefined;

  constructor(identity: Identity<T, Key, Group>) {
    this.#identity = identity;
  }

  get entries(): ReadonlyMap<Key, T> {
    return this.#entries;
  }

  keyOf(entry: T): Key {
    return this.#identity.key(entry);
  }

  groupOf(entry: T): Group {
    return this.#identity.group(entry);
  }

  /** The list is the same one until something in the group changes. */
  inGroup(group: Group): readonly T[] {
    let list = this.#lists.get(group);
    if (list === undefined) {
      list = [...(this.#groups.get(group)?.values() ?? [])];
      if (list.length > 0) this.#lists.set(group, list);
    }
    return list;
  }

  put(entry: T): Difference<T> | undefined {
    const key = this.#identity.key(entry);
    this.#touched?.add(key);
    return this.#set(key, entry);
  }

  remove(entry: T): Difference<T> | undefined {
    const key = this.#identity.key(entry);
    this.#touched?.add(key);
    return this.#delete(key);
  }

  beginDump(): void {
    this.#touched = new Set();
  }

  /** Removals come first, so that what moved from one entry to another is never there twice. */
  endDump(dumped: readonly T[]): Difference<T>[] {
    const touched = this.#touched ?? new Set();
    this.#touched = undefined;
    const wanted = new Map(dumped.map((entry) => [this.#identity.key(entry), entry]));
    const differences: (Difference<T> | undefined)[] = [];
    for (const key of [...this.#entries.keys()]) {
      if (!wanted.has(key) && !touched.has(key)) differences.push(this.#delete(key));
    }
    for (const [key, entry] of wanted) {
      if (!touched.has(key)) differences.push(this.#set(key, entry));
    }
    return differences.filter((difference) => difference !== undefined);
  }

  #set(key: Key, entry: T): Difference<T> | undefined {
    const before = this.#entries.get(key);
    const group = this.#identity.group(entry);
    if (before !== undefined && this.#identity.group(before) !== group) this.#ungroup(key, before);
    this.#entries.set(key, entry);
    const members = this.#groups.get(group);
    if (members === undefined) this.#groups.set(group, new Map([[key, entry]]));
    else members.set(key, entry);
    this.#lists.delete(group);
    if (before === undefined) return { kind: "added", entry };
    return this.#identity.same(before, entry) ? undefined : { kind: "changed", entry, before };
  }

  #delete(key: Key): Difference<T> | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#ungroup(key, entry);
    return { kind: "removed", entry };
  }

  #ungroup(key: Key, entry: T): void {
    const group = this.#identity.group(entry);
    const members = this.#groups.get(group);
    members?.delete(key);
    if (members?.size === 0) this.#groups.delete(group);
    this.#lists.delete(group);
  }
}
