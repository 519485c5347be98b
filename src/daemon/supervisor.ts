/** The daemon's parent process: reads the file, keeps the VRRP process running, serves status, obeys signals. */
import { existsSync } from "node:fs";
import type { Config } from "../config/config.ts";
import type { Milliseconds } from "../vrrp/parameters.ts";
import { Bulletin } from "./bulletin.ts";
import { ChecksProcess, type ChecksProcessOptions } from "./checks-process.ts";
import type { Load } from "./configuration.ts";
import type { Control } from "./control.ts";
import { InForce } from "./in-force.ts";
import { acquireLock, type Lock, LockError, refuseSecond } from "./lock.ts";
import type { Log } from "./log.ts";
import { Maintenance } from "./maintenance.ts";
import { controlSocket, lvsNote, maintenanceNote, serversNote, tableNote } from "./paths.ts";
import type { Program } from "./program.ts";
import { Coalescer } from "./reload.ts";
import { describeDiff, hasWork } from "./reload-plan.ts";
import { stopLimit } from "./role-process.ts";
import { ServerAdmin } from "./server-admin.ts";
import { ServerOrders } from "./server-orders.ts";
import type { ReloadStatus } from "./status.ts";
import { type Notifier, openNotifier } from "./systemd.ts";
import { type StatusSources, tellStatus } from "./tell-status.ts";
import { VrrpProcess, type VrrpProcessOptions } from "./vrrp-process.ts";

export interface SupervisorOptions {
  readonly version: string;
  readonly configFile: string;
  readonly runtimeDirectory: string;
  readonly load: Load;
  readonly log: Log;
  readonly vrrpProgram: Program;
  readonly checksProgram: Program;
  readonly environment: NodeJS.ProcessEnv;
  /** The daemon cannot do its work here: whoever runs it should stop it. */
  onHopeless(why: string): void;
  /** How long the VRRP process may take to give up its roles. */
  readonly stopLimit?: Milliseconds;
  /** How long scripts and webhooks may take to be told of the end. */
  readonly notifyLimit?: Milliseconds;
  readonly vrrp?: Pick<VrrpProcessOptions, "statusLimit" | "restartDelay" | "heartbeat">;
  readonly checks?: Pick<ChecksProcessOptions, "statusLimit" | "restartDelay" | "heartbeat">;
}

export type StartResult =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: "problems"; readonly problems: readonly string[] }
  | { readonly ok: false; readonly reason: "refused"; readonly message: string };

