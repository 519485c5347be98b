import { rmSync } from "node:fs";
import { createSecureServer, createServer, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo, Server, Socket } from "node:net";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { type GrpcParameters, grpc } from "../../src/healthchecks/grpc.ts";
import { decodeHealthResponse, encodeHealthRequest } from "../../src/wire/grpc-health.ts";
import { makeCertificates } from "./certificates.ts";
import { closedPort, listen, probeOnce } from "./support.ts";

const certificates = makeCertificates();
afterAll(() => rmSync(certificates.directory, { recursive: true }));

interface Answer {
  readonly status?: number;
  readonly type?: string;
  readonly body?: string;
  readonly trailers?: Readonly<Record<string, string>>;
  /** Trailers instead of everything else. */
  readonly only?: Readonly<Record<string, string>>;
}

async function serve(answer: Answer, secure = false) {
  const asked: { headers: IncomingHttpHeaders; body: string }[] = [];
  const server = secure ? createSecureServer(certificates.server) : createServer();
  const open = new Set<Socket>();
  server.on(secure ? "secureConnection" : "connection", (socket: Socket) => {
    open.add(socket);
    socket.on("error", () => {});
  });
  server.on("sessionError", () => {});
  server.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    let body = "";
    stream.on("error", () => {});
    stream.on("data", (chunk: Buffer) => {
      body += chunk.toString("hex");
    });
    stream.on("end", () => {
      asked.push({ headers, body });
      const { status = 200, type = "application/grpc+proto", body: reply = "00000000020801", only } = answer;
      if (only !== undefined) {
        stream.respond({ ":status": 200, "content-type": type, ...only }, { endStream: true });
        return;
      }
      stream.respond({ ":status": status, "content-type": type }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers(answer.trailers ?? { "grpc-status": "0" }));
      stream.end(Buffer.from(reply, "hex"));
    });
  });
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { port: ((server as unknown as Server).address() as AddressInfo).port, asked };
}

async function probe(answer: Answer, changes: Partial<GrpcParameters> = {}) {
  const { port, asked } = await serve(answer, changes.tls !== undefined);
  const { ok, reason } = await probeOnce(grpc, { type: "grpc", host: "127.0.0.1", port, service: "", ...changes });
  return { ok, reason: reason.replace(`grpc 127.0.0.1:${port}`, ""), asked, port };
}

test("a server that serves is asked as the protocol says", async () => {
  const { ok, reason, asked, port } = await probe({});
  expect([ok, reason]).toEqual([true, ": SERVING"]);
  expect(asked[0]?.body).toBe("0000000000");
  expect(asked[0]?.headers).toMatchObject({
    ":method": "POST",
    ":path": "/grpc.health.v1.Health/Check",
    ":scheme": "http",
    ":authority": `127.0.0.1:${port}`,
    "content-type": "application/grpc",
    te: "trailers",
  });
});

test("a service and a name of its own", async () => {
  const { reason, asked } = await probe({}, { service: "shop.Cart", authority: "shop.example.com" });
  expect(reason).toBe(" shop.Cart: SERVING");
  expect(asked[0]?.body).toBe(`000000000b0a09${Buffer.from("shop.Cart").toString("hex")}`);
  expect(asked[0]?.headers[":authority"]).toBe("shop.example.com");
});

test.each<[string, Answer, string]>([
  ["one that does not serve", { body: "00000000020802" }, ": NOT_SERVING"],
  ["one that says nothing", { body: "0000000000" }, ": UNKNOWN"],
  [
    "one that does not know the service",
    { only: { "grpc-status": "5", "grpc-message": "unknown%20service" } },
    ': the call failed with status 5 (NOT_FOUND: it does not know the service), "unknown service"',
  ],
  [
    "one without health service",
    { only: { "grpc-status": "12" } },
    ": the call failed with status 12 (UNIMPLEMENTED: it has no grpc.health.v1.Health)",
  ],
  [
    "a failure after the answer",
    { trailers: { "grpc-status": "13", "grpc-message": "oh" } },
    ': the call failed with status 13, "oh"',
  ],
  ["no status", { trailers: { other: "1" } }, ": the answer ended without a status"],
  ["a web server", { type: "text/html", status: 404 }, ": HTTP status 404 instead of 200"],
  ["a web server that is content", { type: "text/html" }, ': the answer is "text/html" and not gRPC'],
  ["no message", { body: "" }, ": no message came"],
  ["a compressed one", { body: "01000000020801" }, ": the message is compressed, which was not asked for"],
  ["half of one", { body: "00000000050801" }, ": the message is not as long as it says"],
])("%s", async (_what, answer, expected) => {
  const { ok, reason } = await probe(answer);
  expect([ok, reason]).toEqual([false, expected]);
});

test("TLS, trusted and not", async () => {
  const tls = { mode: "implicit" as const, verify: true, authorities: certificates.authority, warnBefore: 1 };
  expect(await probe({}, { tls })).toMatchObject({ ok: true, reason: ": SERVING" });
  const { ok, reason } = await probe({}, { tls: { mode: "implicit", verify: true } });
  expect([ok, reason]).toEqual([false, expect.stringContaining("the authority of the certificate is not known")]);
});

describe("what is no gRPC server", () => {
  const ask = (port: number, limit?: number) =>
    probeOnce(grpc, { type: "grpc", host: "127.0.0.1", port, service: "" }, limit);

  test("a closed port, silence, another protocol, an end", async () => {
    const port = await closedPort();
    expect((await ask(port)).reason).toBe(`grpc 127.0.0.1:${port}: refused (ECONNREFUSED)`);
    const silent = await listen((socket) => void socket.resume());
    expect((await ask(silent, 50)).reason).toBe(`grpc 127.0.0.1:${silent}: no answer within 50 ms`);
    const other = await listen((socket) => void socket.resume().write("HTTP/1.1 400 Bad Request\r\n\r\n"));
    expect((await ask(other, 2000)).ok).toBe(false);
    const early = await listen((socket) => void socket.resume().end());
    expect((await ask(early, 2000)).ok).toBe(false);
  });

  test("no connection stays", async () => {
    let open = 0;
    const port = await listen((socket) => {
      open++;
      socket.resume().on("close", () => open--);
    });
    await ask(port, 30);
    await expect.poll(() => open).toBe(0);
  });
});

test("fields that came later are passed over, cut off and endless numbers are told", () => {
  const decode = (hex: string) => decodeHealthResponse(Uint8Array.from(Buffer.from(hex, "hex")));
  // 2: 7, 3: 8 bytes, 4: "ab", 5: 4 bytes, 1: SERVING
  expect(decode("00000000161007190000000000000000220261622d000000000801")).toBe("SERVING");
  expect(decode("00000000020809")).toBe("status 9");
  expect(() => decode("000000000108")).toThrow("the message is cut off");
  expect(() => decode("00000000022205")).toThrow("the message is cut off");
  expect(() => decode("00000000010b")).toThrow("the message is no protobuf");
  expect(() => decode(`000000000b08${"ff".repeat(10)}`)).toThrow("the message is no protobuf");
  expect(encodeHealthRequest("x".repeat(200)).subarray(0, 8)).toEqual(Uint8Array.of(0, 0, 0, 0, 203, 10, 200, 1));
});
