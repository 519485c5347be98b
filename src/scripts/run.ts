/**
 * Runs programs for health checks and notifications: without a shell, as another user, in a process group of their own
 * that is ended as a whole when the time is up. Starting one stops this process for some milliseconds, so the VRRP
 * process never does.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { Readable } from "node:stream";
import { inheritNothing } from "../socket/scheduling.ts";
import type { Account } from "./accounts.ts";
import type { Argv } from "./command.ts";
import { findProgram, interpreterIn, searchPath } from "./host.ts";
import { Lingering } from "./lingering.ts";
import { OutputTail } from "./output-tail.ts";
import { isExhausted, notRun, type RunResult } from "./result.ts";

export interface RunOptions {
  readonly argv: Argv;
  readonly account: Account;
  /** Added to the few variables that every program gets. */
  readonly environment?: Readonly<Record<string, string>>;
  /** For its standard input; without it that is empty. */
  readonly input?: string;
  /** Milliseconds it may take. Then its process group gets SIGTERM, and SIGKILL after `grace`. */
  readonly timeout: number;
  /** Milliseconds; 2000 unless given. */
  readonly grace?: number;
  /** Bytes kept of what it prints, from the end; 4096 unless given. */
  readonly outputLimit?: number;
  /** Ends it as the timeout does. */
  readonly signal?: AbortSignal;
}

/** A program that does not go away after SIGKILL hangs in the kernel: it is not waited for. */
const afterKill = 1000;
/** What a program prints arrives a little after the news of its end. */
const outputDelay = 100;
const groupPoll = 20;

export class Runner {
  readonly #running = new Set<Execution>();
  readonly #lingering = new Lingering();
  #closed = false;

  /** Never rejects: what cannot be run is a result like any other. */
  run(options: RunOptions): Promise<RunResult> {
    if (this.#closed) return Promise.resolve(notRun("viprd is stopping"));
    if (options.signal?.aborted === true)
      return Promise.resolve({ ...notRun("it is not wanted any more"), aborted: true });
    const path = findProgram(options.argv[0]);
    if (path === undefined) return Promise.resolve(notRun(`there is no program ${options.argv[0]} in ${searchPath}`));
    return new Promise((resolve) => {
      const execution = new Execution(path, options, this.#lingering, (result) => {
        this.#running.delete(execution);
        resolve(result);
      });
      this.#running.add(execution);
      execution.start();
    });
  }

  get running(): number {
    return this.#running.size;
  }

  /** Ends what runs, with `grace` in place of its own, and starts nothing any more; settles when all of it is gone. */
  async close(grace?: number): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#running].map((execution) => execution.abort(grace)));
    this.#lingering.close();
  }
}

class Execution {
  readonly #path: string;
  readonly #options: RunOptions;
  readonly #lingering: Lingering;
  readonly #finish: (result: RunResult) => void;
  readonly #tail: OutputTail;
  readonly #done: Promise<void>;
  #settle: () => void = () => {};
  #process: ChildProcess | undefined;
  #startedAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #why: "timeout" | "abort" | undefined;
  #killed = false;
  #finished = false;
  readonly #onAbort = (): void => this.#end("abort");

  constructor(path: string, options: RunOptions, lingering: Lingering, finish: (result: RunResult) => void) {
    this.#path = path;
    this.#options = options;
    this.#lingering = lingering;
    this.#finish = finish;
    this.#tail = new OutputTail(options.outputLimit ?? 4096);
    this.#done = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  start(): void {
    this.#startedAt = performance.now();
    try {
      this.#process = inheritNothing(() => this.#spawn());
    } catch (error) {
      // Arguments that are too long, or no memory for another process.
      const why = error instanceof Error ? error.message : String(error);
      this.#complete(notRun(why, isExhausted(error)));
      return;
    }
    const child = this.#process;
    child.on("error", (error: NodeJS.ErrnoException) => {
      if (child.pid === undefined) this.#complete(notRun(this.#whyNot(error), isExhausted(error)));
    });
    child.on("exit", (code, signal) => this.#exited(code, signal));
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk: Uint8Array) => this.#tail.append(chunk));
      stream?.on("error", () => {
        // What it could not print is not worth its result.
      });
    }
    child.stdin?.on("error", () => {
      // It does not read what it is given: its own affair.
    });
    child.stdin?.end(this.#options.input ?? "");
    if (child.pid === undefined) return;
    this.#timer = setTimeout(() => this.#end("timeout"), this.#options.timeout);
    this.#options.signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  abort(grace?: number): Promise<void> {
    this.#end("abort", grace);
    return this.#done;
  }

