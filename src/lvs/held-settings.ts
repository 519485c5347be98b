/**
 * Values of the kernel that were asked for: set while they are wanted, put back afterwards, and after a kill by the next
 * run. What somebody else changes meanwhile is told and set again, at growing intervals: two programs that both insist
 * must not keep each other busy.
 */

export interface Changed {
  readonly name: string;
  readonly before: string;
  readonly set: string;
}

/** Where the values are. */
export interface SettingStore {
  /** What there is of these, by name. */
  read(names: readonly string[]): Promise<ReadonlyMap<string, string>>;
  write(name: string, value: string): Promise<void>;
}

export interface HeldSettingsOptions {
  readonly store: SettingStore;
  /** Before the kernel is told: a kill in between leaves a note too many, which is harmless, and none too few. */
  save(changed: readonly Changed[]): void;
  tell(level: "info" | "warn", message: string): void;
  /** "net.ipv4.vs.conntrack", "the TCP timeout" */
  readonly label: (name: string) => string;
  /** Why a value may be missing, with the cure. */
  readonly missing: (name: string) => string;
}

interface Held {
  readonly before: string;
  readonly set: string;
}

interface Pace {
  readonly repairs: number;
  readonly notBefore: number;
}

/** A value that the kernel does not take; it is not asked again before something about it has changed. */
interface Refusal {
  readonly wish: string;
  readonly value: string;
  readonly problem: string;
}

export interface Applied {
  /** What is wanted and is not so, in words. */
  readonly problems: readonly string[];
  /** Names of what was written. */
  readonly written: readonly string[];
}

const firstPause = 10_000;
const longestPause = 600_000;

export class HeldSettings {
  readonly #options: HeldSettingsOptions;
  readonly #held = new Map<string, Held>();
  readonly #paces = new Map<string, Pace>();
  readonly #refusals = new Map<string, Refusal>();

  constructor(options: HeldSettingsOptions) {
    this.#options = options;
  }

  /** What an earlier run changed and could not put back: kept if it is wanted still, put back otherwise. */
  recover(changed: readonly Changed[]): void {
    for (const { name, before, set } of changed) this.#held.set(name, { before: normal(before), set: normal(set) });
  }

  get changed(): readonly Changed[] {
    return [...this.#held].map(([name, { before, set }]) => ({ name, before, set }));
  }

  /** The file was read anew: what was refused, or left to whoever insists, is tried once more. */
  again(): void {
    this.#refusals.clear();
    this.#paces.clear();
  }

  /** As it was before viprd changed it. */
  before(name: string): string | undefined {
    return this.#held.get(name)?.before;
  }

  /** Makes it so that exactly these are set. Rejects when the values cannot be read. */
  async apply(wanted: Readonly<Record<string, string>>, now: number): Promise<Applied> {
    const names = [...new Set([...this.#held.keys(), ...Object.keys(wanted)])];
    if (names.length === 0) return { problems: [], written: [] };
    const values = await this.#options.store.read(names);
    const problems: string[] = [];
    const written: string[] = [];
    for (const name of names) {
      const value = values.get(name);
      const wish = wanted[name];
      const problem =
        wish === undefined
          ? await this.#restore(name, value === undefined ? undefined : normal(value))
          : await this.#set(name, normal(wish), value === undefined ? undefined : normal(value), now, written);
      if (problem !== undefined) problems.push(problem);
    }
    return { problems, written };
  }

  /** Puts everything back. */
  async release(): Promise<readonly string[]> {
    const { problems } = await this.apply({}, 0);
    return problems;
  }

  async #set(name: string, wish: string, value: string | undefined, now: number, written: string[]) {
    const { label, missing, tell } = this.#options;
    if (value === undefined) return `${label(name)} cannot be set to ${wish}: ${missing(name)}`;
    const held = this.#held.get(name);
    if (value === wish) {
      // The wish has changed to what somebody else made of it: there is still something to put back.
      if (held !== undefined && held.set !== wish) this.#keep(name, { before: held.before, set: wish });
      return undefined;
    }
    const refusal = this.#refusals.get(name);
    if (refusal?.wish === wish && refusal.value === value) return refusal.problem;
    const foreign = held !== undefined && held.set === wish;
    if (foreign && !this.#mayRepair(name, now)) {
      return `${label(name)} is ${value} instead of ${wish}: somebody else keeps changing it`;
    }
    // Another value than the one that was set last is what there is to put back, unless it is a repair.
    const before = held === undefined || (!foreign && value !== held.set) ? value : held.before;
    this.#keep(name, { before, set: wish });
    const problem = await this.#write(name, wish, value);
    if (problem !== undefined) {
      this.#refusals.set(name, { wish, value, problem });
      if (held === undefined) this.#forget(name);
      else this.#keep(name, held);
      return problem;
    }
    written.push(name);
    if (foreign) tell("warn", `somebody changed ${label(name)} to ${value}; it is ${wish} again`);
    else tell("info", `${label(name)} set to ${wish}; it was ${before}, and will be again when viprd ends`);
    return undefined;
  }

  #mayRepair(name: string, now: number): boolean {
    const pace = this.#paces.get(name);
    if (pace !== undefined && now < pace.notBefore) return false;
    const repairs = pace === undefined || now > pace.notBefore + longestPause ? 1 : pace.repairs + 1;
    this.#paces.set(name, { repairs, notBefore: now + Math.min(firstPause * 2 ** (repairs - 1), longestPause) });
    return true;
  }

  /** Only if nobody has changed it since. */
  async #restore(name: string, value: string | undefined): Promise<string | undefined> {
    const held = this.#held.get(name);
    if (held === undefined) return undefined;
    if (value === held.set && held.before !== held.set) {
      const problem = await this.#write(name, held.before, value);
      if (problem !== undefined) return problem;
      this.#options.tell("info", `${this.#options.label(name)} is ${held.before} again`);
    }
    this.#forget(name);
    return undefined;
  }

  /** Undefined when it is so now; otherwise it is as it was, and why. */
  async #write(name: string, value: string, is: string): Promise<string | undefined> {
    const { store, label } = this.#options;
    const what = `${label(name)} is ${is} and cannot be set to ${value}`;
    try {
      await store.write(name, value);
      const found = (await store.read([name])).get(name);
      if (found === undefined || normal(found) === value) return undefined;
      await store.write(name, is);
      return `${what}: the kernel made ${normal(found)} of it`;
    } catch (error) {
      return `${what}: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  #keep(name: string, held: Held): void {
    this.#held.set(name, held);
    this.#options.save(this.changed);
  }

  #forget(name: string): void {
    this.#held.delete(name);
    this.#paces.delete(name);
    this.#options.save(this.changed);
  }
}

/** The kernel separates several numbers by tabs. */
function normal(value: string): string {
  return value.trim().replace(/\s+/g, " ");
}
