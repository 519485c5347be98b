/** Sockets that close themselves at the end of the test that opened them, and bounded waits. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import type { Batch } from "../../src/socket/batch.ts";
import { AF_INET, SOCK_DGRAM } from "../../src/socket/constants.ts";
import { sockaddrIn } from "../../src/socket/sockaddr.ts";
import { Socket, type SocketOptions } from "../../src/socket/socket.ts";

export const loopback4 = Uint8Array.of(127, 0, 0, 1);
export const loopback6 = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);

export function open(domain: number, type: number, protocol = 0, options: SocketOptions = {}): Socket {
  const socket = Socket.open(domain, type, protocol, "test socket", options);
  onTestFinished(() => socket.close());
  return socket;
}

/** A UDP socket bound to a free port of 127.0.0.1. */
export function udp(options: SocketOptions = {}): Socket {
  const socket = open(AF_INET, SOCK_DGRAM, 0, options);
  socket.bind(sockaddrIn(loopback4));
  return socket;
}

export function batch(received: Batch | number): Batch {
  if (typeof received === "number") throw new Error(`receive: ${received}`);
  return received;
}

/** Runs `action` without any effective capability. */
export function asNobody<T>(action: () => T): T {
  if (process.geteuid?.() !== 0) return action();
  process.seteuid?.(65534);
  try {
    return action();
  } finally {
    process.seteuid?.(0);
  }
}

export async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 5000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited 5 s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

export const addonPath = fileURLToPath(new URL("../../build/viprd.node", import.meta.url));

/** Runs JavaScript in a Node of its own, with the bare addon as `native`. */
export function runWithAddon(script: string, flags: readonly string[] = []) {
  const code = `const native = require(${JSON.stringify(addonPath)});\n${script}`;
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [...flags, "-e", code], {
    encoding: "utf8",
    timeout: 15_000,
  });
  return { status, signal, stdout, stderr };
}
