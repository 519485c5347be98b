import { readFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import type { CheckType, Outcome } from "../../src/healthchecks/check-type.ts";
import type { CommonParameters } from "../../src/healthchecks/parameters.ts";

export function common(changes: Partial<CommonParameters> = {}): CommonParameters {
  return {
    name: "web",
    interval: 30,
    timeout: 30,
    rise: 1,
    fall: 1,
    jitter: 0,
    fastInterval: 30,
    initial: "unknown",
    ...changes,
  };
}

/** One run, given `limit` milliseconds before it is told to stop. */
export function probeOnce<P>(type: CheckType<P>, parameters: P, limit = 10_000): Promise<Outcome> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new Error(`no answer within ${limit} ms`)), limit);
  return type.probe(parameters, controller.signal).finally(() => clearTimeout(timer));
}

/** A TCP server on a free port of the loopback address, closed after the test. */
export async function listen(onConnection: (socket: Socket) => void, host = "127.0.0.1"): Promise<number> {
  const server: Server = createServer((socket) => {
    socket.on("error", () => {});
    onConnection(socket);
  });
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return (server.address() as AddressInfo).port;
}

/** Connections to this port of IPv4 whose end on this side waits for late packets; /proc/net/tcp, state 06. */
export function waitingPorts(port: number): number {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  return readFileSync("/proc/net/tcp", "utf8")
    .split("\n")
    .filter((line) => line.split(/\s+/)[3]?.endsWith(`:${hex}`) === true && line.split(/\s+/)[4] === "06").length;
}

/** A port of the loopback address that nobody listens on. */
export async function closedPort(host = "127.0.0.1"): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}
