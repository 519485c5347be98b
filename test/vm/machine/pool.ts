/** Lets vitest run test files inside the machine: what it would say to a process of its own goes through the port. */
import type { RunnerTask } from "vitest";
import type { PoolOptions, PoolWorker, Vitest } from "vitest/node";
import type { Report } from "./frames.ts";
import { Machine } from "./machine.ts";

/** Milliseconds for one test file, however many tests it holds. */
const fileLimit = 300_000;
/** What a kernel says when it is broken; a machine that said so has not passed. */
const broken = /\b(BUG|Oops|WARNING|general protection|Call Trace|soft lockup|Out of memory|blocked for more than)\b/;

let booting: Promise<Machine> | undefined;
let counter = 0;
const running = new Set<Promise<void>>();

/** One machine for the whole run, booted when the first file needs it. */
function machineFor(vitest: Vitest): Promise<Machine> {
  if (booting === undefined) {
    const started = Date.now();
    booting = Machine.boot();
    booting.then(
      (machine) => {
        console.log(`vm: ${machine.accelerator}, ready after ${((Date.now() - started) / 1000).toFixed(1)} s`);
        process.on("exit", () => machine.stop());
        vitest.onClose(() => end(machine));
      },
      // Whoever waits for the machine gets the reason.
      () => undefined,
    );
  }
  return booting;
}

async function end(machine: Machine): Promise<void> {
  // Vitest closes everything at once; what runs in the machine comes first.
  await Promise.all(running);
  await machine.stop();
  const at = machine.console.search(broken);
  if (at === -1) return;
  console.error(`vm: the kernel complained:\n${machine.console.slice(Math.max(0, at - 1_500), at + 4_500)}`);
  process.exitCode = 1;
}

/** Names of the tests that have no result. */
function unfinished(task: RunnerTask): string[] {
  if (task.type === "suite") return task.tasks.flatMap(unfinished);
  return task.result === undefined || task.result.state === "run" ? [task.name] : [];
}

class GuestWorker implements PoolWorker {
  readonly name = "machine";
  // Transformed sources go through the port.
  readonly cacheFs = false;
  readonly #options: PoolOptions;
  readonly #id = counter++;
  readonly #callbacks = new Map<string, Set<(argument: unknown) => void>>();
  #machine: Machine | undefined;
  #timer: NodeJS.Timeout | undefined;
  #exited: Promise<void> | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  on(event: string, callback: (argument: unknown) => void): void {
    const known = this.#callbacks.get(event) ?? new Set();
    this.#callbacks.set(event, known.add(callback));
  }

  off(event: string, callback: (argument: unknown) => void): void {
    this.#callbacks.get(event)?.delete(callback);
  }

  #emit(event: string, argument?: unknown): void {
    for (const callback of [...(this.#callbacks.get(event) ?? [])]) callback(argument);
  }

  async start(): Promise<void> {
    const { project, distPath, execArgv, env } = this.#options;
    const machine = await machineFor(project.vitest);
    if (machine.ended !== undefined) throw new Error(machine.ended);
    this.#machine = machine;
    const exited = new Promise<void>((resolve) => machine.listen(this.#id, (report) => this.#take(report, resolve)));
    this.#exited = exited;
    running.add(exited);
    exited.then(() => running.delete(exited));
    const file = `${distPath}/workers/forks.js`;
    machine.send({ kind: "start", id: this.#id, file, execArgv, env: { ...env }, cwd: project.config.root });
  }

  #take(report: Report, exited: () => void): void {
    switch (report.kind) {
      case "ready":
        return;
      case "message":
        this.#emit("message", report.data);
        return;
      case "output":
        process[report.stream].write(report.text);
        return;
      case "exit":
        this.#machine?.forget(this.#id);
        exited();
        if (this.#machine?.ended === undefined) this.#emit("exit");
        else this.#emit("error", new Error(this.#machine.ended));
        return;
    }
  }

  send(message: unknown): void {
    this.#machine?.send({ kind: "message", id: this.#id, data: message });
    const request = message as { type?: string; context?: { files: { filepath: string }[] } };
    if (request.type !== "run") return;
    const files = request.context?.files.map((file) => file.filepath) ?? [];
    this.#timer = setTimeout(() => {
      const open = this.#options.project.vitest.state.getFiles(files).flatMap(unfinished);
      const what = `${files.join(", ")}: ${open.join("; ")}`;
      this.#emit("error", new Error(`cut off, not done within ${fileLimit / 1000} s: ${what}`));
    }, fileLimit);
  }

  deserialize(data: unknown): unknown {
    return data;
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#machine?.send({ kind: "kill", id: this.#id });
    await this.#exited;
  }
}

export const machinePool = {
  name: "machine",
  createPoolWorker: (options: PoolOptions): PoolWorker => new GuestWorker(options),
};
