/** A network namespace of a netlink test: sockets opened inside it are used by the test's own process. */
import { execFileSync, spawn } from "node:child_process";
import { inNetworkNamespace } from "../../src/socket/namespace.ts";

let counter = 0;

export class Namespace {
  readonly name = `vp${process.pid}-${counter++}`;

  constructor() {
    execFileSync("ip", ["netns", "add", this.name]);
    this.ip("link set lo up");
  }

  /** Runs `action`, which must be synchronous, with this thread inside. */
  inside<T>(action: () => T): T {
    return inNetworkNamespace(`/run/netns/${this.name}`, action);
  }

  ip(command: string): string {
    return execFileSync("ip", ["-n", this.name, ...command.split(" ")], { encoding: "utf8", timeout: 20_000 });
  }

  /** Many commands of `ip -batch` at once. */
  batch(lines: readonly string[]): void {
    execFileSync("ip", ["-n", this.name, "-batch", "-"], { input: `${lines.join("\n")}\n`, timeout: 60_000 });
  }

  /** As batch(), while the test goes on. Resolves when `ip` has ended, whatever it said. */
  start(lines: readonly string[]): Promise<void> {
    const child = spawn("ip", ["-n", this.name, "-force", "-batch", "-"], { stdio: ["pipe", "ignore", "ignore"] });
    child.stdin.end(`${lines.join("\n")}\n`);
    return new Promise((resolve) => child.on("close", () => resolve()));
  }

  /** The parsed output of `ip -j`. */
  show(command: string): Record<string, unknown>[] {
    return JSON.parse(this.ip(`-j ${command}`) || "[]");
  }

  remove(): void {
    execFileSync("ip", ["netns", "del", this.name]);
  }
}

/** Polls until the condition holds; the deadline is a failure. */
export async function until(claim: string, condition: () => boolean | Promise<boolean>, timeout = 5000): Promise<void> {
  const deadline = Date.now() + timeout;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within ${timeout} ms: ${claim}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
