/** Child processes of the lab: commands that run to completion, and daemons whose lines are kept. Only own pids are killed. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import type { Readable, Writable } from "node:stream";

/** Runs a command ahead of other work on this machine: the lab measures routers, and not what else is being compiled. */
export const ahead = ["nice", "-n", "-10"] as const;

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export function run(command: string, args: readonly string[], input = "", timeout = 20_000): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    const timer = setTimeout(() => child.kill("SIGKILL"), timeout);
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk;
    });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ code: code ?? 128, stdout, stderr: signal === null ? stderr : `${stderr}(ended by ${signal})` });
    });
    // A command that ends before it has read everything closes the pipe; its exit code tells the story.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}

/** As `run`, but a non-zero exit is an error that shows what was asked and what was answered. */
export async function must(command: string, args: readonly string[], input = "", timeout = 20_000): Promise<string> {
  const { code, stdout, stderr } = await run(command, args, input, timeout);
  if (code === 0) return stdout;
  throw new Error(
    `${command} ${args.join(" ")}: exit ${code}\n${stderr}${stdout}${input === "" ? "" : `input:\n${input}`}`,
  );
}

export interface Line {
  /** Wall clock in milliseconds, when this process read it. */
  readonly at: number;
  readonly text: string;
}

const living = new Set<Child>();
process.on("exit", () => {
  for (const child of living) child.signal("SIGKILL");
});

/** A process that runs until it is told to stop. Lines of stdout and stderr are kept in one list. */
export class Child {
  readonly pid: number;
  readonly name: string;
  readonly lines: Line[] = [];
  readonly startedAt = Date.now();
  readonly stdin: Writable;
  readonly exited: Promise<{ readonly code: number | null; readonly at: number }>;
  #ended = false;
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #listeners = new Set<() => void>();

  /** `raw` takes stdout as bytes; without it stdout is read as lines. */
  constructor(name: string, command: string, args: readonly string[], raw?: (chunk: Buffer) => void) {
    this.name = name;
    this.#process = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
    this.pid = this.#process.pid ?? -1;
    this.stdin = this.#process.stdin;
    this.stdin.on("error", () => undefined);
    living.add(this);
    if (raw === undefined) this.#keepLines(this.#process.stdout);
    else this.#process.stdout.on("data", raw);
    this.#keepLines(this.#process.stderr);
    this.#process.on("error", (error) => this.#add(`cannot start: ${error.message}`));
    this.exited = new Promise((resolve) => {
      this.#process.on("close", (code) => {
        this.#ended = true;
        living.delete(this);
        resolve({ code, at: Date.now() });
        this.#wake();
      });
    });
  }

  get ended(): boolean {
    return this.#ended;
  }

  #add(text: string): void {
    this.lines.push({ at: Date.now(), text });
  }

  #wake(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  #keepLines(stream: Readable): void {
    let rest = "";
    stream.setEncoding("utf8");
    stream.on("data", (chunk: string) => {
      const parts = (rest + chunk).split("\n");
      rest = parts.pop() ?? "";
      for (const part of parts) this.#add(part);
      this.#wake();
    });
    stream.on("end", () => {
      if (rest !== "") this.#add(rest);
    });
  }

  /** The first line, from index `from` on, for which the predicate holds. */
  waitLine(predicate: (text: string) => boolean, timeout: number, from = 0): Promise<Line> {
    return new Promise((resolve, reject) => {
      let next = from;
      const finish = (): void => {
        clearTimeout(timer);
        this.#listeners.delete(look);
      };
      const fail = (why: string): void => {
        finish();
        const last = this.lines.slice(-15).map((line) => line.text);
        reject(new Error(`${this.name}: ${why}; last lines:\n${last.join("\n")}`));
      };
      const look = (): void => {
        for (; next < this.lines.length; next++) {
          const line = this.lines[next];
          if (line !== undefined && predicate(line.text)) {
            finish();
            resolve(line);
            return;
          }
        }
        if (this.#ended) fail("ended before the awaited line");
      };
      const timer = setTimeout(() => fail(`awaited line not seen within ${timeout} ms`), timeout);
      this.#listeners.add(look);
      look();
    });
  }

  signal(signal: NodeJS.Signals): void {
    if (this.#ended || this.pid <= 0) return;
    send(this.pid, signal);
  }

  /** This process and everything below it, parents first. */
  tree(): number[] {
    return this.#ended ? [] : [this.pid, ...descendants(this.pid)];
  }

  /**
   * The whole tree at once. Frozen first, the parent before its children: otherwise a parent would start a replacement,
   * and a child that is told of its parent's death would still say goodbye.
   */
  killTree(): void {
    for (const pid of this.tree()) send(pid, "SIGSTOP");
    for (const pid of this.tree().reverse()) send(pid, "SIGKILL");
  }

  /** SIGTERM, and SIGKILL for what is left after the grace time. True when it ended by itself. */
  async stop(grace = 8_000): Promise<boolean> {
    if (this.#ended) return true;
    this.signal("SIGTERM");
    const timer = setTimeout(() => this.killTree(), grace);
    const before = Date.now();
    await this.exited;
    clearTimeout(timer);
    return Date.now() - before < grace;
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Ended in this moment: nothing to signal.
  }
}

function descendants(pid: number): number[] {
  let children: number[];
  try {
    children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
  return children.flatMap((child) => [child, ...descendants(child)]);
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Polls until the probe answers something other than undefined or false. */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  timeout: number,
  pause = 20,
): Promise<T> {
  const deadline = Date.now() + timeout;
  for (;;) {
    const answer = await probe();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > deadline) throw new Error(`not within ${timeout} ms: ${what}`);
    await sleep(pause);
  }
}
