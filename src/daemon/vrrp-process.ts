/**
 * Keeps the VRRP process alive and configured: starts it, tells it the configuration, starts it again when it dies,
 * and stops it in order. Nothing here waits for the child.
 */
import type { Config } from "../config/config.ts";
import type { ConfigDiff } from "../config/diff.ts";
import type { Milliseconds } from "../vrrp/parameters.ts";
import type { VrrpEvent } from "../vrrp/status.ts";
import { Child } from "./child.ts";
import { Heartbeat } from "./heartbeat.ts";
import type { Log } from "./log.ts";
import type { FromVrrp, ToVrrp } from "./messages.ts";
import type { ProcessState, ProcessStatus } from "./process-status.ts";
import type { Program } from "./program.ts";
import { reloadMessages, startMessages } from "./reload-plan.ts";
import { restartDelay } from "./restart.ts";
import { NoAnswer, StatusRequests, type VrrpReply } from "./status-requests.ts";

export interface VrrpProcessOptions {
  readonly program: Program;
  /** What the process does. */
  readonly log: Log;
  /** What it says. */
  readonly childLog: Log;
  /** The process is up and every instance runs; again after each restart. */
  onStarted(): void;
  onEvent(event: VrrpEvent): void;
  /** It died by itself and will be started again. */
  onDeath(why: string): void;
  /** It found that it can never run here, for want of privileges or of a kernel feature; its log says which. */
  onHopeless(): void;
  readonly statusLimit?: Milliseconds;
  readonly restartDelay?: typeof restartDelay;
  /** Between two questions whether it still answers; after three without answer it is killed. */
  readonly heartbeat?: Milliseconds;
}

/** The exit code of a child that cannot run here however often it is started (EX_NOPERM). */
const cannotRun = 77;

/** For giving up every role; a child that is no longer needed gets as long. */
export const stopLimit: Milliseconds = 5000;

export class VrrpProcess {
  readonly #options: VrrpProcessOptions;
  readonly #requests: StatusRequests;
  readonly #restartDelay: typeof restartDelay;
  #config: Config | undefined;
  #child: Child | undefined;
  #state: ProcessState = "not needed";
  #since = new Date();
  #forkedAt = 0;
  #ready = false;
  #delay: Milliseconds | undefined;
  #restart: NodeJS.Timeout | undefined;
  #restarts = 0;
  #lastEnd: string | undefined;
  #stopping = false;
  #onEnd: (() => void) | undefined;
  /** Said before it was known whether the process is needed. */
  #early: (FromVrrp & { readonly type: "log" })[] = [];
  #heartbeat: Heartbeat | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #killed = false;

  constructor(options: VrrpProcessOptions) {
    this.#options = options;
    this.#requests = new StatusRequests(options.statusLimit ?? 2000);
    this.#restartDelay = options.restartDelay ?? restartDelay;
  }

