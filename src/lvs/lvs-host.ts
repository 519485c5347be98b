/**
 * What surrounds the table of the kernel: sync daemons, timeouts, kernel settings. Looks at it when something has
 * changed and at intervals, puts right what is configured, warns once about what does not go together, and puts
 * everything back in the end.
 */
import { digest } from "./digest.ts";
import { type Changed, HeldSettings } from "./held-settings.ts";
import type { HostFacts } from "./host-requirements.ts";
import { type Finding, findings, neededModules, recommended } from "./host-rules.ts";
import { LvsNote, type LvsNoted, nothingNoted } from "./lvs-note.ts";
import type { LvsParameters } from "./parameters.ts";
import { Standing } from "./standing.ts";
import type { LvsEvent, LvsHostStatus } from "./status.ts";
import type { Surroundings } from "./surroundings.ts";
import { flushTime } from "./sync-daemon.ts";
import { mixedFamilies, SyncKeeper } from "./sync-keeper.ts";
import type { IpvsPort, KernelInfo } from "./table.ts";
import { timeoutStore, wantedTimeouts } from "./timeouts.ts";

export type HostPort = Pick<
  IpvsPort,
  "info" | "timeouts" | "setTimeouts" | "syncDaemons" | "startSyncDaemon" | "stopSyncDaemon"
>;

export interface LvsHostOptions {
  readonly port: HostPort;
  readonly surroundings: Surroundings;
  /** Without a file, what a killed run changed stays changed. */
  readonly noteFile?: string;
  event(event: LvsEvent): void;
  /** What is neither a warning nor a problem. */
  log(level: "info", message: string): void;
}

/** The kernel reads these when a sync daemon starts. */
const atStart = ["net.ipv4.vs.sync_ports", "net.ipv4.vs.sync_sock_size"];
const backupOnly = "net.ipv4.vs.backup_only";
/** An instance that is not heard of for so long after the start is not active: it is told when it becomes so. */
const silence = 5000;
const nothing: LvsParameters = { virtualServers: [], timeouts: {}, settings: {}, reconcileInterval: 60_000 };
const noSync = { wanted: undefined, active: undefined, flushUntil: 0, backupOnly: false, mixed: [], anew: false };

export class LvsHost {
  readonly #options: LvsHostOptions;
  readonly #note: LvsNote | undefined;
  readonly #settings: HeldSettings;
  readonly #timeouts: HeldSettings;
  readonly #sync: SyncKeeper;
  readonly #standing: Standing;
  readonly #states = new Map<string, string>();
  #parameters: LvsParameters = nothing;
  #noted: LvsNoted = nothingNoted;
  #noteWorks = true;
  #flushUntil = 0;
  #knownFrom = 0;
  #running = false;
  #stopping = false;
  #timer: NodeJS.Timeout | undefined;
  /** One look at a time; what changes during one leads to one more. */
  #looking: Promise<void> | undefined;
  #again = false;
  #facts: HostFacts | undefined;
  #info: KernelInfo | undefined;
  #times: LvsHostStatus["timeouts_s"] = null;
  #findings: readonly Finding[] = [];
  #problems: readonly string[] = [];

