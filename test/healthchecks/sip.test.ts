import { createSocket } from "node:dgram";
import { rmSync } from "node:fs";
import type { AddressInfo, Socket } from "node:net";
import { createServer } from "node:tls";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { type SipParameters, sip } from "../../src/healthchecks/sip.ts";
import { decodeResponse, encodeOptions } from "../../src/wire/sip.ts";
import { makeCertificates } from "./certificates.ts";
import { listen, probeOnce } from "./support.ts";

const certificates = makeCertificates();
afterAll(() => rmSync(certificates.directory, { recursive: true }));

/** As a server answers: with Via, From, To, Call-ID and CSeq of the request (RFC 3261 section 8.2.6.2). */
function respond(request: string, status: string, more: readonly string[] = [], body = ""): string {
  const kept = request.split("\r\n").filter((line) => /^(Via|From|To|Call-ID|CSeq):/.test(line));
  return [`SIP/2.0 ${status}`, ...kept, ...more, `Content-Length: ${body.length}`, "", body].join("\r\n");
}

async function datagrams(answers: (request: string) => readonly string[]) {
  const requests: string[] = [];
  const socket = createSocket("udp4");
  socket.on("message", (message, from) => {
    requests.push(String(message));
    for (const answer of answers(String(message))) socket.send(answer, from.port, from.address);
  });
  onTestFinished(() => void socket.close());
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  return { port: socket.address().port, requests };
}

function probe(changes: Partial<SipParameters>, limit?: number) {
  const parameters: SipParameters = {
    type: "sip",
    host: "127.0.0.1",
    port: 9,
    transport: "udp",
    statusCodes: [[200, 200]],
    ...changes,
  };
  return probeOnce(sip, parameters, limit);
}

describe("over UDP", () => {
  test("a server that answers, after it has said that it tries", async () => {
    const { port, requests } = await datagrams((request) => [
      respond(request, "100 Trying"),
      respond(request, "200 OK"),
    ]);
    expect(await probe({ port })).toEqual({ ok: true, reason: `sip 127.0.0.1:${port}: answered "200 OK"` });
    const lines = requests[0]?.split("\r\n") ?? [];
    expect(lines[0]).toBe(`OPTIONS sip:127.0.0.1:${port} SIP/2.0`);
    expect(lines[1]).toMatch(/^Via: SIP\/2\.0\/UDP 127\.0\.0\.1:\d+;branch=z9hG4bK[0-9a-f]{16};rport$/);
    expect(lines.slice(-3)).toEqual(["Content-Length: 0", "", ""]);
  });

  test("a status that is not wanted, and one that is", async () => {
    const { port } = await datagrams((request) => [respond(request, "404 Not Found")]);
    expect(await probe({ port })).toEqual({
      ok: false,
      reason: `sip 127.0.0.1:${port}: answered "404 Not Found" instead of 200`,
    });
    expect(await probe({ port, statusCodes: [[400, 499]] })).toMatchObject({ ok: true });
  });

  test("answers to others are none, and what is no SIP is told at the end", async () => {
    const { port } = await datagrams((request) => [
      respond(request, "200 OK").replace(/Call-ID: ./, "Call-ID: z"),
      respond(request, "200 OK").replace("1 OPTIONS", "1 INVITE"),
      request,
      "HTTP/1.1 200 OK\r\n\r\n",
    ]);
    expect(await probe({ port }, 50)).toEqual({
      ok: false,
      reason: `sip 127.0.0.1:${port}: no answer within 50 ms, only something that is no SIP: "HTTP/1.1 200 OK"`,
    });
  });

  test("another URI", async () => {
    const { port, requests } = await datagrams((request) => [respond(request, "200 OK")]);
    await probe({ port, uri: "sip:ping@example.com" });
    expect(requests[0]).toContain("OPTIONS sip:ping@example.com SIP/2.0\r\n");
    expect(requests[0]).toContain("To: <sip:ping@example.com>\r\n");
  });
});

describe("over TCP and TLS", () => {
  const answer = (socket: Socket) =>
    socket.once("data", (data) => {
      socket.write(`\r\n\r\n${respond(String(data), "183 Session Progress", ["X: y"], "v=0\r\n\r\n")}`);
      socket.write(respond(String(data), "200 Fine"));
    });

  test("a server that answers, behind a provisional response with a body", async () => {
    const port = await listen(answer);
    expect(await probe({ port, transport: "tcp" })).toEqual({
      ok: true,
      reason: `sip 127.0.0.1:${port}: answered "200 Fine"`,
    });
  });

  test("a server of something else", async () => {
    const port = await listen((socket) => void socket.write("SSH-2.0-x\r\n\r\n"));
    expect((await probe({ port, transport: "tcp" })).reason).toBe(
      `sip 127.0.0.1:${port}: OPTIONS: something that is no SIP: "SSH-2.0-x"`,
    );
  });

  test("TLS", async () => {
    const server = createServer(certificates.server, (socket) => {
      socket.on("error", () => {});
      answer(socket);
    });
    onTestFinished(() => void server.close());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const tls = { verify: true, authorities: certificates.authority };
    expect(await probe({ port, transport: "tls", tls })).toEqual({
      ok: true,
      reason: `sip 127.0.0.1:${port}: answered "200 Fine" over TLS`,
    });
    expect((await probe({ port, transport: "tls", tls: { verify: true } })).ok).toBe(false);
  });
});

test("compact names of headers (RFC 3261 section 7.3.3), and a phrase that is missing", () => {
  const lines = ["SIP/2.0 200", "i: abc@viprd", "CSeq:  0001 OPTIONS", "l:5"];
  expect(decodeResponse(lines, "abc")).toEqual({ status: 200, phrase: "", length: 5 });
  expect(decodeResponse(lines, "abd")).toBeUndefined();
  expect(decodeResponse(["SIP/2.0 799 No", ...lines.slice(1)], "abc")).toBe("something that is no SIP");
  expect(encodeOptions({ transport: "TCP", uri: "sip:a", from: "[::1]:7", token: "abc" })).toContain("[::1]:7;branch");
});
