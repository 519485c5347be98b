/** Who is told what, by viprd and by keepalived: the same scripts on the same day see the same words in the same order. */
import { chmodSync, closeSync, constants, existsSync, openSync, readFileSync, readSync, writeFileSync } from "node:fs";
import { expect } from "vitest";
import { type Lab, type Router, scenario } from "../support/lab.ts";
import { eventually } from "../support/lab-process.ts";
import { chosenPairs, type Implementation, keepalivedConfig, viprdConfig } from "../support/lab-routers.ts";
import { T2 } from "../support/lab-topologies.ts";

/** keepalived's keyword, viprd's, and the arguments that are configured. */
const commands = [
  ["notify", "notify", ["notify", "two words", "$HOME"]],
  ["notify_master", "notify_active", ["specific", "active"]],
  ["notify_backup", "notify_backup", ["specific", "backup"]],
  ["notify_fault", "notify_fault", ["specific", "fault"]],
  ["notify_stop", "notify_stop", ["specific", "stop"]],
] as const;

class Told {
  readonly file: string;
  readonly fifo: string;
  readonly #script: string;
  readonly #groupScript: string;

  constructor(lab: Lab, node: string) {
    this.file = `${lab.directory}/${node}.told`;
    this.fifo = `${lab.directory}/${node}.fifo`;
    this.#script = `${lab.directory}/${node}.sh`;
    this.#groupScript = `${this.#script} group`;
    // One write for a line: keepalived runs its scripts at the same time.
    writeFileSync(this.#script, `#!/bin/sh\nline=$(printf '<%s>' "$@")\necho "$line" >> ${this.file}\n`);
    chmodSync(this.#script, 0o755);
  }

  get lines(): string[] {
    return this.#all.filter((line) => !line.startsWith("<group>"));
  }

  get groupLines(): string[] {
    return this.#all.filter((line) => line.startsWith("<group>"));
  }

  get #all(): string[] {
    return existsSync(this.file) ? readFileSync(this.file, "utf8").split("\n").slice(0, -1) : [];
  }

  async waitFor(count: number): Promise<void> {
    // Two scripts of the instance in each state, and one of its group.
    const complete = () => this.lines.length >= count && this.groupLines.length >= count / 2;
    await eventually(`${count} lines in ${this.file}`, complete, 15_000);
  }

  start(lab: Lab, node: string, implementation: Implementation, priority: number): Promise<Router> {
    const quoted = (words: readonly string[]) => words.map((word) => `'${word}'`).join(" ");
    if (implementation === "viprd") {
      const told = commands.map(([, key, words]) => [key, `${this.#script} ${quoted(words)}`]);
      const vrrp_sync_group = { edge: { group: ["web"], notify: this.#groupScript } };
      // The lab's directory is in /tmp.
      const global = { script_user: "root", script_security: false, notify_fifo: this.fifo };
      return lab.viprd(
        node,
        viprdConfig({ web: { priority, viprd: Object.fromEntries(told) } }, { global, vrrp_sync_group }),
      );
    }
    const told = commands.map(([key, , words]) => `${key} "${this.#script} ${quoted(words)}"`);
    const conf = keepalivedConfig({ web: { priority, keepalived: told } });
    const global = `router_id lab\n  script_user root\n  notify_fifo ${this.fifo}`;
    const group = `vrrp_sync_group edge {\n  group {\n    web\n  }\n  notify "${this.#groupScript}"\n}\n`;
    return lab.keepalived(node, `${conf.replace("router_id lab", global)}${group}`);
  }

  /** Begins to read the FIFO; what it returns tells what came so far. */
  async follow(): Promise<() => string> {
    await eventually(`a FIFO ${this.fifo}`, () => existsSync(this.fifo), 10_000);
    const descriptor = openSync(this.fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    let text = "";
    return () => {
      const buffer = Buffer.alloc(65_536);
      text += buffer.toString("utf8", 0, readSync(descriptor, buffer));
      closeSync(descriptor);
      return text;
    };
  }
}

/** The specific one and the general one of each state; keepalived starts both at once, so their order is not compared. */
function inPairs(lines: readonly string[]): string[][] {
  return Array.from({ length: Math.ceil(lines.length / 2) }, (_, i) => lines.slice(2 * i, 2 * i + 2).toSorted());
}

function state(word: string, specific: string, priority: number): string[] {
  return [`<notify><two words><$HOME><INSTANCE><web><${word}><${priority}>`, `<specific><${specific}>`];
}

const implementations = new Set(chosenPairs().flat());
for (const implementation of implementations) {
  scenario(
    `${implementation} tells scripts and FIFO of start, takeover, return, fault and stop, in keepalived's words`,
    { topology: T2 },
    async (lab) => {
      const [one, two] = [new Told(lab, "r1"), new Told(lab, "r2")];
      const first = await one.start(lab, "r1", implementation, 200);
      await one.waitFor(4);
      const second = await two.start(lab, "r2", implementation, 100);
      const fifo = await two.follow();
      await two.waitFor(2);
      await lab.term(first);
      await two.waitFor(4);
      await one.start(lab, "r1", implementation, 200);
      await two.waitFor(6);
      const up = await lab.faults.linkDown("r2");
      await two.waitFor(8);
      await up();
      await two.waitFor(10);
      await lab.term(second);
      await two.waitFor(12);
      await one.waitFor(10);
      expect(inPairs(one.lines)).toEqual([
        state("BACKUP", "backup", 200),
        state("MASTER", "active", 200),
        state("STOP", "stop", 200),
        state("BACKUP", "backup", 200),
        state("MASTER", "active", 200),
      ]);
      expect(inPairs(two.lines)).toEqual([
        state("BACKUP", "backup", 100),
        state("MASTER", "active", 100),
        state("BACKUP", "backup", 100),
        state("FAULT", "fault", 100),
        state("BACKUP", "backup", 100),
        state("STOP", "stop", 100),
      ]);
      const words = ["BACKUP", "MASTER", "BACKUP", "FAULT", "BACKUP", "STOP"];
      expect(two.groupLines).toEqual(words.map((word) => `<group><GROUP><edge><${word}><0>`));
      // keepalived tells the group before the instance at a start, and after it otherwise.
      const lines = fifo().split("\n").slice(0, -1);
      const about = (subject: string) => lines.filter((line) => line.startsWith(subject));
      expect(about("INSTANCE")).toEqual(words.map((word) => `INSTANCE "web" ${word} 100`));
      expect(about("GROUP")).toEqual(words.map((word) => `GROUP "edge" ${word} 0`));
      expect(lines).toHaveLength(2 * words.length);
      if (implementation === "keepalived") return;
      expect(two.lines.filter((_, i) => i % 2 === 0)).toEqual(specifics(two.lines));
      expect(existsSync(two.fifo)).toBe(false);
    },
  );
}

function specifics(lines: readonly string[]): string[] {
  return lines.filter((line) => line.startsWith("<specific>"));
}
