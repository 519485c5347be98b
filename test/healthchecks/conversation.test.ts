import { rmSync } from "node:fs";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { createServer as createTlsServer, TLSSocket } from "node:tls";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { type Conversation, converse } from "../../src/healthchecks/conversation.ts";
import { Inbox } from "../../src/healthchecks/inbox.ts";
import { quote } from "../../src/healthchecks/quote.ts";
import { until } from "../daemon/support.ts";
import { certificates, lineServer } from "./line-server.ts";
import { closedPort, listen, waitingPorts } from "./support.ts";

afterAll(() => rmSync(certificates().directory, { recursive: true }));

function talk(port: number, does: (peer: Conversation) => Promise<string>, limit = 5_000) {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new Error(`no answer within ${limit} ms`)), limit);
  return converse("test", { host: "127.0.0.1", port }, controller.signal, does).finally(() => clearTimeout(timer));
}
const readLine = async (peer: Conversation) => {
  peer.step = "greeting";
  return `said ${quote(await peer.line())}`;
};

describe("what arrives", () => {
  test("lines end with LF or CRLF, however they were cut into packets", async () => {
    const { port } = await lineServer((peer) => {
      peer.say("one\r");
      setTimeout(() => peer.say("\ntwo\nth"), 10);
      setTimeout(() => peer.say("ree\r\n\r\n"), 20);
    });
    const outcome = await talk(port, async (peer) => {
      const lines = [await peer.line(), await peer.line(), await peer.line(), await peer.line()];
      return JSON.stringify(lines);
    });
    expect(outcome).toEqual({ ok: true, reason: `test 127.0.0.1:${port}: ["one","two","three",""]` });
  });

  test("bytes are counted out, and the rest stays for the next question", async () => {
    const { port } = await lineServer((peer) => peer.say("abcdefg\r\n"));
    const outcome = await talk(port, async (peer) => {
      const parts = [await peer.bytes(3), await peer.bytes(0), await peer.bytes(2)].map(String);
      return [...parts, await peer.line()].join("|");
    });
    expect(outcome.reason).toBe(`test 127.0.0.1:${port}: abc||de|fg`);
  });

  test("what was said before the end can be read, and then the end is told", async () => {
    const { port } = await lineServer((peer) => peer.stream.end("-ERR max number of clients reached\r\nrest"));
    const heard: string[] = [];
    const outcome = await talk(port, async (peer) => {
      heard.push(await peer.line());
      heard.push(await peer.line());
      return "";
    });
    expect(heard).toEqual(["-ERR max number of clients reached"]);
    expect(outcome.reason).toBe(`test 127.0.0.1:${port}: connect: the server closed the connection after "rest"`);
  });

  test("whatever comes, and nothing at the end", async () => {
    const { port } = await lineServer((peer) => peer.stream.end("abc"));
    const outcome = await talk(port, async (peer) => `${await peer.some()}, ${(await peer.some()).length}`);
    expect(outcome.reason).toBe(`test 127.0.0.1:${port}: abc, 0`);
  });
});

describe("a failure names the step and what came instead", () => {
  test("refused", async () => {
    const port = await closedPort();
    expect(await talk(port, readLine)).toEqual({
      ok: false,
      reason: `test 127.0.0.1:${port}: connect: refused (ECONNREFUSED)`,
    });
  });

  test("closed at once, and reset", async () => {
    const closing = await lineServer((peer) => peer.stream.end());
    expect((await talk(closing.port, readLine)).reason).toBe(
      `test 127.0.0.1:${closing.port}: greeting: the server closed the connection`,
    );
    const resetting = await listen((socket) => socket.resetAndDestroy());
    expect((await talk(resetting, readLine)).reason).toMatch(/: reset \(ECONNRESET\)$/);
  });

  test("silence", async () => {
    const { port } = await lineServer(() => {});
    expect((await talk(port, readLine, 50)).reason).toBe(`test 127.0.0.1:${port}: greeting: no answer within 50 ms`);
  });

  test("aborted before it began", async () => {
    const outcome = await converse(
      "test",
      { host: "127.0.0.1", port: 9 },
      AbortSignal.abort(new Error("stopped")),
      readLine,
    );
    expect(outcome).toEqual({ ok: false, reason: "test 127.0.0.1:9: connect: stopped" });
  });

  test("over IPv6 the address stands in brackets", async () => {
    const port = await listen((socket) => socket.write("hello\n"), "::1");
    const { signal } = new AbortController();
    expect((await converse("test", { host: "::1", port }, signal, readLine)).reason).toBe(
      `test [::1]:${port}: said "hello"`,
    );
  });
});

