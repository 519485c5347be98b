/** A long-lived sender of raw frames in a namespace. */
import { fileURLToPath } from "node:url";
import type { Namespaces } from "./lab-namespaces.ts";
import { Child } from "./lab-process.ts";

const program = fileURLToPath(new URL("./frame-sender.mjs", import.meta.url));

export class Injector {
  readonly #child: Child;

  private constructor(child: Child) {
    this.#child = child;
  }

  static async open(namespaces: Namespaces, node: string, interfaceName: string): Promise<Injector> {
    const text = await namespaces.shell(node, `ip -j link show ${interfaceName}`);
    const index = (JSON.parse(text) as { ifindex: number }[])[0]?.ifindex ?? 0;
    const [command, args] = namespaces.enter(node, process.execPath, program, String(index));
    const child = new Child(`frame sender on ${node}`, command, args);
    await child.waitLine((line) => line === "ready", 15_000);
    return new Injector(child);
  }

  async send(...frames: readonly Uint8Array[]): Promise<void> {
    await this.repeat(frames, frames.length, 0);
  }

  /** Sends `count` frames, going round the list, one each `interval` milliseconds. Resolves when all are out. */
  async repeat(frames: readonly Uint8Array[], count: number, interval: number): Promise<void> {
    const hex = frames.map((frame) => Buffer.from(frame).toString("hex"));
    const from = this.#child.lines.length;
    this.#child.stdin.write(`${JSON.stringify({ frames: hex, count, interval })}\n`);
    const answer = await this.#child.waitLine((line) => line.startsWith("{"), 30_000 + count * interval * 2, from);
    const { sent } = JSON.parse(answer.text) as { sent: number };
    if (sent !== count) throw new Error(`only ${sent} of ${count} frames were sent`);
  }

  close(): void {
    this.#child.signal("SIGKILL");
  }
}
