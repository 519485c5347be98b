import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type ImapParameters, imap } from "../../src/healthchecks/imap.ts";
import { type PopParameters, pop } from "../../src/healthchecks/pop.ts";
import { until } from "../daemon/support.ts";
import { certificates, type LinePeer, lineServer } from "./line-server.ts";
import { probeOnce } from "./support.ts";

const directory = mkdtempSync(join(tmpdir(), "viprd-mailbox-"));
afterAll(() => {
  rmSync(certificates().directory, { recursive: true });
  rmSync(directory, { recursive: true });
});
const tls = (mode: "starttls" | "implicit") => ({
  tls: { mode, verify: true, authorities: certificates().authority },
});
const ann = (text: string) => ({ login: { user: "ann", password: { text } } });

describe("imap", () => {
  const probe = (port: number, changes: Partial<ImapParameters> = {}) =>
    probeOnce(imap, { type: "imap", host: "127.0.0.1", port, ...changes });
  const greet = (peer: LinePeer) => peer.say("* OK ready\r\n");
  const answer = (line: string, peer: LinePeer): unknown => {
    const [tag = "", word] = line.split(" ");
    switch (word) {
      case "CAPABILITY":
        return peer.say(`* CAPABILITY IMAP4rev1 STARTTLS\r\n${tag} OK done\r\n`);
      case "STARTTLS":
        peer.say(`${tag} OK go\r\n`);
        return peer.startTls();
      case "LOGIN":
        return peer.say(`${tag} ${line.endsWith('"ann" "s3c\\"ret"') ? "OK" : `NO not with ${line}`}\r\n`);
      case "AUTHENTICATE":
        return peer.say("+ \r\n");
      case "LOGOUT":
        return peer.stream.end("* BYE\r\n");
      default:
        return peer.say(
          `AUTHENTICATE ${line === Buffer.from("\0ann\0wörd").toString("base64") ? "OK" : `NO ${line}`}\r\n`,
        );
    }
  };

  test("without a login it greets and answers", async () => {
    const server = await lineServer(greet, answer);
    expect(await probe(server.port)).toEqual({
      ok: true,
      reason: `imap 127.0.0.1:${server.port}: greeted with "* OK ready", answered`,
    });
    await until(() => server.ends.length === 1, "the end of the connection");
    expect(server.lines).toEqual(["CAPABILITY CAPABILITY", "last LOGOUT"]);
    expect(server.ends).toEqual(["closed"]);
  });

  test("a login, with characters that have to be escaped and with others than ASCII", async () => {
    const server = await lineServer(greet, answer);
    const reason = `imap 127.0.0.1:${server.port}: greeted with "* OK ready", logged in`;
    expect(await probe(server.port, ann('s3c"ret'))).toEqual({ ok: true, reason });
    expect(await probe(server.port, ann("wörd"))).toEqual({ ok: true, reason });
  });

  test("a password that the server repeats is not shown", async () => {
    const server = await lineServer(greet, answer);
    expect(await probe(server.port, ann("hunter2"))).toEqual({
      ok: false,
      reason: `imap 127.0.0.1:${server.port}: LOGIN: "NO not with LOGIN LOGIN \\"ann\\" \\"***\\"" instead of OK`,
    });
    expect((await probe(server.port, ann("wörd2"))).reason).toBe(
      `imap 127.0.0.1:${server.port}: AUTHENTICATE: "NO ***" instead of OK`,
    );
  });

  test("STARTTLS, and TLS from the first byte", async () => {
    const server = await lineServer(greet, answer);
    expect((await probe(server.port, { ...tls("starttls"), ...ann('s3c"ret') })).reason).toBe(
      `imap 127.0.0.1:${server.port}: greeted with "* OK ready", logged in over TLS`,
    );
    const secure = await lineServer((peer) => {
      peer.startTls();
      greet(peer);
    }, answer);
    expect(await probe(secure.port, tls("implicit"))).toMatchObject({ ok: true });
  });

  test.each([
    [
      "a server that turns away",
      "* BYE too many connections\r\n",
      () => {},
      'greeting: "* BYE too many connections" instead of * OK',
    ],
    [
      "one that gives up",
      "* OK ready\r\n",
      (_: string, peer: LinePeer) => peer.say("* BYE shutting down\r\n"),
      'CAPABILITY: "* BYE shutting down"',
    ],
    [
      "one that refuses",
      "* OK ready\r\n",
      (_: string, peer: LinePeer) => peer.say("CAPABILITY BAD no\r\n"),
      'CAPABILITY: "BAD no" instead of OK',
    ],
    [
      "another protocol",
      "* OK ready\r\n",
      (_: string, peer: LinePeer) => peer.say("+OK what\r\n"),
      'CAPABILITY: "+OK what", which is no response',
    ],
    [
      "endless responses",
      "* OK ready\r\n",
      (_: string, peer: LinePeer) => peer.say("* 1 EXISTS\r\n".repeat(300)),
      "CAPABILITY: no end after 200 lines",
    ],
  ])("%s", async (_name, greeting, heard, reason) => {
    const server = await lineServer((peer) => peer.say(greeting), heard);
    expect(await probe(server.port)).toEqual({ ok: false, reason: `imap 127.0.0.1:${server.port}: ${reason}` });
  });
});