describe("a hostile server", () => {
  test("a line without an end stops being read", async () => {
    const { port } = await lineServer((peer) => {
      const more = () => {
        if (!peer.stream.destroyed && peer.stream.write("x".repeat(1000))) setImmediate(more);
      };
      peer.stream.on("drain", more);
      more();
    });
    const { ok, reason } = await talk(port, readLine);
    expect(ok).toBe(false);
    expect(reason).toMatch(/: greeting: a line of more than 4096 bytes: "x{80}…"$/);
  });

  test("lines without an end stop being read", async () => {
    const { port } = await lineServer((peer) => {
      const more = () => {
        while (!peer.stream.destroyed && peer.stream.write("again\r\n".repeat(1000)));
      };
      peer.stream.on("drain", more);
      more();
    });
    const outcome = await talk(port, async (peer) => {
      for (;;) await peer.line();
    });
    expect(outcome.reason).toMatch(/: the server sent more than 262144 bytes/);
  });

  test("while nobody reads the server has to wait", async () => {
    let sent = 0;
    const { port } = await lineServer((peer) => {
      const more = () => {
        while (!peer.stream.destroyed && peer.stream.write(Buffer.alloc(65_536))) sent += 65_536;
      };
      peer.stream.on("drain", more);
      more();
    });
    let held = 0;
    await talk(port, async (peer) => {
      await new Promise((resolve) => setTimeout(resolve, 150));
      held = (await peer.some()).length;
      return "";
    });
    expect(sent).toBeGreaterThan(131_072);
    expect(held).toBeLessThanOrEqual(131_072);
  });

  test("a byte at a time is not waited for beyond the run", async () => {
    const { port } = await lineServer((peer) => {
      const timer = setInterval(() => peer.say("x"), 2);
      peer.stream.on("close", () => clearInterval(timer));
    });
    const { reason } = await talk(port, readLine, 60);
    expect(reason).toMatch(/: greeting: no answer within 60 ms after "x+"$/);
  });

  test("what it says is printable and short in a reason", () => {
    expect(quote("\x1b[2Jboo\x07\r\n\u202eabc\x9b")).toBe('"·[2Jboo·abc·"');
    expect(quote(Buffer.from([0xff, 0xfe, 0x41, 0x00, 0x42]))).toBe('"·A B"');
    expect(quote("x".repeat(10_000))).toBe(`"${"x".repeat(80)}…"`);
  });
});

describe("the end", () => {
  test("is a reset, and leaves no port waiting", async () => {
    const server = await lineServer((peer) => peer.say("hello\r\n"));
    expect(await talk(server.port, readLine)).toMatchObject({ ok: true });
    await until(() => server.ends.length === 1, "the end of the connection");
    expect(server.ends).toEqual(["ECONNRESET"]);
    expect(waitingPorts(server.port)).toBe(0);
  });

  test("is a reset after a failure, too", async () => {
    const server = await lineServer((peer) => peer.say("hello\r\n"));
    await talk(server.port, () => Promise.reject(new Error("no")));
    await until(() => server.ends.length === 1, "the end of the connection");
    expect(server.ends).toEqual(["ECONNRESET"]);
  });

  test("comes after the last word, which the server may answer by closing", async () => {
    const server = await lineServer(
      (peer) => peer.say("hello\r\n"),
      (_, peer) => peer.stream.end("bye\r\n"),
    );
    await talk(server.port, async (peer) => {
      peer.goodbye("QUIT\r\n");
      return readLine(peer);
    });
    await until(() => server.ends.length === 1, "the end of the connection");
    expect(server.lines).toEqual(["QUIT"]);
    expect(server.ends).toEqual(["closed"]);
    expect(waitingPorts(server.port)).toBe(0);
  });

  test("does not wait long for a server that does not close", async () => {
    const server = await lineServer((peer) => peer.say("hello\r\n"));
    const begun = performance.now();
    await talk(server.port, async (peer) => {
      peer.goodbye("QUIT\r\n");
      return readLine(peer);
    });
    expect(performance.now() - begun).toBeLessThan(150);
    await until(() => server.ends.length === 1, "the end of the connection");
    expect(server.ends).toEqual(["ECONNRESET"]);
  });
});

