/** A host of the farm as the test sees it: a program in a namespace that serves and asks. */
import { fileURLToPath } from "node:url";
import type { Namespaces } from "../../support/lab-namespaces.ts";
import { Child } from "../../support/lab-process.ts";

/** Compiled before the machine boots. */
const program = fileURLToPath(new URL("../../../.cache/vm/peer", import.meta.url));

export type Kind = "tcp" | "udp" | "http";

/** How often who answered, by name; failures under the code of their error, as in { rs1: 10, ECONNREFUSED: 1 }. */
export type Counts = Readonly<Record<string, number>>;

export interface FlowState {
  readonly server: string;
  readonly sent: number;
  readonly returned: number;
  /** Why the connection is over, as in ECONNRESET; empty while it is not. */
  readonly ended: string;
}

/** A connection that stays and exchanges a line all the time. */
export interface Flow {
  readonly server: string;
  state(): Promise<FlowState>;
  /** With a reset. */
  end(): Promise<void>;
}

/** Questions without a rest. */
export interface Loop {
  counts(): Promise<Counts>;
  /** The last counts. */
  stop(): Promise<Counts>;
}

/** How to ask; milliseconds. */
export interface Question {
  readonly kind?: "tcp" | "udp";
  readonly timeout?: number;
}

export class Peer {
  readonly name: string;
  readonly child: Child;
  readonly #waiting = new Map<number, { resolve: (value: string) => void; reject: (error: Error) => void }>();
  readonly #servers = new Map<string, number>();
  #counter = 1;

  private constructor(namespaces: Namespaces, node: string, arrived: () => void) {
    this.name = node;
    const [command, args] = namespaces.enter(node, program, node);
    let rest = "";
    this.child = new Child(node, command, args, (chunk) => {
      const lines = (rest + chunk.toString()).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line === "ready ok") arrived();
        else this.#take(line);
      }
    });
    this.child.exited.then(({ code }) => {
      const said = this.child.lines.map((line) => line.text).join("\n");
      for (const { reject } of this.#waiting.values()) reject(new Error(`${node} has ended (${code}) ${said}`));
    });
  }

  static async start(namespaces: Namespaces, node: string): Promise<Peer> {
    let arrived = (): void => undefined;
    const ready = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const peer = new Peer(namespaces, node, () => arrived());
    const ended = peer.child.exited.then(() => {
      throw new Error(`${node} does not start: ${peer.child.lines.map((line) => line.text).join("\n")}`);
    });
    await Promise.race([ready, ended]);
    // From here on whoever waits for an answer is told.
    ended.catch(() => undefined);
    return peer;
  }

  #take(line: string): void {
    const [, request = "", verdict, value = ""] = /^(\d+) (ok|error) ?(.*)$/.exec(line) ?? [];
    const waiting = this.#waiting.get(Number(request));
    this.#waiting.delete(Number(request));
    if (verdict === "ok") waiting?.resolve(value);
    else waiting?.reject(Object.assign(new Error(`${this.name}: ${value}`), { code: value }));
  }

  #do(action: string, id = 0, kind = "-", address = "-", port = 0, number = 0): Promise<string> {
    const request = this.#counter++;
    return new Promise((resolve, reject) => {
      if (this.child.ended) reject(new Error(`${this.name} has ended`));
      this.#waiting.set(request, { resolve, reject });
      this.child.stdin.write(`${request} ${action} ${id} ${kind} ${address} ${port} ${number}\n`);
    });
  }

  /** On every address of the host, or on one. UDP answers come from the address the question went to only with one. */
  async listen(kind: Kind, port: number, address?: string): Promise<void> {
    const id = this.#counter++;
    await this.#do("listen", id, kind, address ?? (kind === "udp" ? "0.0.0.0" : "::"), port);
    this.#servers.set(`${kind}:${port}`, id);
  }

  /** Nothing listens any more, and every connection ends with a reset. */
  async close(kind: Kind, port: number): Promise<void> {
    await this.#do("close", this.#servers.get(`${kind}:${port}`));
  }

  /** The HTTP status from now on. */
  async answer(code: number): Promise<void> {
    await this.#do("answer", 0, "-", "-", 0, code);
  }

  /** Who answers; rejects with the code of the error. */
  ask(address: string, port: number, { kind = "tcp", timeout = 3_000 }: Question = {}): Promise<string> {
    return this.#do("ask", 0, kind, address, port, timeout);
  }

  /** Asks `times`, one after the other. */
  async many(times: number, address: string, port: number, question: Question = {}): Promise<Counts> {
    const counts: Record<string, number> = {};
    for (let i = 0; i < times; i++) {
      const who = await this.ask(address, port, question).catch((error: { code: string }) => error.code);
      counts[who] = (counts[who] ?? 0) + 1;
    }
    return counts;
  }

  /** Asks again and again, with a pause of so many milliseconds in between, until `stop`. */
  async loop(address: string, port: number, pause = 2, kind: "tcp" | "udp" = "tcp"): Promise<Loop> {
    const id = this.#counter++;
    await this.#do("loop", id, kind, address, port, pause);
    const counts = (action: string) => async (): Promise<Counts> => JSON.parse(await this.#do(action, id));
    return { counts: counts("counts"), stop: counts("unloop") };
  }

  async flow(address: string, port: number, interval = 50): Promise<Flow> {
    const id = this.#counter++;
    const server = await this.#do("flow", id, "tcp", address, port, interval);
    const end = async (): Promise<void> => {
      await this.#do("unflow", id);
    };
    return { server, state: async () => JSON.parse(await this.#do("state", id)), end };
  }
}