describe("pop", () => {
  const probe = (port: number, changes: Partial<PopParameters> = {}) =>
    probeOnce(pop, { type: "pop", host: "127.0.0.1", port, ...changes });
  const greet = (peer: LinePeer) => peer.say("+OK ready\r\n");
  const answer = (line: string, peer: LinePeer): void => {
    if (line === "QUIT") peer.stream.end("+OK bye\r\n");
    else if (line === "STLS") {
      peer.say("+OK go\r\n");
      peer.startTls();
    } else if (line.startsWith("PASS") && line !== "PASS a b") peer.say(`-ERR [AUTH] not ${line}\r\n`);
    else peer.say("+OK\r\n");
  };

  test("a greeting, a login, and QUIT", async () => {
    const server = await lineServer(greet, answer);
    const greeted = `pop 127.0.0.1:${server.port}: greeted with "+OK ready"`;
    expect(await probe(server.port)).toEqual({ ok: true, reason: greeted });
    expect(await probe(server.port, ann("a b"))).toEqual({ ok: true, reason: `${greeted}, logged in` });
    expect((await probe(server.port, { ...tls("starttls"), ...ann("a b") })).reason).toBe(
      `${greeted}, logged in over TLS`,
    );
    await until(() => server.ends.length === 3, "the ends of the connections");
    expect(server.lines).toEqual(["QUIT", "USER ann", "PASS a b", "QUIT", "STLS", "USER ann", "PASS a b", "QUIT"]);
  });

  test("a password from a file, read in every run and never shown", async () => {
    const server = await lineServer(greet, answer);
    const file = join(directory, "password");
    writeFileSync(file, "a b\n");
    const login = { login: { user: "ann", password: { file } } };
    expect(await probe(server.port, login)).toMatchObject({ ok: true });
    writeFileSync(file, "hunter2\r\n");
    expect((await probe(server.port, login)).reason).toBe(
      `pop 127.0.0.1:${server.port}: PASS: "-ERR [AUTH] not PASS ***" instead of +OK`,
    );
    writeFileSync(file, "two\nlines\n");
    expect((await probe(server.port, login)).reason).toBe(
      `pop 127.0.0.1:${server.port}: PASS: ${file} has more than one line, or control characters`,
    );
    writeFileSync(file, "x".repeat(5000));
    expect((await probe(server.port, login)).reason).toContain(`PASS: ${file} is too long for a password`);
    expect((await probe(server.port, { login: { user: "ann", password: { file: "/nowhere/p" } } })).reason).toBe(
      `pop 127.0.0.1:${server.port}: PASS: cannot read /nowhere/p (ENOENT)`,
    );
  });

  test("a server that turns away, and one without TLS", async () => {
    const busy = await lineServer((peer) => peer.stream.end("-ERR [SYS/TEMP] too many connections\r\n"));
    expect((await probe(busy.port)).reason).toBe(
      `pop 127.0.0.1:${busy.port}: greeting: "-ERR [SYS/TEMP] too many connections" instead of +OK`,
    );
    const plain = await lineServer(greet, (_, peer) => peer.say("-ERR what?\r\n"));
    expect((await probe(plain.port, tls("starttls"))).reason).toBe(
      `pop 127.0.0.1:${plain.port}: STLS: "-ERR what?" instead of +OK`,
    );
  });
});
