import { rmSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { type SmtpParameters, smtp } from "../../src/healthchecks/smtp.ts";
import { until } from "../daemon/support.ts";
import { certificates, type LinePeer, lineServer } from "./line-server.ts";
import { listen, probeOnce } from "./support.ts";

afterAll(() => rmSync(certificates().directory, { recursive: true }));

const probe = (port: number, changes: Partial<SmtpParameters> = {}, limit?: number) =>
  probeOnce(smtp, { type: "smtp", host: "127.0.0.1", port, ...changes }, limit);
const tls = (mode: "starttls" | "implicit") => ({
  tls: { mode, verify: true, authorities: certificates().authority },
});
const greet = (peer: LinePeer) => peer.say("220 mx.test ESMTP\r\n");

function mailServer(line: string, peer: LinePeer): void {
  if (line.startsWith("EHLO")) peer.say("250-mx.test at your service\r\n250-SIZE 1000\r\n250 STARTTLS\r\n");
  else if (line === "STARTTLS") {
    peer.say("220 go ahead\r\n");
    peer.startTls();
  } else if (line === "QUIT") peer.stream.end("221 bye\r\n");
  else peer.say("500 what?\r\n");
}

test("greeting and EHLO, and a QUIT at the end", async () => {
  const server = await lineServer(greet, mailServer);
  expect(await probe(server.port, { hello: "probe.test" })).toEqual({
    ok: true,
    reason: `smtp 127.0.0.1:${server.port}: greeted with "220 mx.test ESMTP", EHLO answered`,
  });
  await until(() => server.ends.length === 1, "the end of the connection");
  expect(server.lines).toEqual(["EHLO probe.test", "QUIT"]);
  expect(server.ends).toEqual(["closed"]);
});

test("without a name it says its address", async () => {
  const four = await lineServer(greet, mailServer);
  await probe(four.port);
  expect(four.lines[0]).toBe("EHLO [127.0.0.1]");
  let heard = "";
  const six = await listen((socket) => {
    socket.write("220 mx\r\n");
    socket.on("data", (data) => {
      heard += data;
      socket.write("250 mx\r\n");
    });
  }, "::1");
  expect(await probe(six, { host: "::1" })).toMatchObject({ ok: true });
  expect(heard).toContain("EHLO [IPv6:::1]\r\n");
});

test("a server of old that knows only HELO", async () => {
  const server = await lineServer(greet, (line, peer) => {
    peer.say(line.startsWith("HELO") ? "250 mx.test\r\n" : "502 not implemented\r\n");
  });
  expect(await probe(server.port)).toEqual({
    ok: true,
    reason: `smtp 127.0.0.1:${server.port}: greeted with "220 mx.test ESMTP", HELO answered`,
  });
});

describe("a failure", () => {
  test.each([
    ["a greeting that turns away", "554 no service for you\r\n", 'greeting: "554 no service for you" instead of 220'],
    ["too busy", "421-too many\r\n421 connections\r\n", 'greeting: "421 too many connections" instead of 220'],
    ["another protocol", "SSH-2.0-OpenSSH\r\n", 'greeting: "SSH-2.0-OpenSSH", which is no reply with a code'],
    ["an endless greeting", "220-x\r\n".repeat(300), 'greeting: a reply of more than 200 lines: "220-x"'],
  ])("%s", async (_name, greeting, reason) => {
    const server = await lineServer((peer) => peer.say(greeting));
    expect(await probe(server.port)).toEqual({ ok: false, reason: `smtp 127.0.0.1:${server.port}: ${reason}` });
  });

  test("EHLO refused, and HELO as well", async () => {
    const busy = await lineServer(greet, (_, peer) => peer.say("421 shutting down\r\n"));
    expect((await probe(busy.port)).reason).toBe(
      `smtp 127.0.0.1:${busy.port}: EHLO: "421 shutting down" instead of 250`,
    );
    const strict = await lineServer(greet, (_, peer) => peer.say("550 not you\r\n"));
    expect((await probe(strict.port)).reason).toBe(`smtp 127.0.0.1:${strict.port}: HELO: "550 not you" instead of 250`);
  });

  test("silence after the greeting", async () => {
    const server = await lineServer(greet);
    expect((await probe(server.port, {}, 50)).reason).toBe(
      `smtp 127.0.0.1:${server.port}: EHLO: no answer within 50 ms`,
    );
  });
});

describe("with TLS", () => {
  test("STARTTLS, and a second EHLO inside it", async () => {
    const server = await lineServer(greet, mailServer);
    expect(await probe(server.port, tls("starttls"))).toEqual({
      ok: true,
      reason: `smtp 127.0.0.1:${server.port}: greeted with "220 mx.test ESMTP", EHLO answered over TLS`,
    });
    await until(() => server.lines.includes("QUIT"), "QUIT");
    expect(server.lines.map((line) => line.split(" ")[0])).toEqual(["EHLO", "STARTTLS", "EHLO", "QUIT"]);
  });

  test("a server that does not offer it, or does not do it", async () => {
    const plain = await lineServer(greet, (_, peer) => peer.say("250 mx.test\r\n"));
    expect((await probe(plain.port, tls("starttls"))).reason).toBe(
      `smtp 127.0.0.1:${plain.port}: STARTTLS: the server does not offer it`,
    );
    const broken = await lineServer(greet, (line, peer) => {
      peer.say(line === "STARTTLS" ? "454 no certificate\r\n" : "250-mx\r\n250 STARTTLS\r\n");
    });
    expect((await probe(broken.port, tls("starttls"))).reason).toBe(
      `smtp 127.0.0.1:${broken.port}: STARTTLS: "454 no certificate" instead of 220`,
    );
  });

  test("from the first byte", async () => {
    const server = await lineServer((peer) => {
      peer.startTls();
      greet(peer);
    }, mailServer);
    expect(await probe(server.port, tls("implicit"))).toMatchObject({ ok: true });
    expect((await probe(server.port, { tls: { mode: "implicit", verify: true } })).reason).toBe(
      `smtp 127.0.0.1:${server.port}: TLS: the authority of the certificate is not known (UNABLE_TO_VERIFY_LEAF_SIGNATURE)`,
    );
  });
});
