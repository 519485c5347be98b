/** Starts and stops the sync daemons of the kernel as sync-daemon.ts decides, and tells what is in the way. */
import { NetlinkError } from "../netlink/error.ts";
import { ErrorNumber } from "../socket/errno.ts";
import type { LvsParameters, SyncDaemonParameters } from "./parameters.ts";
import type { SyncDaemonStatus } from "./status.ts";
import { difference, type SyncStep, type SyncView, syncDeadline, syncSteps } from "./sync-daemon.ts";
import type { IpvsPort, KernelSyncDaemon, SyncRole } from "./table.ts";

export interface SyncKeeperOptions {
  readonly port: Pick<IpvsPort, "syncDaemons" | "startSyncDaemon" | "stopSyncDaemon">;
  /** 0 when there is none of this name. */
  interfaceIndex(name: string): number;
  tell(level: "info" | "warn", message: string): void;
  /** Before the kernel is asked: what is started here ends with viprd, also after a kill. */
  save(started: readonly SyncRole[]): void;
}

export type SyncRequest = Pick<SyncView, "wanted" | "unwanted" | "active" | "flushUntil" | "backupOnly"> & {
  /** Servers of another address family than their service: the kernel has either these or a sync daemon. */
  readonly mixed: readonly string[];
  /** A setting has changed that only a start takes over. */
  readonly anew: boolean;
};

interface Attempt {
  readonly problem: string;
  readonly pause: number;
  readonly notBefore: number;
}

const firstPause = 1000;
const longestPause = 60_000;

export class SyncKeeper {
  readonly #options: SyncKeeperOptions;
  readonly #started = new Set<SyncRole>();
  /** Of the interfaces on which they run: one of the same name that came later is another one. */
  readonly #indexes = new Map<SyncRole, number>();
  readonly #failed = new Map<SyncRole, Attempt>();
  #running: readonly KernelSyncDaemon[] = [];
  #wanted: SyncDaemonParameters | undefined;

  constructor(options: SyncKeeperOptions) {
    this.#options = options;
  }

  /** Started by an earlier run that could not stop them. */
  recover(started: readonly SyncRole[]): void {
    for (const role of started) this.#started.add(role);
  }

  /** The file was read anew: what was refused is tried at once. */
  again(): void {
    this.#failed.clear();
  }

