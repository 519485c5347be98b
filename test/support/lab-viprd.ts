/** viprd in a namespace: the built program, watched through its control socket and its log. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { fileURLToPath } from "node:url";
import type { StatusDocument } from "../../src/daemon/status.ts";
import type { InstanceStatus, TransitionStatus } from "../../src/vrrp/status.ts";
import type { Namespaces } from "./lab-namespaces.ts";
import { ahead, Child, eventually, must } from "./lab-process.ts";
import type { State } from "./lab-routers.ts";

/** VIPRD_MAIN names another build than this checkout's. */
export const mainFile = process.env.VIPRD_MAIN ?? fileURLToPath(new URL("../../dist/main.js", import.meta.url));

export type Status = Pick<StatusDocument, "instances" | "interfaces" | "statics" | "processes">;

/** One JSON line of the log. */
export interface LogLine {
  readonly at: number;
  readonly level: number | string;
  readonly message: string;
  readonly text: string;
}

export class Viprd {
  readonly implementation = "viprd";
  readonly node: string;
  readonly child: Child;
  readonly runtime: string;
  readonly #file: string;

  /**
   * The runtime directory belongs to the node, so that a second start finds what the first has left. `through`: a
   * command that runs the one behind it.
   */
  constructor(
    namespaces: Namespaces,
    node: string,
    directory: string,
    config: string,
    through: readonly string[] = [],
  ) {
    this.node = node;
    this.runtime = `${directory}/${node}-run`;
    mkdirSync(this.runtime, { recursive: true });
    this.#file = `${directory}/${node}.yaml`;
    writeFileSync(this.#file, config);
    const options = [
      "run",
      "-c",
      this.#file,
      "--runtime-dir",
      this.runtime,
      "--log-format",
      "json",
      "--log-level",
      "debug",
    ];
    const [command, args] = namespaces.enter(node, ...ahead, ...through, process.execPath, mainFile, ...options);
    this.child = new Child(`viprd on ${node}`, command, args);
  }

  get log(): LogLine[] {
    return this.child.lines.map(({ at, text }) => {
      try {
        const record = JSON.parse(text) as { level?: number | string; msg?: string; message?: string };
        return { at, level: record.level ?? "", message: record.msg ?? record.message ?? text, text };
      } catch {
        return { at, level: "", message: text, text };
      }
    });
  }

  #socket(): string | undefined {
    const name = existsSync(this.runtime)
      ? readdirSync(this.runtime).find((file) => file.endsWith(".sock"))
      : undefined;
    return name === undefined ? undefined : `${this.runtime}/${name}`;
  }

  /** A request to the control interface; undefined while it does not answer. */
  call(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown } | undefined> {
    const socketPath = this.#socket();
    if (socketPath === undefined) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const headers = { "content-type": "application/json" };
      const asked = request({ socketPath, path, method, headers, timeout: 5_000 }, (answer) => {
        let text = "";
        answer.setEncoding("utf8");
        answer.on("data", (chunk: string) => {
          text += chunk;
        });
        answer.on("end", () => {
          let parsed: unknown = text;
          try {
            parsed = JSON.parse(text);
          } catch {
            // Plain text, e.g. metrics.
          }
          resolve({ status: answer.statusCode ?? 0, body: parsed });
        });
      });
      asked.on("timeout", () => asked.destroy());
      asked.on("error", () => resolve(undefined));
      asked.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  async status(): Promise<Status> {
    return eventually(`${this.child.name}: status`, () => this.#tryStatus(), 8_000, 50);
  }

  async #tryStatus(): Promise<Status | undefined> {
    if (this.child.ended) throw new Error(`${this.child.name} has ended:\n${this.describe()}`);
    const answer = await this.call("GET", "/v1/status");
    if (answer?.status !== 200) return undefined;
    return answer.body as StatusDocument;
  }

  /** The named instance, or the only one. */
  async instance(name = "web"): Promise<InstanceStatus> {
    const { instances } = await this.status();
    const found = instances.find((instance) => instance.name === name);
    if (found === undefined) throw new Error(`${this.child.name} has no instance ${name}`);
    return found;
  }

  async transitions(name = "web"): Promise<readonly TransitionStatus[]> {
    return (await this.instance(name)).transitions;
  }

  /** How often a rejection was counted, in the instances and for packets that belong to none. */
  async rejected(reason: string): Promise<number> {
    const { instances, interfaces } = await this.status();
    const counts = [...instances.map((instance) => instance.counters), ...interfaces].map(
      (entry) => entry.rejected[reason] ?? 0,
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** Processor time and resident memory of the VRRP process. */
  usage(): { readonly cpuMs: number; readonly residentKib: number } {
    const pid = this.child.tree().find((id) => readFileSync(`/proc/${id}/cmdline`, "utf8").includes("internal"));
    if (pid === undefined) throw new Error(`${this.child.name} has no VRRP process`);
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /, "")
      .split(" ");
    const resident = Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]) * 4;
    return { cpuMs: (Number(stat[11]) + Number(stat[12])) * 10, residentKib: resident };
  }

  /** Freezes or thaws every process of the daemon. */
  freeze(signal: "SIGSTOP" | "SIGCONT"): void {
    for (const pid of this.child.tree()) process.kill(pid, signal);
  }

  /** Wall-clock time of the transition into this state, as the status tells it. */
  async waitState(instance: string, state: State, timeout: number): Promise<number> {
    let seen: InstanceStatus | undefined;
    try {
      return await eventually(
        "",
        async () => {
          seen = (await this.#tryStatus())?.instances.find((candidate) => candidate.name === instance);
          return seen?.state === state && Date.parse(seen.since);
        },
        timeout,
        60,
      );
    } catch (cause) {
      const known = seen === undefined ? "no status" : `${seen.state} ${seen.reasons.join("; ")}`;
      throw new Error(`${this.child.name}: ${instance} not ${state} within ${timeout} ms: ${known}`, { cause });
    }
  }

  /** When it last entered the state, at or after `from`; waits for it. The state may have passed since. */
  entered(instance: string, state: State, timeout: number, from = 0): Promise<number> {
    return eventually(
      `${this.child.name}: ${instance} enters ${state}`,
      async () => {
        const status = (await this.#tryStatus())?.instances.find((candidate) => candidate.name === instance);
        const change = status?.transitions.findLast((entry) => entry.to === state && Date.parse(entry.at) >= from);
        return change !== undefined && Date.parse(change.at);
      },
      timeout,
      60,
    );
  }

  reload(config: string): void {
    writeFileSync(this.#file, config);
    this.child.signal("SIGHUP");
  }

  /** The command line, against this daemon. */
  async cli(...args: readonly string[]): Promise<string> {
    return must(process.execPath, [mainFile, "--runtime-dir", this.runtime, ...args], "", 60_000);
  }

  async term(): Promise<number> {
    const at = Date.now();
    await this.child.stop();
    return at;
  }

  async kill9All(): Promise<number> {
    const at = Date.now();
    this.child.killTree();
    await this.child.exited;
    return at;
  }

  describe(): string {
    return this.child.lines
      .map((line) => line.text)
      .slice(-30)
      .join("\n");
  }
}
