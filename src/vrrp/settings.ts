/**
 * Kernel settings of the host's interfaces that viprd needs otherwise than they are: set while somebody needs them, put
 * back afterwards, and after a kill by the next start. Settings of our own devices are set and forgotten.
 */
import { readSetting, writeSetting } from "../socket/sysctl.ts";
import type { LogLevel, SettingRequests } from "./host.ts";
import { type Setting, settingName } from "./mac-settings.ts";
import { type Changed, SettingsNote } from "./settings-note.ts";
import type { SettingStatus } from "./status.ts";

interface Held {
  readonly before: string;
  readonly set: string;
  readonly holders: Set<string>;
}

type Log = (level: LogLevel, message: string) => void;

export class Settings implements SettingRequests {
  readonly #log: Log;
  readonly #note: SettingsNote | undefined;
  /** Changed by us or by an earlier run of us, by path. */
  readonly #held = new Map<string, Held>();
  #filter = false;
  #noteWorks = true;
  readonly #told = new Set<string>();

  /** Without a file for the note, what a killed run changed stays changed. */
  constructor(noteFile: string | undefined, log: Log) {
    this.#log = log;
    this.#note = noteFile === undefined ? undefined : new SettingsNote(noteFile);
  }

  /** Takes over what an earlier run changed and could not put back. */
  recover(): void {
    try {
      const { settings, filter } = this.#note?.read() ?? { settings: [], filter: false };
      this.#filter = filter;
      for (const { path, before, set } of settings) this.#held.set(path, { before, set, holders: new Set() });
    } catch (error) {
      this.#log("warn", `the settings that an earlier run changed are not known: ${wordsOf(error)}`);
    }
  }

  /** Puts back what nobody needs: after recover() and once everybody has said what is needed. */
  restoreUnused(): void {
    for (const [path, { holders }] of this.#held) if (holders.size === 0) this.#restore(path);
    this.#save();
  }

  /** Whether a packet filter of ours is on the host, perhaps left by an earlier run: it goes into the same note. */
  get filterNoted(): boolean {
    return this.#filter;
  }

  set filterNoted(noted: boolean) {
    if (noted === this.#filter) return;
    this.#filter = noted;
    this.#save();
  }

  read(path: string): string | undefined {
    return readSetting(path);
  }

  set(settings: readonly Setting[]): readonly string[] {
    return settings.flatMap((setting) => {
      const value = readSetting(setting.path);
      return isGood(setting, value) ? [] : this.#write(setting, value);
    });
  }

  hold(holder: string, settings: readonly Setting[]): readonly string[] {
    const problems: string[] = [];
    let changed = false;
    for (const setting of settings) {
      const { path, value: wanted } = setting;
      const value = readSetting(path);
      const held = this.#held.get(path);
      held?.holders.add(holder);
      if (value === undefined || isGood(setting, value)) {
        if (value === undefined) problems.push(...this.#write(setting, value));
        continue;
      }
      const found = this.#write(setting, value);
      problems.push(...found);
      if (readSetting(path) !== wanted) continue;
      // With another value than ours in between it is a new interface of that name, or a new wish.
      this.#held.set(path, { before: value, set: wanted, holders: held?.holders ?? new Set([holder]) });
      changed = true;
      this.#log("info", `${settingName(path)} set to ${wanted}; it was ${value}, and will be again when viprd ends`);
    }
    if (changed) this.#save();
    return problems;
  }

  release(holder: string): void {
    let changed = false;
    for (const [path, { holders }] of this.#held) {
      if (!holders.delete(holder) || holders.size > 0) continue;
      this.#restore(path);
      changed = true;
    }
    if (changed) this.#save();
  }

  /** An interface has another name: its settings go with it. */
  renamed(before: string, after: string): void {
    let changed = false;
    for (const [path, held] of [...this.#held]) {
      const parts = path.split("/");
      if (parts[3] !== before) continue;
      this.#held.delete(path);
      this.#held.set(parts.with(3, after).join("/"), held);
      changed = true;
    }
    if (changed) this.#save();
  }

  restoreAll(): void {
    for (const path of this.#held.keys()) this.#restore(path);
    this.#save();
  }

  status(): SettingStatus[] {
    return [...this.#held].map(([path, { before, set }]) => ({ name: settingName(path), value: set, before }));
  }

  #write(setting: Setting, value: string | undefined): string[] {
    const { path, value: wanted, otherwise } = setting;
    try {
      writeSetting(path, wanted);
      return [];
    } catch (error) {
      const is = value === undefined ? "" : ` is ${value} and`;
      const message = `${settingName(path)}${is} cannot be set to ${wanted}: ${wordsOf(error)}`;
      const whole = otherwise === undefined ? message : `${message}; ${otherwise}`;
      if (setting.needed && otherwise !== undefined) return [whole];
      if (!this.#told.has(whole)) this.#log("warn", whole);
      this.#told.add(whole);
      return [];
    }
  }

  /** Only if nobody has changed it since. */
  #restore(path: string): void {
    const held = this.#held.get(path);
    this.#held.delete(path);
    if (held === undefined || readSetting(path) !== held.set) return;
    try {
      writeSetting(path, held.before);
      this.#log("info", `${settingName(path)} is ${held.before} again`);
    } catch (error) {
      this.#log("warn", `${settingName(path)} cannot be put back to ${held.before}: ${wordsOf(error)}`);
    }
  }

  #save(): void {
    const filter = this.#filter;
    const settings: Changed[] = [...this.#held].map(([path, { before, set }]) => ({ path, before, set }));
    try {
      this.#note?.write({ settings, filter });
      this.#noteWorks = true;
    } catch (error) {
      if (this.#noteWorks) this.#log("warn", `if viprd is killed, settings stay changed: ${wordsOf(error)}`);
      this.#noteWorks = false;
    }
  }
}

function isGood({ value, orElse = [] }: Setting, found: string | undefined): boolean {
  return found !== undefined && (found === value || orElse.includes(found));
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