  /** Starts the process before there is a configuration: it loads while the file is read and checked. */
  prepare(): void {
    if (this.#child === undefined) this.#fork();
  }

  /** The first configuration. */
  configure(config: Config): void {
    this.#config = config;
    const early = this.#early.splice(0);
    if (this.#needed() && this.#child !== undefined) for (const message of early) this.#receive(message);
    this.#settle(startMessages(config));
  }

  /** A later configuration, and its difference to the last. A process that is down or loading gets it whole when it is ready. */
  change(config: Config, diff: ConfigDiff): void {
    this.#config = config;
    this.#settle(reloadMessages(diff, config));
  }

  status(instance: string | undefined): Promise<VrrpReply> {
    const child = this.#child;
    if (child === undefined || this.#state !== "running") {
      return Promise.reject(new NoAnswer(`the vrrp process is ${this.#state}`));
    }
    return this.#requests.ask((message) => child.send(message), instance);
  }

  describe(): ProcessStatus {
    return {
      state: this.#state,
      pid: this.#child?.pid ?? null,
      restarts: this.#restarts,
      since: this.#since.toISOString(),
      last_end: this.#lastEnd ?? null,
    };
  }

  /** Lets the process give up its roles; kills it when that takes longer than `limit`. True when it ended in order. */
  async stop(limit: Milliseconds): Promise<boolean> {
    this.#stopping = true;
    clearTimeout(this.#restart);
    const child = this.#child;
    if (child === undefined) {
      this.#enter("stopped");
      return true;
    }
    const ended = new Promise<void>((resolve) => {
      this.#onEnd = resolve;
    });
    this.#tellToStop(child, limit);
    await ended;
    return !this.#killed;
  }

  /** Brings the process to what the configuration asks for; `messages` take a running one there. */
  #settle(messages: readonly ToVrrp[]): void {
    if (this.#stopping) return;
    const needed = this.#needed();
    if (this.#child === undefined) {
      if (needed && this.#restart === undefined) this.#fork();
      if (!needed) this.#rest();
      return;
    }
    // On its way out: its end decides whether another is needed.
    if (this.#state === "stopping") return;
    if (!needed) this.#tellToStop(this.#child, stopLimit);
    else if (this.#ready) for (const message of messages) this.#child.send(message);
  }

  #needed(): boolean {
    return !this.#stopping && this.#config !== undefined && this.#config.instances.length > 0;
  }

  #rest(): void {
    clearTimeout(this.#restart);
    this.#restart = undefined;
    this.#delay = undefined;
    this.#enter(this.#stopping ? "stopped" : "not needed");
  }

  #fork(): void {
    this.#restart = undefined;
    this.#ready = false;
    this.#forkedAt = performance.now();
    this.#enter("starting");
    this.#child = new Child(this.#options.program, {
      message: (message) => this.#receive(message),
      said: (line) => this.#options.log.error(`the vrrp process says: ${line}`),
      end: (why, code) => this.#ended(why, code),
    });
  }

  #tellToStop(child: Child, limit: Milliseconds): void {
    this.#heartbeat?.stop();
    this.#enter("stopping");
    child.send({ type: "stop" });
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => {
      this.#killed = true;
      this.#options.log.error(
        `the vrrp process did not stop within ${limit / 1000} s and is killed: its leases expire`,
      );
      child.kill("SIGKILL");
    }, limit);
  }

  #receive(message: FromVrrp): void {
    const { childLog, onEvent, onStarted } = this.#options;
    switch (message.type) {
      case "ready":
        this.#ready = true;
        // Without a configuration yet, `configure` will send it.
        if (this.#config !== undefined && this.#state === "starting") this.#settle(startMessages(this.#config));
        return;
      case "started":
        if (this.#state !== "starting") return;
        this.#enter("running");
        this.#watch();
        onStarted();
        return;
      case "log": {
        const { level, instance, fields } = message;
        if (this.#config === undefined) this.#early.push(message);
        else childLog[level](message.message, { ...fields, ...(instance === undefined ? {} : { instance }) });
        return;
      }
      case "event":
        onEvent(message.event);
        return;
      case "status":
      case "status-end":
        this.#requests.receive(message);
        return;
      case "batch":
        for (const each of message.messages) this.#receive(each);
        return;
      case "stopped":
        // Its exit follows, and decides.
        return;
      default:
        message satisfies never;
    }
  }

  #watch(): void {
    const interval = this.#options.heartbeat ?? 5000;
    this.#heartbeat = new Heartbeat({
      interval,
      misses: 3,
      // No instance has an empty name: the answer is the shortest there is.
      ask: () => this.status(""),
      onSilence: () => {
        this.#options.log.error("the vrrp process does not answer any more and is killed");
        this.#child?.kill("SIGKILL");
      },
    });
  }

  #ended(why: string, code: number | null): void {
    this.#heartbeat?.stop();
    clearTimeout(this.#deadline);
    const asked = this.#state === "stopping";
    this.#child = undefined;
    this.#lastEnd = why;
    this.#requests.fail(`the vrrp process ${why}`);
    this.#onEnd?.();
    if (!this.#needed()) {
      this.#rest();
      return;
    }
    if (code === cannotRun) {
      this.#rest();
      this.#options.onHopeless();
      return;
    }
    if (asked) {
      this.#fork();
      return;
    }
    this.#delay = this.#restartDelay(this.#delay, performance.now() - this.#forkedAt);
    this.#restarts += 1;
    const when = this.#delay === 0 ? "at once" : `in ${this.#delay / 1000} s`;
    this.#options.log.error(`the vrrp process ${why}; it is started again ${when}`);
    this.#options.onDeath(why);
    if (this.#delay === 0) {
      this.#fork();
    } else {
      this.#enter("restarting");
      this.#restart = setTimeout(() => this.#fork(), this.#delay);
    }
  }

  #enter(state: ProcessState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#since = new Date();
  }
}
