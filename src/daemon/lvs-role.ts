/**
 * The load balancer inside the checks process: what it is told is kept here, handed to the balancer and to what surrounds
 * the table once the kernel can be asked, and tried again and again until it can.
 */
import { Balancer } from "../lvs/balancer.ts";
import { type IpvsOptions, openIpvs } from "../lvs/ipvs.ts";
import { LvsHost } from "../lvs/lvs-host.ts";
import { Mirror } from "../lvs/mirror.ts";
import { NoteFile } from "../lvs/note-file.ts";
import type { AdminEntry, LvsParameters } from "../lvs/parameters.ts";
import { Rests } from "../lvs/rests.ts";
import type { LvsEvent, LvsStatus } from "../lvs/status.ts";
import { type Surroundings, thisHost } from "../lvs/surroundings.ts";
import type { IpvsPort } from "../lvs/table.ts";
import { Unit } from "../lvs/unit.ts";
import type { StateName } from "../vrrp/status.ts";
import { silentLvs } from "./lvs-silent.ts";
import type { ChecksQuestion, LogLevel } from "./messages.ts";
import { lvsNote, tableNote } from "./paths.ts";
import type { NamedVerdict } from "./verdicts.ts";

export interface LvsRoleOptions {
  event(event: LvsEvent): void;
  log(level: LogLevel, message: string): void;
  /** The only checks whose verdicts nobody here needs for the time being. */
  rest?(checks: ReadonlySet<string>): void;
  /** Where notes for the next process are kept. */
  readonly runtimeDirectory?: string;
  /** Rejects with words that say what is missing. */
  readonly open?: (options: IpvsOptions) => Promise<IpvsPort>;
  readonly surroundings?: Surroundings;
  readonly firstRetry?: number;
}

const firstRetry = 1000;
const longestRetry = 60_000;

interface Running {
  readonly port: IpvsPort;
  readonly balancer: Balancer;
  readonly host: LvsHost;
}

export class LvsRole {
  readonly #options: LvsRoleOptions;
  /** Until the balancer says it, which begins with it: nothing has made a way for those that go through a service. */
  readonly #rests: Rests;
  readonly #verdicts = new Map<string, NamedVerdict>();
  readonly #instances = new Map<string, StateName>();
  #admin: readonly AdminEntry[] = [];
  #parameters: LvsParameters | undefined;
  #started = false;
  #stopping = false;
  #opening = false;
  #running: Running | undefined;
  #retry: NodeJS.Timeout | undefined;
  #delay: number;
  #trouble = "the load balancer is starting";
  #since = new Date().toISOString();

  constructor(options: LvsRoleOptions) {
    this.#options = options;
    this.#rests = new Rests(new Mirror(), (checks) => options.rest?.(checks));
    this.#delay = options.firstRetry ?? firstRetry;
  }