describe("TLS", () => {
  const trusting = () => ({ mode: "starttls" as const, verify: true, authorities: certificates().authority });

  test("is taken up in the middle, with a certificate that is verified", async () => {
    const server = await lineServer(
      (peer) => peer.say("hello\r\n"),
      (line, peer) => {
        if (line === "TLS") {
          peer.say("go\r\n");
          peer.startTls();
        } else peer.say(`${line} in secret\r\n`);
      },
    );
    const outcome = await talk(server.port, async (peer) => {
      await peer.line();
      peer.send("TLS\r\n");
      await peer.line();
      await peer.startTls(trusting());
      peer.send("word\r\n");
      return `${await peer.line()} ${peer.isSecure}`;
    });
    expect(outcome).toEqual({ ok: true, reason: `test 127.0.0.1:${server.port}: word in secret true` });
    await until(() => server.ends.length === 1, "the end of the connection");
    expect(waitingPorts(server.port)).toBe(0);
  });

  test("what was slipped in before it is not taken for what is inside it", async () => {
    const server = await lineServer(
      () => {},
      (_, peer) => {
        peer.say("go\r\n250 all is well\r\n");
        peer.startTls();
      },
    );
    const outcome = await talk(server.port, async (peer) => {
      peer.send("TLS\r\n");
      await peer.line();
      await peer.startTls(trusting());
      return peer.line();
    });
    expect(outcome.reason).toBe(
      `test 127.0.0.1:${server.port}: TLS: the server said "250 all is well" before TLS began`,
    );
  });

  test.each([
    [
      "an authority that is not trusted",
      { verify: true },
      /: TLS: the authority of the certificate is not known \(UNABLE_TO_VERIFY_LEAF_SIGNATURE\)$/,
    ],
    [
      "another name",
      { serverName: "other.test" },
      /: TLS: the certificate is for another name \(ERR_TLS_CERT_ALTNAME_INVALID\)$/,
    ],
    [
      "a file that is not there",
      { authorities: "/nowhere/ca.pem" },
      /: TLS: cannot read \/nowhere\/ca.pem \(ENOENT\)$/,
    ],
    [
      "a file that holds none",
      { certificate: "/etc/hostname", key: "/etc/hostname" },
      /: TLS: no start line \(ERR_OSSL_PEM_NO_START_LINE\)$/,
    ],
  ])("%s", async (name, changes, reason) => {
    const base =
      name === "an authority that is not trusted" ? {} : { verify: true, authorities: certificates().authority };
    const server = await lineServer((peer) => peer.startTls());
    const outcome = await talk(server.port, async (peer) => {
      await peer.startTls({ verify: true, ...base, ...changes });
      return "trusted";
    });
    expect(outcome.ok).toBe(false);
    expect(outcome.reason).toMatch(reason);
    await until(() => server.ends.length === 1, "the end of the connection");
  });

  test("a server that speaks no TLS", async () => {
    const server = await lineServer((peer) => peer.say("220 hello, this is not TLS\r\n"));
    const outcome = await talk(server.port, async (peer) => {
      await peer.startTls(trusting());
      return "";
    });
    // It may have said it before TLS began, or instead of an answer.
    expect(outcome.reason).toMatch(
      /: TLS: (wrong version number \(ERR_SSL_WRONG_VERSION_NUMBER\)|the server said "220 .*" before TLS began)$/,
    );
  });

  test("a server that says the end of TLS a moment before it closes leaves no port waiting", async () => {
    let ended = 0;
    const port = await listen((socket) => {
      socket.on("close", () => ended++);
      serveTlsThatEndsLate(socket);
    });
    const outcome = await talk(port, async (peer) => {
      await peer.startTls(trusting());
      peer.goodbye("QUIT\r\n");
      return "fine";
    });
    expect(outcome).toMatchObject({ ok: true });
    await until(() => ended === 1, "the end of the connection");
    expect(waitingPorts(port)).toBe(0);
  });

  test("without verification, and by a name that the certificate has", async () => {
    const server = await lineServer((peer) => {
      peer.startTls();
      peer.say("hello\r\n");
    });
    for (const tls of [{ verify: false }, { ...trusting(), serverName: "www.test" }]) {
      const outcome = await talk(server.port, async (peer) => {
        await peer.startTls(tls);
        return peer.line();
      });
      expect(outcome.reason).toBe(`test 127.0.0.1:${server.port}: hello`);
    }
  });

  test("a protocol is agreed on, or not", async () => {
    const { server: identity } = certificates();
    const server = createTlsServer({ ...identity, ALPNProtocols: ["postgresql"] });
    onTestFinished(() => void server.close());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const ask = (protocol: string) =>
      talk(port, async (peer) => {
        await peer.startTls(trusting(), { protocols: [protocol] });
        return "agreed";
      });
    expect(await ask("postgresql")).toMatchObject({ ok: true });
    expect((await ask("h2")).reason).toMatch(/: TLS: .*(ALPN|alpn|no application protocol)/);
  });
});

test("the bytes that nobody has read yet", () => {
  const inbox = new Inbox();
  for (const part of ["a", "", "b\r", "\n\n", "cd"]) inbox.add(Buffer.from(part));
  expect([inbox.length, inbox.hasLine]).toEqual([7, true]);
  expect([inbox.line(), inbox.line(), inbox.line()].map((line) => line?.toString())).toEqual(["ab", "", undefined]);
  expect([inbox.length, inbox.hasLine]).toEqual([2, false]);
  expect([String(inbox.take(1)), String(inbox.peek()), String(inbox.take(9)), inbox.length]).toEqual([
    "c",
    "d",
    "d",
    0,
  ]);
});

/** Answers a first line with the end of TLS, and closes the connection below it 30 ms later. */
function serveTlsThatEndsLate(socket: Socket): void {
  const below = new Duplex({
    read() {},
    write: (chunk, _encoding, done) => void socket.write(chunk, () => done()),
    final: (done) => {
      setTimeout(() => {
        socket.end();
        done();
      }, 30);
    },
  });
  socket.on("data", (data) => below.push(data));
  socket.on("close", () => below.destroy());
  const { server, authority } = certificates();
  const secure = new TLSSocket(below, { isServer: true, ...server, ca: [authority] });
  secure.on("error", () => {});
  secure.on("data", () => secure.end());
}
