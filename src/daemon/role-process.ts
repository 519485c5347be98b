/**
 * Keeps one child of the supervisor alive and configured: starts it, tells it what its role needs, starts it again when
 * it dies, and stops it in order. What is said beyond that belongs to the role. Nothing here waits for the child.
 */
import type { Milliseconds } from "../vrrp/parameters.ts";
import { Child } from "./child.ts";
import { Heartbeat } from "./heartbeat.ts";
import type { Log } from "./log.ts";
import type { Batch, FromChild } from "./messages.ts";
import type { ProcessState, ProcessStatus } from "./process-status.ts";
import type { Program } from "./program.ts";
import { restartDelay } from "./restart.ts";

export interface RoleProcessOptions {
  readonly program: Program;
  /** What the process does. */
  readonly log: Log;
  /** What it says. */
  readonly childLog: Log;
  /** The process is up and does its work; again after each restart. */
  onStarted(): void;
  /** It died by itself and will be started again. */
  onDeath(why: string): void;
  readonly restartDelay?: typeof restartDelay;
  /** Between two questions whether it still answers; after three without answer it is killed. */
  readonly heartbeat?: Milliseconds;
}

export interface Role<To, From> {
  /** In front of "process" in logs and status. */
  readonly name: string;
  /** There is work for it in the configuration in force. */
  needed(): boolean;
  /** Everything a new process has to be told. */
  startMessages(): readonly To[];
  receive(message: From): void;
  /** Asks for any answer; rejects when none came in time. */
  ask(): Promise<unknown>;
  /** No answer to an open question will come any more. */
  ended(why: string): void;
  /** What follows when it is killed because it did not stop, as "its leases expire". */
  readonly killed: string;
  /** It found that it can never run here, for want of privileges or of a kernel feature; its log says which. */
  hopeless(): void;
}

/** The exit code of a child that cannot run here however often it is started (EX_NOPERM). */
const cannotRun = 77;

/** For ending its work in order; a child that is no longer needed gets as long. */
export const stopLimit: Milliseconds = 5000;

export class RoleProcess<To extends { readonly type: string }, From extends { readonly type: string }> {
  readonly #options: RoleProcessOptions;
  readonly #role: Role<To, From>;
  readonly #restartDelay: typeof restartDelay;
  #child: Child<To | { readonly type: "stop" }, FromChild | From | Batch<FromChild | From>> | undefined;
  /** The configuration is known. */
  #configured = false;
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
  #early: (FromChild & { readonly type: "log" })[] = [];
  #heartbeat: Heartbeat | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #killed = false;

  constructor(options: RoleProcessOptions, role: Role<To, From>) {
    this.#options = options;
    this.#role = role;
    this.#restartDelay = options.restartDelay ?? restartDelay;
  }

  get state(): ProcessState {
    return this.#state;
  }

  /** Starts the process before there is a configuration: it loads while the file is read and checked. */
  prepare(): void {
    if (this.#child === undefined) this.#fork();
  }

  /**
   * The configuration is there, or another one; `messages` take a running process to it. One that is down or loading
   * is told everything when it is ready.
   */
  settle(messages: readonly To[]): void {
    const early = this.#early.splice(0);
    this.#configured = true;
    if (this.#needed() && this.#child !== undefined) for (const message of early) this.#receive(message);
    this.#settle(messages);
  }

  /** To a process that runs; false when there is none. */
  send(message: To): boolean {
    if (this.#child === undefined || this.#state !== "running") return false;
    this.#child.send(message);
    return true;
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

  /** Lets the process end its work; kills it when that takes longer than `limit`. True when it ended in order. */
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
    this.#tellToStop(limit);
    await ended;
    return !this.#killed;
  }

  #settle(messages: readonly To[]): void {
    if (this.#stopping) return;
    const needed = this.#needed();
    if (this.#child === undefined) {
      if (needed && this.#restart === undefined) this.#fork();
      if (!needed) this.#rest();
      return;
    }
    // On its way out: its end decides whether another is needed.
    if (this.#state === "stopping") return;
    if (!needed) this.#tellToStop(stopLimit);
    else if (this.#ready) for (const message of messages) this.#child.send(message);
  }

  #needed(): boolean {
    return !this.#stopping && this.#configured && this.#role.needed();
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
      said: (line) => this.#options.log.error(`the ${this.#role.name} process says: ${line}`),
      end: (why, code) => this.#ended(why, code),
    });
  }

  #tellToStop(limit: Milliseconds): void {
    this.#heartbeat?.stop();
    this.#enter("stopping");
    this.#child?.send({ type: "stop" });
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => {
      this.#killed = true;
      const { name, killed } = this.#role;
      this.#options.log.error(`the ${name} process did not stop within ${limit / 1000} s and is killed: ${killed}`);
      this.#child?.kill("SIGKILL");
    }, limit);
  }

  #receive(message: FromChild | From | Batch<FromChild | From>): void {
    if (isBatch(message)) for (const each of message.messages) this.#receive(each);
    else if (isFromChild(message)) this.#hear(message);
    else this.#role.receive(message);
  }

  #hear(message: FromChild): void {
    switch (message.type) {
      case "ready":
        this.#ready = true;
        // Without a configuration yet, `settle` will send it.
        if (this.#configured && this.#state === "starting") this.#settle(this.#role.startMessages());
        return;
      case "started":
        if (this.#state !== "starting") return;
        this.#enter("running");
        this.#watch();
        this.#options.onStarted();
        return;
      case "log": {
        const { level, instance, fields } = message;
        if (!this.#configured) this.#early.push(message);
        else
          this.#options.childLog[level](message.message, {
            ...fields,
            ...(instance === undefined ? {} : { instance }),
          });
        return;
      }
      case "stopped":
        // Its exit follows, and decides.
        return;
      default:
        message satisfies never;
    }
  }

  #watch(): void {
    this.#heartbeat = new Heartbeat({
      interval: this.#options.heartbeat ?? 5000,
      misses: 3,
      ask: () => this.#role.ask(),
      onSilence: () => {
        this.#options.log.error(`the ${this.#role.name} process does not answer any more and is killed`);
        this.#child?.kill("SIGKILL");
      },
    });
  }

  #ended(why: string, code: number | null): void {
    const { name } = this.#role;
    this.#heartbeat?.stop();
    clearTimeout(this.#deadline);
    const asked = this.#state === "stopping";
    this.#child = undefined;
    this.#lastEnd = why;
    this.#role.ended(`the ${name} process ${why}`);
    this.#onEnd?.();
    if (!this.#needed()) {
      this.#rest();
      return;
    }
    if (code === cannotRun) {
      this.#rest();
      this.#role.hopeless();
      return;
    }
    if (asked) {
      this.#fork();
      return;
    }
    this.#delay = this.#restartDelay(this.#delay, performance.now() - this.#forkedAt);
    this.#restarts += 1;
    const when = this.#delay === 0 ? "at once" : `in ${this.#delay / 1000} s`;
    this.#options.log.error(`the ${name} process ${why}; it is started again ${when}`);
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

function isBatch<M extends { readonly type: string }>(message: M | Batch<M>): message is Batch<M> {
  return message.type === "batch";
}

const fromChild: Readonly<Record<FromChild["type"], true>> = { ready: true, started: true, log: true, stopped: true };

function isFromChild(message: { readonly type: string }): message is FromChild {
  return Object.hasOwn(fromChild, message.type);
}
