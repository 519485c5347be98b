/**
 * Scenarios as text: commands, a dashed line, and every transition they led to. UPDATE=1 writes the transitions anew;
 * commit the difference only when you understand it.
 *
 *   router NAME key=value…   a node that is started at once; keys are those of InstanceParameters, or "dual-stack"
 *   start|stop|crash|pause|resume|down|up|unplug|plug NAME
 *   reload NAME key=value…
 *   partition a b | c        the groups that still hear each other
 *   cut A B                  B does not hear A any more
 *   heal
 *   run 2.5s
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { InstanceParameters } from "../../src/vrrp/parameters.ts";
import { Lab, type Node } from "../support/simulated-lab.ts";
import { dualStack } from "../vrrp/samples.ts";

const folder = join(import.meta.dirname, "scenarios");

class Scenario {
  readonly #lab = new Lab();
  readonly #told = new Map<Node, number>();

  perform(line: string): void {
    const [command = "", name = "", ...rest] = line.split(/\s+/);
    const node = this.#lab.nodes.find((candidate) => candidate.name === name);
    if (command === "router") this.#lab.node(name, 11 + this.#lab.nodes.length, settings(rest)).start();
    else if (command === "run") this.#lab.run(Number.parseFloat(name) * 1000);
    else if (command === "heal") this.#lab.lan.heal();
    else if (command === "cut") this.#lab.lan.cut(name, rest[0] ?? "");
    else if (command === "partition") this.#lab.lan.partition(...groups([name, ...rest]));
    else if (node === undefined) throw new Error(`no node for: ${line}`);
    else if (command === "reload") node.reload(settings(rest));
    else if (command === "down" || command === "up") node.kernel.setUp(command === "up");
    else if (command === "unplug" || command === "plug") node.kernel.setCarrier(command === "plug");
    else if (command === "start") node.start();
    else if (command === "stop") node.stop();
    else if (command === "crash") node.crash();
    else if (command === "pause") node.pause();
    else if (command === "resume") node.resume();
    else throw new Error(`no such command: ${line}`);
  }

  /** The transitions since the last call, in the order of their instants. */
  news(): string[] {
    const news = this.#lab.nodes.flatMap((node) => {
      const from = this.#told.get(node) ?? 0;
      this.#told.set(node, node.transitions.length);
      return node.transitions.slice(from).map((transition) => ({ node, ...transition }));
    });
    news.sort((a, b) => a.at - b.at);
    return news.map(({ node, at, to, reason }) => `${(at / 1000).toFixed(3)} s  ${node.name}: ${to} (${reason})`);
  }
}

function settings(words: readonly string[]): Partial<InstanceParameters> {
  const pairs = words.filter((word) => word.includes("=")).map((word) => word.split("="));
  const changes = Object.fromEntries(pairs.map(([key, value = ""]) => [key, JSON.parse(value)]));
  return words.includes("dual-stack") ? dualStack(changes) : changes;
}

function groups(words: readonly string[]): string[][] {
  return words
    .join(" ")
    .split("|")
    .map((group) => group.trim().split(" "));
}

/** The same text with the transitions that really happened. */
function play(text: string): string {
  const scenario = new Scenario();
  const blocks = text.trim().split(/\n\n+/);
  const played = blocks.map((block) => {
    const commands = block.split("\n----")[0]?.split("\n") ?? [];
    for (const line of commands) if (!line.startsWith("#")) scenario.perform(line);
    return [...commands, "----", ...scenario.news()].join("\n");
  });
  return `${played.join("\n\n")}\n`;
}

test.each(readdirSync(folder).map((file) => [file.replace(".txt", "").replaceAll("-", " "), file]))("%s", (_, file) => {
  const path = join(folder, file);
  const text = readFileSync(path, "utf8");
  const played = play(text);
  if (process.env.UPDATE === "1") writeFileSync(path, played);
  else expect(played).toBe(text);
});