  /** Puts right what is not as wanted. Returns what is in the way, and when to look again. Rejects when it cannot ask. */
  async look(
    request: SyncRequest,
    now: number,
  ): Promise<{ problems: readonly string[]; deadline: number | undefined }> {
    const { wanted } = request;
    this.#wanted = wanted;
    this.#running = await this.#options.port.syncDaemons();
    this.#missed();
    const index = wanted === undefined ? 0 : this.#options.interfaceIndex(wanted.interface);
    const view = (): SyncView => ({
      ...request,
      running: this.#running,
      started: this.#started,
      outdated: this.#outdated(request.anew, index),
    });
    const problems = new Set<string>();
    let steps = syncSteps(view(), now);
    if (wanted !== undefined && index === 0) {
      problems.add(`there is no interface ${wanted.interface} for the sync daemon; it starts when the interface comes`);
      steps = withoutStarts(steps);
    }
    for (const step of steps) {
      const problem = await this.#perform(step, request, index, now);
      if (problem !== undefined) problems.add(problem);
    }
    if (steps.length > 0) this.#running = await this.#options.port.syncDaemons();
    const retries = [...this.#failed.values()].map(({ notBefore }) => notBefore);
    const again = index === 0 && wanted !== undefined ? [now + firstPause] : retries;
    const deadlines = [syncDeadline(view(), now), ...again].filter((at) => at !== undefined);
    return { problems: [...problems], deadline: deadlines.length === 0 ? undefined : Math.min(...deadlines) };
  }

  /** A master of ours that may keep changes to send. */
  get flushing(): boolean {
    return this.#started.has("master") && this.#running.some(({ role }) => role === "master");
  }

  status(): readonly SyncDaemonStatus[] {
    return this.#running.map((daemon) => ({
      role: daemon.role,
      interface: daemon.parameters.interface,
      sync_id: daemon.parameters.syncId,
      from: this.#origin(daemon),
    }));
  }

  #origin(daemon: KernelSyncDaemon): SyncDaemonStatus["from"] {
    if (this.#started.has(daemon.role)) return "viprd";
    return this.#wanted !== undefined && difference(daemon, this.#wanted) === undefined ? "found" : "other";
  }

  /** What was started here and is gone was stopped by somebody else. */
  #missed(): void {
    for (const role of [...this.#started]) {
      if (this.#running.some((daemon) => daemon.role === role)) continue;
      this.#started.delete(role);
      this.#options.save([...this.#started]);
      this.#options.tell("warn", `somebody stopped the sync ${role}`);
    }
  }

  #outdated(anew: boolean, index: number): ReadonlySet<SyncRole> {
    const outdated = new Set<SyncRole>();
    for (const { role } of this.#running) {
      const known = this.#indexes.get(role);
      if (known === undefined) this.#indexes.set(role, index);
      if (anew || (known !== undefined && known !== 0 && index !== 0 && known !== index)) outdated.add(role);
    }
    return outdated;
  }

  async #perform(step: SyncStep, request: SyncRequest, index: number, now: number): Promise<string | undefined> {
    switch (step.type) {
      case "stop":
        return this.#stop(step.role, step.reason);
      case "start":
        return this.#start(step.daemon, step.reason, request, index, now);
    }
  }

  async #stop(role: SyncRole, reason: string): Promise<string | undefined> {
    try {
      await this.#options.port.stopSyncDaemon(role);
    } catch (error) {
      // Gone already.
      if (errnoOf(error) !== ErrorNumber.ESRCH) return wordsOf(error);
    }
    this.#indexes.delete(role);
    if (this.#started.delete(role)) this.#options.save([...this.#started]);
    this.#options.tell("info", `sync ${role} stopped: ${reason}`);
    return undefined;
  }

  async #start(
    daemon: KernelSyncDaemon,
    reason: string,
    { mixed }: SyncRequest,
    index: number,
    now: number,
  ): Promise<string | undefined> {
    const { role, parameters } = daemon;
    const failed = this.#failed.get(role);
    if (failed !== undefined && now < failed.notBefore) return failed.problem;
    this.#started.add(role);
    this.#options.save([...this.#started]);
    try {
      await this.#options.port.startSyncDaemon(daemon);
    } catch (error) {
      this.#started.delete(role);
      this.#options.save([...this.#started]);
      // Somebody was faster; the next look sees what it is.
      if (errnoOf(error) === ErrorNumber.EEXIST) return undefined;
      const problem = explain(error, daemon, mixed);
      const pause = Math.min((failed?.pause ?? firstPause / 2) * 2, longestPause);
      this.#failed.set(role, { problem, pause, notBefore: now + pause });
      return problem;
    }
    this.#failed.delete(role);
    this.#indexes.set(role, index);
    const { interface: name, syncId } = parameters;
    this.#options.tell("info", `sync ${role} started on ${name} with sync id ${syncId}: ${reason}`);
    return undefined;
  }
}

/** Without the interface: what is to end ends, and what would start again anyway goes on. */
function withoutStarts(steps: readonly SyncStep[]): readonly SyncStep[] {
  const starting = new Set(steps.flatMap((step) => (step.type === "start" ? [step.daemon.role] : [])));
  return steps.filter((step) => step.type === "stop" && !starting.has(step.role));
}

/** Virtual servers some of whose servers are of another address family than their services. */
export function mixedFamilies({ virtualServers }: LvsParameters): readonly string[] {
  return virtualServers
    .filter(({ services, servers, sorryServer }) => {
      const families = [...servers, ...(sorryServer === undefined ? [] : [sorryServer])].map(({ family }) => family);
      return services.some(({ family }) => families.some((other) => other !== family));
    })
    .map(({ name }) => name);
}

function explain(error: unknown, { parameters }: KernelSyncDaemon, mixed: readonly string[]): string {
  const words = wordsOf(error);
  const { interface: name, group } = parameters;
  switch (errnoOf(error)) {
    case ErrorNumber.EINVAL:
      if (mixed.length === 0) return words;
      return `${words}: the kernel has no sync daemon beside services whose servers are of another address family (${mixed.join(", ")})`;
    case ErrorNumber.EADDRNOTAVAIL:
    case ErrorNumber.ENETUNREACH:
      return `${words}: ${name} has no ${group.includes(":") ? "IPv6" : "IPv4"} address that can be used yet, or is down`;
    case ErrorNumber.EADDRINUSE:
      return `${words}: another program has UDP port ${parameters.port}`;
    default:
      return words;
  }
}

function errnoOf(error: unknown): number | undefined {
  return error instanceof NetlinkError ? error.errno : undefined;
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
