import { readFileSync, rmSync } from "node:fs";
import type { AddressInfo, Socket } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { type TcpParameters, tcp } from "../../src/healthchecks/tcp.ts";
import type { ExpectStep, Step } from "../../src/healthchecks/tcp-steps.ts";
import { makeCertificates } from "./certificates.ts";
import { listen, probeOnce } from "./support.ts";

const certificates = makeCertificates();
afterAll(() => rmSync(certificates.directory, { recursive: true }));

const send = (text: string): Step => ({ do: "send", bytes: Buffer.from(text).toString("hex") });
const expects = (text: string, more: Partial<ExpectStep> = {}): Step => ({
  do: "expect",
  bytes: Buffer.from(text).toString("hex"),
  minLength: 0,
  ...more,
});
const regex = (source: string, more: Partial<ExpectStep> = {}): Step => ({
  do: "expect",
  regex: source,
  minLength: 0,
  ...more,
});

/** Greets, then answers every line with "got LINE". */
const echo = (socket: Socket) => {
  socket.write("220 hello\r\n");
  socket.on("data", (data) => socket.write(`got ${data}`));
};

async function probe(steps: readonly Step[], serve: (socket: Socket) => void = echo, limit = 200) {
  const port = await listen(serve);
  const { ok, reason } = await probeOnce(tcp, { type: "tcp", host: "127.0.0.1", port, steps }, limit);
  return `${ok ? "ok" : "failed"}: ${reason.replace(`tcp 127.0.0.1:${port}: `, "")}`;
}

test.each<[string, readonly Step[], string]>([
  ["a greeting", [expects("220 ")], "ok: answered as expected"],
  [
    "a conversation",
    [expects("220"), send("PING\r\n"), expects("got PING"), regex("^got .*\\n$")],
    "ok: answered as expected",
  ],
  [
    "what was said before does not count",
    [expects("220"), send("x\r\n"), expects("220")],
    'failed: step 3: no answer within 200 ms: "got x" does not contain "220"',
  ],
  [
    "several about one answer, in any order",
    [expects("hello"), expects("220"), regex("^220 h")],
    "ok: answered as expected",
  ],
  ["what must not be there", [expects("500", { not: true, minLength: 1 })], "ok: answered as expected"],
  [
    "what must not be there, and is",
    [expects("hello", { not: true, minLength: 9 })],
    'failed: step 1: "220 hello" contains "hello"',
  ],
  [
    "an expression that must not match",
    [regex("^[45]", { not: true, minLength: 1 }), regex("^2", { not: true, minLength: 1 })],
    'failed: step 2: "220 hello" matches ^2',
  ],
  ["so many bytes", [{ do: "expect", minLength: 11 }], "ok: answered as expected"],
  [
    "more bytes than come",
    [{ do: "expect", minLength: 12 }],
    'failed: step 1: no answer within 200 ms: "220 hello" has 11 bytes, fewer than 12',
  ],
  [
    "bytes that are no text",
    [{ do: "expect", bytes: "ff00", minLength: 0 }],
    'failed: step 1: no answer within 200 ms: "220 hello" does not contain the bytes ff00',
  ],
  ["only sending", [send("x")], "ok: connected"],
])("%s", async (_what, steps, result) => expect(await probe(steps)).toBe(result));

test("an answer that comes in pieces", async () => {
  const serve = (socket: Socket) => {
    socket.setNoDelay(true);
    const pieces = ["2", "20", " re", "ady\n"];
    const next = () => {
      const piece = pieces.shift();
      if (piece !== undefined) socket.write(piece, () => setTimeout(next, 5));
    };
    next();
  };
  expect(await probe([expects("220 ready")], serve, 2000)).toBe("ok: answered as expected");
});

test("a server that closes too early, and one that never ends", async () => {
  expect(await probe([expects("ready")], (socket) => void socket.end("busy"))).toBe(
    'failed: step 1: the server closed the connection: "busy" does not contain "ready"',
  );
  const flood = (socket: Socket) => {
    const write = () => {
      while (!socket.destroyed && socket.write("x".repeat(10_000)));
    };
    socket.on("drain", write);
    write();
  };
  expect(await probe([expects("ready")], flood, 5000)).toMatch(/^failed: step 1: more than 65536 bytes: "xxx/);
});

test("an expression that takes for ever", async () => {
  const serve = (socket: Socket) => void socket.write("x".repeat(60));
  expect(await probe([regex("^(x+x+)+y$")], serve, 5000)).toBe(
    "failed: step 1: matching ^(x+x+)+y$ takes longer than 100 ms: simplify it",
  );
});

async function secure(options: object, serve: (socket: TLSSocket) => void = () => {}): Promise<number> {
  const server = createServer({ ...certificates.server, ...options }, (socket) => {
    socket.on("error", () => {});
    serve(socket);
  });
  server.on("tlsClientError", () => {});
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

test("over TLS, with a name, a protocol and a client certificate", async () => {
  const seen: unknown[] = [];
  const authority = readFileSync(certificates.authority);
  const client = { requestCert: true, rejectUnauthorized: true, ca: authority, ALPNProtocols: ["imap", "managesieve"] };
  const port = await secure(client, (socket) => {
    seen.push([socket.servername, socket.alpnProtocol, socket.getPeerCertificate().subject.CN]);
    echo(socket);
  });
  const tls = {
    mode: "implicit" as const,
    verify: true,
    authorities: certificates.authority,
    serverName: "www.test",
    ...certificates.client,
  };
  const parameters: TcpParameters = { type: "tcp", host: "127.0.0.1", port, tls, alpn: ["managesieve"] };
  expect(await probeOnce(tcp, { ...parameters, steps: [expects("220")] })).toEqual({
    ok: true,
    reason: `tcp 127.0.0.1:${port}: answered as expected over TLS`,
  });
  expect(seen).toEqual([["www.test", "managesieve", "client"]]);
  const { ok, reason } = await probeOnce(tcp, { ...parameters, alpn: ["h2"] });
  expect([ok, reason]).toEqual([false, expect.stringMatching(/: TLS: .*(ALPN|no application protocol)/i)]);
});

test("a handshake is enough where nothing else is wanted, an untrusted certificate is not, one that expires is told of", async () => {
  const port = await secure(certificates.expiring);
  const tls = {
    mode: "implicit" as const,
    verify: true,
    authorities: certificates.authority,
    warnBefore: 14 * 86_400_000,
  };
  const ask = (changes: object) =>
    probeOnce(tcp, { type: "tcp", host: "127.0.0.1", port, tls: { ...tls, ...changes } } as TcpParameters);
  expect(await ask({})).toEqual({
    ok: true,
    reason: `tcp 127.0.0.1:${port}: connected over TLS`,
    warning: `the certificate of 127.0.0.1:${port} expires in less than a day`,
  });
  expect((await ask({ serverName: "other.test" })).reason).toContain("the certificate is for another name");
  expect(await ask({ serverName: "other.test", verify: false })).toMatchObject({ ok: true });
});
