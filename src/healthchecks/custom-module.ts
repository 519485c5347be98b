/**
 * A module of somebody else's, in a thread of its own: it may throw where nobody listens, block or eat memory, and only
 * the checks that use it suffer. The thread ends with the last check that uses the module.
 */
import { fileURLToPath, pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import type { FromModule, ToModule } from "./custom-worker.ts";
import { OwnFault } from "./system-failure.ts";

export interface HeldModule {
  /** Rejects when the module cannot be loaded, throws, or does not stop when it is told to. */
  ask(options: unknown, signal: AbortSignal): Promise<unknown>;
  release(): void;
}

interface Question {
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

/** Milliseconds for a run to settle after its signal; then the thread is ended. */
const grace = 1000;
const memoryMegabytes = 128;
// Two steps up from src/healthchecks and from dist/chunks alike.
const workerFile = fileURLToPath(new URL("../../dist/healthchecks/custom-worker.js", import.meta.url));

const modules = new Map<string, Module>();

export function holdModule(path: string): HeldModule {
  const module = modules.get(path) ?? new Module(path);
  modules.set(path, module);
  module.holders += 1;
  return {
    ask: (options, signal) => module.ask(options, signal),
    release() {
      module.holders -= 1;
      if (module.holders > 0) return;
      modules.delete(path);
      module.end("it is not used any more");
    },
  };
}

class Module {
  holders = 0;
  readonly #path: string;
  #worker: Worker | undefined;
  readonly #questions = new Map<number, Question>();
  #lastId = 0;

  constructor(path: string) {
    this.#path = path;
  }

  ask(options: unknown, signal: AbortSignal): Promise<unknown> {
    const id = ++this.#lastId;
    const worker = this.#worker ?? this.#start();
    let timer: NodeJS.Timeout | undefined;
    const onAbort = (): void => {
      const why = signal.reason instanceof Error ? signal.reason.message : "given up";
      worker.postMessage({ type: "abort", id, why } satisfies ToModule);
      timer = setTimeout(() => this.end(`${why}, and it did not stop: its thread was ended`), grace);
    };
    return new Promise<unknown>((resolve, reject) => {
      this.#questions.set(id, { resolve, reject });
      signal.addEventListener("abort", onAbort);
      worker.postMessage({ type: "probe", id, options } satisfies ToModule);
    }).finally(() => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      this.#questions.delete(id);
    });
  }

  /** The next question begins anew. */
  end(why: string): void {
    this.#endBy(new Error(why));
  }

  #endBy(error: Error): void {
    const worker = this.#worker;
    this.#worker = undefined;
    void worker?.terminate();
    for (const { reject } of this.#questions.values()) reject(error);
  }

  #start(): Worker {
    const worker = new Worker(workerFile, {
      workerData: pathToFileURL(this.#path).href,
      resourceLimits: { maxOldGenerationSizeMb: memoryMegabytes },
      execArgv: [],
    });
    worker.unref();
    worker.on("message", (message: FromModule) => {
      const question = this.#questions.get(message.id);
      if (message.type === "answer") question?.resolve(message.answer);
      else question?.reject(new Error(message.error));
    });
    const failed = (error: Error): void => {
      if (this.#worker === worker) this.#endBy(error);
    };
    worker.on("error", (error: unknown) => failed(errorIn(error)));
    worker.on("exit", (code) => failed(new Error(`its thread ended with code ${code}`)));
    this.#worker = worker;
    return worker;
  }
}

/** A thread that could not even begin lacks what this host has run out of: descriptors, or memory. */
function errorIn(thrown: unknown): Error {
  if (!(thrown instanceof Error)) return new Error(String(thrown));
  const { code } = thrown as NodeJS.ErrnoException;
  return code === "ERR_WORKER_INIT_FAILED" ? new OwnFault(thrown.message) : new Error(thrown.message);
}