const notifyLimit: Milliseconds = 5000;

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #log: Log;
  readonly #bulletin: Bulletin;
  readonly #vrrp: VrrpProcess;
  readonly #checks: ChecksProcess;
  readonly #maintenance: Maintenance;
  readonly #servers: ServerAdmin;
  readonly #reloads = new Coalescer(() => this.#reload());
  readonly #stopping = new AbortController();
  readonly #started = new Date();
  readonly #inForce: InForce;
  #lock: Lock | undefined;
  #control: Control | undefined;
  #notifier: Notifier | undefined;
  #announced = false;
  #stopped: Promise<boolean> | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#bulletin = new Bulletin(options.log, options.version, {
      roles: (text) => this.#notifier?.status(text),
      instance: (name, state) => this.#checks.instance(name, state),
    });
    const { childLog } = this.#bulletin;
    this.#maintenance = new Maintenance(maintenanceNote(options.runtimeDirectory), this.#log, () => this.#enforce());
    this.#servers = new ServerAdmin(serversNote(options.runtimeDirectory), this.#log, {
      changed: () => this.#checks.tellAdmin(),
      told: (message) => this.#bulletin.daemon("operator", message),
    });
    this.#inForce = new InForce(options.configFile, (config) => this.#maintenance.apply(config));
    this.#vrrp = new VrrpProcess({
      program: options.vrrpProgram,
      log: this.#log,
      childLog,
      verdicts: () => this.#checks.verdicts(),
      onStarted: () => this.#announceReady(),
      onEvent: (event) => this.#bulletin.vrrp(event),
      onHopeless: () => options.onHopeless("the vrrp process cannot run here"),
      onDeath: (why) => this.#bulletin.vrrpDied(why),
      ...options.vrrp,
    });
    this.#checks = new ChecksProcess({
      program: options.checksProgram,
      log: this.#log,
      childLog,
      onStarted: () => {},
      onLvsEvent: (event) => this.#bulletin.lvs(event),
      instances: () => this.#bulletin.instances(),
      admin: () => this.#servers.entries,
      leftBehind: () => [lvsNote, tableNote].some((note) => existsSync(note(options.runtimeDirectory))),
      onChange: (verdict, before) => {
        if (verdict.up !== before.up) this.#vrrp.verdict(verdict);
        this.#bulletin.check(verdict, before);
      },
      onDeath: (why) => this.#bulletin.daemon("process", `the checks process ${why}`),
      ...options.checks,
    });
  }

  async start(): Promise<StartResult> {
    const { runtimeDirectory, configFile, load } = this.#options;
    try {
      this.#lock = acquireLock(runtimeDirectory);
      // Node and our code load in the child while the file is read here: half of the start-up time.
      this.#vrrp.prepare();
      await refuseSecond(controlSocket(runtimeDirectory));
    } catch (error) {
      if (!(error instanceof LockError)) throw error;
      await this.#abandon();
      return { ok: false, reason: "refused", message: error.message };
    }
    const result = await load(configFile);
    if (!result.ok) {
      await this.#abandon();
      return { ok: false, reason: "problems", problems: result.problems };
    }
    for (const warning of result.warnings) this.#log.warn(warning);
    this.#maintenance.load();
    this.#servers.load();
    const { diff } = this.#inForce.adopt(result.config);
    const { checks, lvs } = result.config;
    this.#log.info(`viprd ${this.#options.version} started with ${contents(result.config)} from ${configFile}`);
    this.#servers.compare(lvs);
    this.#checks.adopt(checks);
    this.#vrrp.configure(this.#inForce.config);
    this.#checks.settle(diff, result.config);
    // Nothing that the VRRP process has to tell is read before this turn of the loop ends.
    this.#bulletin.adopt(result.config);
    // What the child does not wait for comes after it has been told.
    this.#notifier = await openNotifier(this.#options.environment, this.#log);
    await this.#listen();
    this.#announceReady();
    return { ok: true };
  }

  /** Reads the file again. What is wrong in it is told, and nothing changes. */
  reload(): Promise<void> {
    return this.#reloads.request();
  }

  /** Ends in order: roles are given up first, then the rest. Later calls wait for the first. */
  stop(why: string): Promise<boolean> {
    this.#stopped ??= this.#stop(why);
    return this.#stopped;
  }

  async #stop(why: string): Promise<boolean> {
    this.#log.info(`stopping: ${why}`);
    this.#notifier?.stopping();
    this.#maintenance.close();
    this.#servers.close();
    const limit = this.#options.stopLimit ?? stopLimit;
    const roles = this.#vrrp.stop(limit);
    // The table serves until the roles are given up. Otherwise together: scripts take their time to end.
    if (this.#checks.balances) await roles;
    const ends = await Promise.all([roles, this.#checks.stop(limit)]);
    const orderly = ends.every((ended) => ended);
    await this.#bulletin.notify.stop("viprd is stopping", this.#options.notifyLimit ?? notifyLimit);
    this.#stopping.abort();
    await this.#control?.close();
    this.#notifier?.close();
    this.#lock?.release();
    this.#log.info("stopped");
    return orderly;
  }

  /** The prepared child has touched nothing yet. */
  async #abandon(): Promise<void> {
    await this.#vrrp.stop(1000);
    this.#lock?.release();
  }

  async #listen(): Promise<void> {
    if (this.#stopped !== undefined) return;
    try {
      const { openControl } = await import("./control.ts");
      this.#control = await openControl(controlSocket(this.#options.runtimeDirectory), {
        events: this.#bulletin.events,
        stopping: this.#stopping.signal,
        instanceNames: () => this.#inForce.config.instances.map(({ name }) => name),
        virtualServerNames: () => this.#inForce.config.lvs?.virtualServers.map(({ name }) => name) ?? [],
        status: (scope) => tellStatus(this.#sources(), scope),
        maintenance: this.#maintenance,
        orders: new ServerOrders({
          lvs: () => this.#inForce.config.lvs,
          verdictOf: (check) => this.#checks.verdict(check),
          admin: this.#servers,
        }),
        notReady: () => this.#notReady() ?? this.#checks.notReady(),
      });
    } catch (error) {
      // Failing over matters more than telling about it.
      this.#log.error(`no control interface: ${messageOf(error)}`);
    }
  }

  #sources(): StatusSources {
    return {
      version: this.#options.version,
      started: this.#started,
      inForce: this.#inForce,
      vrrp: this.#vrrp,
      checks: this.#checks,
      bulletin: this.#bulletin,
    };
  }

  #notReady(): string | undefined {
    const { state } = this.#vrrp.describe();
    return state === "running" || !hasWork(this.#inForce.config) ? undefined : `the vrrp process is ${state}`;
  }

  #announceReady(): void {
    if (this.#notifier === undefined || this.#notReady() !== undefined) return;
    if (!this.#announced) this.#log.info("ready");
    this.#announced = true;
    this.#notifier.ready();
  }

  async #reload(): Promise<void> {
    if (this.#stopped !== undefined) return;
    const { configFile, load } = this.#options;
    this.#notifier?.reloading();
    try {
      const result = await load(configFile);
      if (result.ok) {
        for (const warning of result.warnings) this.#log.warn(warning);
        this.#adopt(result.config);
      } else this.#refuse(result.problems);
    } catch (error) {
      this.#refuse([messageOf(error)]);
    }
    this.#notifier?.ready();
  }

  /** What is out of service changed. */
  #enforce(): void {
    const diff = this.#inForce.enforce();
    this.#vrrp.change(this.#inForce.config, diff);
  }

  #adopt(loaded: Config): void {
    const { diff, waiting } = this.#inForce.adopt(loaded);
    const { config } = this.#inForce;
    this.#bulletin.adopt(config);
    // Before the instances that may ask for them.
    for (const verdict of this.#checks.adopt(config.checks)) this.#vrrp.verdict(verdict);
    this.#vrrp.change(config, diff);
    this.#checks.settle(diff, config);
    const message = describeDiff(diff);
    this.#log.info(`reloaded ${this.#options.configFile}: ${message}`);
    this.#servers.compare(config.lvs);
    if (waiting.length > 0) this.#log.warn(`changed, but needs a restart of viprd: ${waiting.join(", ")}`);
    this.#finishReload({ ok: true, message, problems: [], needs_restart: waiting });
  }

  #refuse(problems: readonly string[]): void {
    for (const problem of problems) this.#log.error(problem);
    const message = `refused, ${count(problems.length, "problem")}: the configuration in force stays`;
    this.#log.error(`reload of ${this.#options.configFile} ${message}`);
    this.#finishReload({ ok: false, message, problems, needs_restart: [] });
  }

  #finishReload(outcome: Omit<ReloadStatus, "at">): void {
    this.#inForce.reloaded(outcome);
    this.#bulletin.daemon("reload", outcome.message);
  }
}

/** "2 instances", "1 instance and 3 virtual servers" */
function contents({ instances, lvs }: Config): string {
  const virtualServers = lvs?.virtualServers.length ?? 0;
  const balanced = virtualServers === 0 ? "" : count(virtualServers, "virtual server");
  if (instances.length === 0 && balanced !== "") return balanced;
  return `${count(instances.length, "instance")}${balanced === "" ? "" : ` and ${balanced}`}`;
}

function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? "" : "s"}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