  #spawn(): ChildProcess {
    const { argv, account } = this.#options;
    const [, ...rest] = argv;
    // With these given, supplementary groups are dropped as well; setting one's own again would need a privilege.
    const switches = account.uid !== process.getuid?.() || account.gid !== process.getgid?.();
    return spawn(this.#path, rest, {
      cwd: "/",
      env: { ...basicEnvironment(process.env, account), ...this.#options.environment },
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
      ...(switches ? { uid: account.uid, gid: account.gid } : {}),
    });
  }

  #end(why: "timeout" | "abort", grace = this.#options.grace ?? 2000): void {
    if (this.#why !== undefined || this.#finished) return;
    this.#why = why;
    this.#signalGroup("SIGTERM");
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#killed = true;
      const refused = this.#signalGroup("SIGKILL");
      this.#timer = setTimeout(() => {
        const why = refused ?? "it hangs in the kernel";
        this.#complete(this.#result(null, null, `does not end, not even by SIGKILL: ${why}`));
      }, afterKill);
    }, grace);
  }

  /** Undefined when the signal was sent, or nobody is left to get it. */
  #signalGroup(signal: NodeJS.Signals | 0): string | undefined {
    const pid = this.#process?.pid;
    if (pid === undefined) return undefined;
    try {
      process.kill(-pid, signal);
      return undefined;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      return code === "ESRCH" ? undefined : code === "EPERM" ? "EPERM (needs CAP_KILL)" : String(error);
    }
  }

  #exited(code: number | null, signal: NodeJS.Signals | null): void {
    const duration = performance.now() - this.#startedAt;
    const complete = () => this.#complete({ ...this.#result(code, signal, null), duration });
    if (this.#why !== undefined) {
      this.#endGroup(complete);
      return;
    }
    clearTimeout(this.#timer);
    // What it left running in the background is its own affair, and may hold the streams for ever.
    const child = this.#process;
    const timer = setTimeout(complete, outputDelay);
    child?.on("close", () => {
      clearTimeout(timer);
      complete();
    });
  }

  /** The others of the group get the rest of the grace, too. */
  #endGroup(complete: () => void): void {
    if (this.#killed || !this.#groupLives()) {
      clearTimeout(this.#timer);
      complete();
      return;
    }
    setTimeout(() => this.#endGroup(complete), groupPoll);
  }

  #groupLives(): boolean {
    const pid = this.#process?.pid;
    if (pid === undefined) return false;
    try {
      process.kill(-pid, 0);
      return true;
    } catch {
      // ESRCH: nobody. EPERM: somebody whom no signal of ours reaches.
      return false;
    }
  }

  #result(exitCode: number | null, signal: string | null, error: string | null): RunResult {
    return {
      ok: exitCode === 0 && this.#why === undefined && error === null,
      exitCode,
      signal,
      timedOut: this.#why === "timeout",
      aborted: this.#why === "abort",
      duration: performance.now() - this.#startedAt,
      output: this.#tail.text(),
      error,
    };
  }

  #complete(result: RunResult): void {
    if (this.#finished) return;
    this.#finished = true;
    clearTimeout(this.#timer);
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    const child = this.#process;
    if (child !== undefined) {
      child.stdin?.destroy();
      // None, where there was no descriptor left for it, whatever the type says.
      for (const stream of [child.stdout, child.stderr]) if (stream instanceof Readable) this.#lingering.keep(stream);
    }
    this.#settle();
    this.#finish(result);
  }

  #whyNot(error: NodeJS.ErrnoException): string {
    const { account } = this.#options;
    const path = this.#path;
    switch (error.code) {
      case "ENOENT": {
        const interpreter = interpreterIn(path);
        if (interpreter !== undefined) return `the #! line of ${path} names ${interpreter}, which does not exist`;
        return existsSync(path) ? `the loader that ${path} needs does not exist` : `there is no ${path}`;
      }
      case "EACCES":
        return `${account.name} may not run ${path}: EACCES (not executable, or a folder on the way is closed to ${account.name})`;
      case "EPERM":
        return `it cannot run as ${account.name}: EPERM (needs CAP_SETUID and CAP_SETGID)`;
      case "ENOEXEC":
        return `${path} is no program that this machine can run: ENOEXEC`;
      case "EMFILE":
      case "ENFILE":
        return `too many open files (${error.code})`;
      case "EAGAIN":
        return "too many processes, or no memory for another (EAGAIN)";
      case undefined:
        return error.message;
      default:
        return `${path}: ${error.code}`;
    }
  }
}

/** Nothing of the daemon's own but language and time zone. */
function basicEnvironment(own: NodeJS.ProcessEnv, account: Account): Record<string, string> {
  const kept = Object.entries(own).filter(([name]) => /^(LANG|LC_[A-Z]+|TZ)$/.test(name));
  return {
    PATH: searchPath,
    HOME: account.home,
    USER: account.name,
    LOGNAME: account.name,
    ...Object.fromEntries(kept.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))),
  };
}
