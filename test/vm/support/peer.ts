/** A host of the farm as the test sees it: a process in a namespace that serves and asks. */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Namespaces } from "../../support/lab-namespaces.ts";

const program = fileURLToPath(new URL("./peer.mjs", import.meta.url));

export type Kind = "tcp" | "udp" | "http";

/** How often who answered, by name; failures under the code of their error, as in { rs1: 10, ECONNREFUSED: 1 }. */
export type Counts = Readonly<Record<string, number>>;

export interface FlowState {
  readonly server: string;
  readonly sent: number;
  readonly returned: number;
  /** Why the connection is over, as in ECONNRESET. */
  readonly ended?: string;
}

type Answer =
  | { readonly ready: true }
  | { readonly request: number; readonly value?: unknown; readonly error?: string };

export class Peer {
  readonly name: string;
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #counter = 0;

  private constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.#process = child;
  }

  static start(namespaces: Namespaces, node: string): Promise<Peer> {
    const [command, args] = namespaces.enter(node, process.execPath, program, node);
    const child = spawn(command, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    const peer = new Peer(node, child);
    return new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("message", (answer: Answer) => ("ready" in answer ? resolve(peer) : peer.#take(answer)));
      child.on("exit", (code) => {
        const ended = new Error(`${node} has ended (${code})`);
        reject(ended);
        for (const { reject: fail } of peer.#waiting.values()) fail(ended);
      });
    });
  }

  #take(answer: Exclude<Answer, { ready: true }>): void {
    const waiting = this.#waiting.get(answer.request);
    this.#waiting.delete(answer.request);
    if (answer.error === undefined) waiting?.resolve(answer.value);
    else waiting?.reject(Object.assign(new Error(`${this.name}: ${answer.error}`), { code: answer.error }));
  }

  async #do<T>(action: string, options: object): Promise<T> {
    const request = this.#counter++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(request, { resolve: (value) => resolve(value as T), reject });
      this.#process.send({ ...options, request, action });
    });
  }

  /** On every address of the host, or on one. */
  async listen(kind: Kind, port: number, address?: string): Promise<void> {
    await this.#do("listen", { kind, port, address: address ?? (kind === "udp" ? "0.0.0.0" : "::") });
  }

  async close(kind: Kind, port: number): Promise<void> {
    await this.#do("close", { kind, port });
  }

  /** The HTTP status from now on. */
  async answer(code: number): Promise<void> {
    await this.#do("answer", { code });
  }

  /** Who answers; rejects with the code of the error. */
  async ask(address: string, port: number, kind: "tcp" | "udp" = "tcp", timeout = 3_000): Promise<string> {
    return this.#do("ask", { kind, address, port, timeout });
  }

  /** Asks `times`, one after the other. */
  async many(times: number, address: string, port: number, kind: "tcp" | "udp" = "tcp"): Promise<Counts> {
    const counts: Record<string, number> = {};
    for (let i = 0; i < times; i++) {
      const who = await this.ask(address, port, kind).catch((error: { code: string }) => error.code);
      counts[who] = (counts[who] ?? 0) + 1;
    }
    return counts;
  }

  /** Asks without a rest, or with a pause in between, until `stop`, which tells who answered how often. */
  async loop(
    address: string,
    port: number,
    options: { readonly kind?: "tcp" | "udp"; readonly pause?: number } = {},
  ): Promise<{ counts(): Promise<Counts>; stop(): Promise<Counts> }> {
    const id = this.#counter++;
    await this.#do("loop", { id, kind: options.kind ?? "tcp", pause: options.pause ?? 0, address, port });
    return { counts: () => this.#do("counts", { id }), stop: () => this.#do("unloop", { id }) };
  }

  /** A connection that stays and exchanges a line all the time. */
  async flow(address: string, port: number, interval = 50): Promise<Flow> {
    const id = this.#counter++;
    const server = await this.#do<string>("flow", { id, address, port, interval });
    return {
      server,
      state: () => this.#do("flowState", { id }),
      end: () => this.#do("endFlow", { id }),
    };
  }

  kill(): void {
    this.#process.kill("SIGKILL");
  }
}

export interface Flow {
  readonly server: string;
  state(): Promise<FlowState>;
  end(): Promise<void>;
}