  configure(parameters: LvsParameters): void {
    this.#parameters = parameters;
    const { virtualServers, probes = [] } = parameters;
    if (this.#running === undefined)
      this.#rests.configure([...virtualServers, ...probes].map((each) => new Unit(each)));
    this.#running?.balancer.configure(parameters);
    this.#running?.host.configure(parameters);
    this.#openSoon();
  }

  /** The file was read again, and says the same. */
  reread(): void {
    this.#running?.balancer.reread();
    if (this.#parameters !== undefined) this.#running?.host.configure(this.#parameters);
    this.#openSoon();
  }

  verdict(verdict: NamedVerdict): void {
    this.#verdicts.set(verdict.check, verdict);
    const { check, up, reason, advice } = verdict;
    this.#running?.balancer.verdict(check, up, reason, advice);
  }

  /** Why a run of a check that goes through the balancer says nothing. */
  async doubt(check: string, elapsed: number, ok: boolean): Promise<string | undefined> {
    if (this.#running === undefined) return ok ? `any server may have answered: ${this.#trouble}` : undefined;
    return this.#running.balancer.doubt(check, elapsed, ok);
  }

  forget(check: string): void {
    this.#verdicts.delete(check);
    this.#running?.balancer.forget(check);
  }

  instance(name: string, state: StateName): void {
    this.#instances.set(name, state);
    if (this.#running === undefined) this.#rests.instance(name, state);
    this.#running?.balancer.instance(name, state);
    this.#running?.host.instance(name, state);
  }

  admin(entries: readonly AdminEntry[]): void {
    this.#admin = entries;
    this.#running?.balancer.admin(entries);
  }

  /** All of the first configuration has been told. */
  start(): void {
    this.#started = true;
    this.#openSoon();
  }

  /** Undefined while there is nothing to balance. */
  async status(asked: ChecksQuestion["virtualServers"]): Promise<LvsStatus | undefined> {
    if (this.#parameters === undefined || asked === "none") return undefined;
    if (this.#running === undefined) return silentLvs(this.#parameters, asked, this.#trouble, this.#since);
    const { balancer, host } = this.#running;
    const table = await balancer.status();
    const wanted =
      asked === "all" ? table.virtual_servers : table.virtual_servers.filter(({ name }) => name === asked.name);
    return { ...table, ...host.status(), virtual_servers: wanted };
  }

  /**
   * `inOrder`: the daemon stops, and the table is left as the configuration wants it. Otherwise it stays as it is, for the
   * next process to go on with.
   */
  async stop(inOrder: boolean): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#retry);
    const running = this.#running;
    if (running === undefined) return;
    // Together: a sync daemon may take its time to send what it keeps.
    if (inOrder) await Promise.all([running.balancer.stop(), running.host.stop()]);
    running.port.close();
  }

  #openSoon(): void {
    if (!this.#started || this.#parameters === undefined || this.#opening || this.#running !== undefined) return;
    this.#opening = true;
    void this.#open();
  }

  async #open(): Promise<void> {
    const { open = openIpvs, log } = this.#options;
    const raced = (what: string) => log("info", `${what}: somebody changed the table meanwhile, it is read again`);
    try {
      const port = await open({ raced });
      this.#opening = false;
      if (this.#stopping) port.close();
      else this.#run(port);
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error));
    }
  }

  #run(port: IpvsPort): void {
    const { event, log, rest, runtimeDirectory: directory } = this.#options;
    const balancer = new Balancer({
      port,
      event: (told) => event(told),
      rest: (checks) => rest?.(checks),
      ...(directory === undefined ? {} : { note: new NoteFile(tableNote(directory)) }),
    });
    const host = new LvsHost({
      port,
      surroundings: this.#options.surroundings ?? thisHost,
      ...(directory === undefined ? {} : { noteFile: lvsNote(directory) }),
      event: (told) => event(told),
      log: (level, message) => log(level, message),
    });
    this.#running = { port, balancer, host };
    if (this.#retry !== undefined) log("info", "the load balancer of the kernel can be reached now");
    for (const { check, up, reason, advice } of this.#verdicts.values()) balancer.verdict(check, up, reason, advice);
    for (const [name, state] of this.#instances) {
      balancer.instance(name, state);
      host.instance(name, state);
    }
    balancer.admin(this.#admin);
    if (this.#parameters !== undefined) {
      balancer.configure(this.#parameters);
      host.configure(this.#parameters);
    }
    balancer.start();
    void host.start();
  }

  /** Told once for each reason; a module may be loaded or a privilege given later. */
  #fail(message: string): void {
    this.#opening = false;
    if (this.#stopping) return;
    if (message !== this.#trouble) {
      this.#options.log("error", `nothing is balanced: ${message}; it is tried again`);
      this.#trouble = message;
      this.#since = new Date().toISOString();
    }
    // A reload may have tried before its time.
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#openSoon(), this.#delay);
    this.#delay = Math.min(2 * this.#delay, longestRetry);
  }
}
