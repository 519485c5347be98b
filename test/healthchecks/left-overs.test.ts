/** What runs over HTTP leave behind: no descriptor, and no port that waits. */
import { readdirSync, rmSync } from "node:fs";
import { createServer as createServer1 } from "node:http";
import { createSecureServer, createServer as createServer2, type ServerHttp2Stream } from "node:http2";
import { createServer as createServerTls } from "node:https";
import type { AddressInfo, Server, Socket } from "node:net";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import type { CheckType } from "../../src/healthchecks/check-type.ts";
import { grpc } from "../../src/healthchecks/grpc.ts";
import { http } from "../../src/healthchecks/http.ts";
import { tcp } from "../../src/healthchecks/tcp.ts";
import { until } from "../daemon/support.ts";
import { makeCertificates } from "./certificates.ts";
import { listen, probeOnce, waitingPorts } from "./support.ts";

const certificates = makeCertificates();
afterAll(() => rmSync(certificates.directory, { recursive: true }));
const { authority: authorities } = certificates;

function answer(_: object, response: { end(text: string): void }): void {
  response.end("well");
}

/** SERVING, to whatever is asked. */
function answerGrpc(stream: ServerHttp2Stream): void {
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  stream.end(Buffer.from("00000000020801", "hex"));
}

const page = { method: "GET", headers: {}, statusCodes: [[200, 299]], responseHeaders: {}, redirects: 0, verify: true };
const url = (scheme: string, version: string) => (port: number) => ({
  ...page,
  version,
  authorities,
  url: `${scheme}://127.0.0.1:${port}/`,
});
const service = (tls?: object) => (port: number) => ({ host: "127.0.0.1", port, service: "", ...tls });
const secured = { tls: { mode: "implicit", verify: true, authorities } };

const all: readonly [name: string, type: unknown, parameters: (port: number) => object, server: () => unknown][] = [
  ["http", http, url("http", "1.1"), () => createServer1(answer as never)],
  ["https", http, url("https", "1.1"), () => createServerTls(certificates.server, answer as never)],
  ["http over HTTP/2", http, url("http", "2"), () => createServer2(answer as never)],
  ["https over HTTP/2", http, url("https", "2"), () => createSecureServer(certificates.server, answer as never)],
  ["grpc", grpc, service(), () => createServer2().on("stream", answerGrpc)],
  ["grpc over TLS", grpc, service(secured), () => createSecureServer(certificates.server).on("stream", answerGrpc)],
];

const descriptors = () => readdirSync("/proc/self/fd").length;

async function start(server: Server): Promise<number> {
  const open = new Set<Socket>();
  server.on("connection", (socket) => {
    open.add(socket);
    socket.on("error", () => {});
  });
  server.on("sessionError", () => {});
  server.on("clientError", () => {});
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

async function runs(port: number, type: unknown, parameters: object, limit: number, ok: boolean): Promise<void> {
  const probe = () => probeOnce(type as CheckType<object>, parameters, limit);
  expect(await probe()).toMatchObject({ ok });
  const before = descriptors();
  for (let i = 0; i < 10; i++) expect(await probe()).toMatchObject({ ok });
  await until(() => descriptors() <= before, `${before} descriptors, as before`);
  expect(waitingPorts(port)).toBe(0);
}

test.each(all)("%s: runs that succeed leave nothing", async (_, type, parameters, server) => {
  const port = await start(server() as Server);
  await runs(port, type, parameters(port), 5000, true);
});

test.each(all)("%s: runs that are not answered leave nothing", async (_, type, parameters) => {
  const port = await listen((socket) => void socket.resume());
  await runs(port, type, parameters(port), 50, false);
});

/** Under TLS Node ends the connection by itself. */
const broken: readonly [name: string, server: () => unknown][] = [
  ["does not speak HTTP/2", () => createServerTls(certificates.server, answer)],
  ["speaks no TLS that is taken", () => createServerTls({ ...certificates.server, ...old }, answer)],
  [
    "closes at once",
    () => createServerTls(certificates.server).on("secureConnection", (socket: Socket) => void socket.end()),
  ],
];
const old = { minVersion: "TLSv1", maxVersion: "TLSv1", ciphers: "ALL:@SECLEVEL=0" } as const;

describe.each(broken)("a server that %s", (_, server) => {
  test.each(all.filter(([name]) => /HTTP.2|TLS/.test(name) && name !== "http over HTTP/2"))(
    "%s: runs that fail leave nothing",
    async (_, type, parameters) => {
      const port = await start(server() as Server);
      await runs(port, type, parameters(port), 5000, false);
    },
  );
});

test("what a server does not take leaves nothing", async () => {
  const taken: Socket[] = [];
  const port = await listen((socket) => void taken.push(socket.pause()));
  const steps = [
    { do: "send", bytes: "00".repeat(32_000_000) },
    { do: "expect", bytes: "00", minLength: 0 },
  ];
  const before = descriptors();
  const { ok } = await probeOnce(tcp as CheckType<object>, { host: "127.0.0.1", port, steps }, 50);
  expect(ok).toBe(false);
  await until(() => descriptors() === before + taken.length, "the end on this side alone");
  for (const socket of taken) socket.destroy();
});
