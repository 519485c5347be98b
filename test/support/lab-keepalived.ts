/** keepalived in a namespace, in the foreground, with pid files of its own. */
import { writeFileSync } from "node:fs";
import type { Namespaces } from "./lab-namespaces.ts";
import { ahead, Child } from "./lab-process.ts";
import type { State } from "./lab-routers.ts";

let counter = 0;

const words: Readonly<Record<string, State>> = { MASTER: "active", BACKUP: "backup", FAULT: "initialize" };

export class Keepalived {
  readonly implementation = "keepalived";
  readonly node: string;
  readonly child: Child;
  readonly #file: string;

  /** With its routers alone, or with its virtual servers alone. */
  constructor(
    namespaces: Namespaces,
    node: string,
    directory: string,
    conf: string,
    part: "--vrrp" | "--check" = "--vrrp",
  ) {
    this.node = node;
    const base = `${directory}/${node}-keepalived${counter++}`;
    this.#file = `${base}.conf`;
    writeFileSync(this.#file, conf);
    const pids = ["-p", `${base}.pid`, "-r", `${base}.vrrp.pid`, "-c", `${base}.check.pid`];
    const [command, args] = namespaces.enter(node, ...ahead, "keepalived", "-n", "-l", part, "-f", this.#file, ...pids);
    this.child = new Child(`keepalived on ${node}`, command, args);
  }

  /** Wall-clock time at which the latest change to this state was logged; waits for the first. */
  async waitState(instance: string, state: State, timeout: number): Promise<number> {
    const wanted = (text: string): boolean => {
      const word = new RegExp(`\\(${instance}\\) Entering (\\w+) STATE`).exec(text)?.[1];
      return word !== undefined && words[word] === state;
    };
    const known = this.child.lines.findLast(
      (line) => /Entering \w+ STATE/.test(line.text) && line.text.includes(`(${instance})`),
    );
    if (known !== undefined && wanted(known.text)) return known.at;
    return (await this.child.waitLine(wanted, timeout, this.child.lines.length)).at;
  }

  /** When it last logged that it enters the state, at or after `from`; waits for it. */
  async entered(instance: string, state: State, timeout: number, from = 0): Promise<number> {
    const wanted = (text: string): boolean => {
      const word = new RegExp(`\\(${instance}\\) Entering (\\w+) STATE`).exec(text)?.[1];
      return word !== undefined && words[word] === state;
    };
    const known = this.child.lines.findLast((line) => line.at >= from && wanted(line.text));
    return known?.at ?? (await this.child.waitLine(wanted, timeout, this.child.lines.length)).at;
  }

  reload(conf: string): void {
    writeFileSync(this.#file, conf);
    this.child.signal("SIGHUP");
  }

  /** SIGTERM; resolves with the moment the signal was sent, once everything has ended. */
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