  constructor(options: LvsHostOptions) {
    this.#options = options;
    const { port, surroundings, noteFile } = options;
    this.#note = noteFile === undefined ? undefined : new LvsNote(noteFile);
    const tell = (level: "info" | "warn", message: string) => this.#tell(level, message);
    this.#standing = new Standing(tell);
    this.#settings = new HeldSettings({
      store: surroundings.settings,
      save: (settings) => this.#save({ settings }),
      tell,
      label: (name) => name,
      missing: (name) =>
        name.startsWith("net.ipv4.vs.") ? "the kernel has it only while ip_vs is loaded" : "there is no such setting",
    });
    this.#timeouts = new HeldSettings({
      store: timeoutStore(port),
      save: (timeouts) => this.#save({ timeouts }),
      tell,
      label: (name) => `the ${name.toLowerCase()} timeout in seconds`,
      missing: () => "the kernel does not tell it",
    });
    this.#sync = new SyncKeeper({
      port,
      interfaceIndex: (name) => surroundings.interfaceIndex(name),
      tell,
      save: (syncDaemons) => this.#save({ syncDaemons }),
    });
  }

  configure(parameters: LvsParameters): void {
    this.#parameters = parameters;
    for (const each of [this.#settings, this.#timeouts, this.#sync]) each.again();
    this.#lookSoon();
  }

  /** An instance of ours is in another state. */
  instance(name: string, state: string): void {
    const before = this.#states.get(name);
    this.#states.set(name, state);
    if (before === state || name !== this.#parameters.syncDaemon?.instance) return;
    if (before === "active") this.#flushUntil = this.#options.surroundings.now() + flushTime;
    this.#lookSoon();
  }

  /** Takes over what an earlier run left, then makes it as it is configured. Resolves after the first look. */
  async start(): Promise<void> {
    this.#recover();
    this.#running = true;
    this.#knownFrom = this.#options.surroundings.now() + silence;
    await this.#look();
  }

  /** Puts everything back. A master that was just at work may first send what it keeps. */
  async stop(): Promise<void> {
    if (!this.#running || this.#stopping) return;
    this.#stopping = true;
    clearTimeout(this.#timer);
    await this.#looking;
    this.#running = false;
    const { surroundings } = this.#options;
    const wait = this.#active() === false ? this.#flushUntil - surroundings.now() : flushTime;
    const rest = this.#sync.flushing ? wait : 0;
    if (rest > 0) await new Promise((resolve) => setTimeout(resolve, rest));
    const idle = { ...noSync, unwanted: "viprd ends" };
    const ends: readonly (() => Promise<readonly string[]>)[] = [
      async () => (await this.#sync.look(idle, surroundings.now())).problems,
      () => this.#timeouts.release(),
      () => this.#settings.release(),
    ];
    for (const end of ends) {
      const problems = await end().catch((error: unknown) => [wordsOf(error)]);
      for (const problem of problems) this.#tell("warn", problem);
    }
  }

  status(): LvsHostStatus {
    const info = this.#info;
    const asStatus = ({ name, set, before }: Changed) => ({ name, value: set, before });
    return {
      kernel:
        info === undefined
          ? null
          : {
              release: this.#facts?.release ?? "",
              ipvs_version: info.version,
              connection_table_size: info.connectionTableSize,
            },
      sync_daemons: this.#sync.status(),
      timeouts_s: this.#times,
      settings: this.#settings.changed.map(asStatus),
      findings: this.#findings.map(({ level, message }) => ({ level, message })),
      problems: this.#problems,
      digests: Object.fromEntries(this.#parameters.virtualServers.map((server) => [server.name, digest(server)])),
    };
  }

  #recover(): void {
    try {
      this.#noted = this.#note?.read() ?? nothingNoted;
    } catch (error) {
      this.#tell("warn", `what an earlier run changed for the load balancer is not known: ${wordsOf(error)}`);
    }
    this.#settings.recover(this.#noted.settings);
    this.#timeouts.recover(this.#noted.timeouts);
    this.#sync.recover(this.#noted.syncDaemons);
  }

  #lookSoon(): void {
    if (!this.#running || this.#stopping) return;
    if (this.#looking !== undefined) this.#again = true;
    else void this.#look();
  }

  #look(): Promise<void> {
    clearTimeout(this.#timer);
    this.#looking = this.#lookNow()
      .then((deadline) => this.#rest(deadline))
      .finally(() => {
        this.#looking = undefined;
        if (this.#again && !this.#stopping) {
          this.#again = false;
          void this.#look();
        }
      });
    return this.#looking;
  }

  #rest(deadline: number | undefined): void {
    if (this.#stopping) return;
    const now = this.#options.surroundings.now();
    const deadlines = [deadline ?? Infinity, this.#knownFrom > now ? this.#knownFrom : Infinity];
    const wait = Math.min(this.#parameters.reconcileInterval, ...deadlines.map((at) => at - now));
    this.#timer = setTimeout(() => this.#lookSoon(), Math.max(wait, 50)).unref();
  }

  /** Returns when to look again at the latest. */
  async #lookNow(): Promise<number | undefined> {
    const problems: string[] = [];
    const attempt = async <T>(act: () => Promise<T>): Promise<T | undefined> => {
      try {
        return await act();
      } catch (error) {
        problems.push(wordsOf(error));
        return undefined;
      }
    };
    // Asking loads ip_vs; before that its settings are not there.
    this.#info = await attempt(() => this.#options.port.info());
    const written = this.#info === undefined ? [] : await attempt(() => this.#set(problems));
    const sync = this.#info === undefined ? undefined : await attempt(() => this.#keepSync(written ?? [], problems));
    await attempt(() => this.#examine());
    this.#report(problems);
    return sync?.deadline;
  }

  /** Returns the names of the settings that were written. */
  async #set(problems: string[]): Promise<readonly string[]> {
    const parameters = this.#parameters;
    const { surroundings, port } = this.#options;
    const now = surroundings.now();
    const profile =
      parameters.settingsProfile === undefined
        ? {}
        : recommended(parameters, await surroundings.facts([]), (name) => this.#settings.before(name));
    const settings = await this.#settings.apply({ ...profile, ...parameters.settings }, now);
    const timeouts = await this.#timeouts.apply(wantedTimeouts(parameters.timeouts), now);
    problems.push(...settings.problems, ...timeouts.problems);
    const { tcp, tcpFin, udp } = await port.timeouts();
    this.#times = { tcp: tcp / 1000, tcp_fin: tcpFin / 1000, udp: udp / 1000 };
    return settings.written;
  }

  async #keepSync(written: readonly string[], problems: string[]) {
    const { surroundings } = this.#options;
    const found = await surroundings.settings.read([backupOnly]);
    const request = {
      wanted: this.#parameters.syncDaemon,
      unwanted: "it is no longer configured",
      active: this.#active(),
      flushUntil: this.#flushUntil,
      backupOnly: (found.get(backupOnly) ?? "0") !== "0",
      mixed: mixedFamilies(this.#parameters),
      anew: written.some((name) => atStart.includes(name)),
    };
    const result = await this.#sync.look(request, surroundings.now());
    problems.push(...result.problems);
    return result;
  }

  async #examine(): Promise<void> {
    this.#facts = await this.#options.surroundings.facts(neededModules(this.#parameters));
    this.#findings = findings(this.#parameters, this.#facts);
  }

  #report(problems: readonly string[]): void {
    this.#problems = [...new Set(problems)];
    const of = (level: Finding["level"]) =>
      this.#findings.filter((finding) => finding.level === level).map(({ message }) => message);
    this.#standing.report([...this.#problems, ...of("warning")], of("note"));
  }

  /** Undefined until it is known, and without an instance. */
  #active(): boolean | undefined {
    const { instance } = this.#parameters.syncDaemon ?? {};
    if (instance === undefined) return undefined;
    const state = this.#states.get(instance);
    if (state !== undefined) return state === "active";
    return this.#options.surroundings.now() < this.#knownFrom ? undefined : false;
  }

  #tell(level: "info" | "warn", message: string): void {
    if (level === "info") this.#options.log("info", message);
    else this.#options.event({ at: new Date().toISOString(), type: "lvs_warning", message });
  }

  #save(changes: Partial<LvsNoted>): void {
    this.#noted = { ...this.#noted, ...changes };
    try {
      this.#note?.write(this.#noted);
      this.#noteWorks = true;
    } catch (error) {
      if (this.#noteWorks) this.#tell("warn", `if viprd is killed, settings stay changed: ${wordsOf(error)}`);
      this.#noteWorks = false;
    }
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
