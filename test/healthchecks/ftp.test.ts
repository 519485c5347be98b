import { rmSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { type FtpParameters, ftp } from "../../src/healthchecks/ftp.ts";
import { until } from "../daemon/support.ts";
import { certificates, type LinePeer, lineServer } from "./line-server.ts";
import { closedPort, probeOnce } from "./support.ts";

afterAll(() => rmSync(certificates().directory, { recursive: true }));

const probe = (port: number, changes: Partial<FtpParameters> = {}, limit?: number) =>
  probeOnce(ftp, { type: "ftp", host: "127.0.0.1", port, ...changes }, limit);
const login = { user: "ann", password: { text: "pass word" } };
const tls = (mode: "starttls" | "implicit") => ({
  tls: { mode, verify: true, authorities: certificates().authority },
});

interface Options {
  /** Says where to connect to for data; undefined for a server that does not know the command. */
  readonly passive?: (command: string, port: number) => string;
  readonly content?: string | Buffer;
  readonly replies?: Readonly<Record<string, string>>;
}

async function ftpServer({
  passive = (_, port) => `229 here (|||${port}|)`,
  content = "fine\n",
  replies = {},
}: Options = {}) {
  let give: (() => void) | undefined;
  let given = false;
  let secure = false;
  const data = createServer((socket: Socket) => {
    socket.on("error", () => {});
    given = false;
    socket.on("close", () => {
      given = true;
    });
    give = () => {
      const { server, authority } = certificates();
      const stream = secure ? new TLSSocket(socket, { isServer: true, ...server, ca: [authority] }) : socket;
      stream.on("error", () => {});
      stream.end(content);
    };
  });
  onTestFinished(() => new Promise<void>((resolve) => data.close(() => resolve())));
  await new Promise<void>((resolve) => data.listen(0, "127.0.0.1", resolve));
  const { port } = data.address() as AddressInfo;
  return lineServer(
    (peer) => peer.say("220-welcome\r\n to the files\r\n220 ready\r\n"),
    async (line: string, peer: LinePeer) => {
      const [word = ""] = line.split(" ");
      const reply = replies[word];
      if (reply !== undefined) {
        peer.say(`${reply}\r\n`);
        return;
      }
      switch (word) {
        case "AUTH":
          peer.say("234 go\r\n");
          return peer.startTls();
        case "USER":
          return peer.say("331 and?\r\n");
        case "PASS":
          return peer.say(line === "PASS pass word" ? "230 in\r\n" : `530 not with ${line}\r\n`);
        case "PROT":
          secure = true;
          return peer.say("200 ok\r\n");
        case "EPSV":
        case "PASV":
          return peer.say(`${passive(word, port)}\r\n`);
        case "RETR":
          peer.say("150 here it comes\r\n");
          await until(() => give !== undefined, "the data connection");
          give?.();
          give = undefined;
          // Some servers wait for the end of the other side before they say so.
          await until(() => given, "the end of the data connection");
          return peer.say("226 done\r\n");
        case "QUIT":
          return void peer.stream.end("221 bye\r\n");
        default:
          peer.say("200 ok\r\n");
      }
    },
  );
}

test("a greeting of several lines, and QUIT", async () => {
  const server = await ftpServer();
  expect(await probe(server.port)).toEqual({
    ok: true,
    reason: `ftp 127.0.0.1:${server.port}: greeted with "220 welcome"`,
  });
  await until(() => server.ends.length === 1, "the end of the connection");
  expect([server.lines, server.ends]).toEqual([["QUIT"], ["closed"]]);
});

test("a login, with and without a password that is asked for", async () => {
  const server = await ftpServer();
  expect((await probe(server.port, { login })).reason).toBe(
    `ftp 127.0.0.1:${server.port}: greeted with "220 welcome", logged in`,
  );
  expect((await probe(server.port, { login: { ...login, password: { text: "hunter2" } } })).reason).toBe(
    `ftp 127.0.0.1:${server.port}: PASS: "530 not with PASS ***" instead of 230 or 202`,
  );
  const open = await ftpServer({ replies: { USER: "230 in" } });
  expect(await probe(open.port, { login })).toMatchObject({ ok: true });
  expect(open.lines).not.toContain("PASS pass word");
  const account = await ftpServer({ replies: { PASS: "332 account?" } });
  expect((await probe(account.port, { login })).reason).toContain('PASS: "332 account?" instead of 230 or 202');
});

describe("a file", () => {
  test("is fetched, and has to contain and to match", async () => {
    const server = await ftpServer({ content: "status: fine\n" });
    const wanted = { login, retrieve: "/pub/health", body: "fine", bodyRegex: "^status: " };
    expect(await probe(server.port, wanted)).toEqual({
      ok: true,
      reason: `ftp 127.0.0.1:${server.port}: greeted with "220 welcome", logged in, "/pub/health" has 13 bytes`,
    });
    expect(server.lines.slice(2, 5)).toEqual(["TYPE I", "EPSV", "RETR /pub/health"]);
    expect((await probe(server.port, { ...wanted, body: "better" })).reason).toBe(
      `ftp 127.0.0.1:${server.port}: /pub/health: does not contain "better": "status: fine"`,
    );
    expect((await probe(server.port, { ...wanted, bodyRegex: "^no" })).reason).toBe(
      `ftp 127.0.0.1:${server.port}: /pub/health: does not match ^no: "status: fine"`,
    );
  });

  test("is fetched by way of PASV where EPSV is not known; the address in the reply counts for nothing", async () => {
    const passive = (command: string, port: number) =>
      command === "EPSV" ? "500 what?" : `227 here (192,0,2,7,${port >> 8},${port & 255})`;
    const server = await ftpServer({ passive });
    expect(await probe(server.port, { login, retrieve: "f" })).toMatchObject({ ok: true });
  });

  test("is read so far and no further", async () => {
    const server = await ftpServer({ content: Buffer.alloc(1_000_000, 120) });
    expect((await probe(server.port, { login, retrieve: "f" })).reason).toMatch(/"f" has at least 131072 bytes$/);
  });

  test("that is not there, and ports that make no sense or that nobody listens on", async () => {
    const none = await ftpServer({ replies: { RETR: "550 no such file" } });
    expect((await probe(none.port, { login, retrieve: "f" })).reason).toBe(
      `ftp 127.0.0.1:${none.port}: RETR: "550 no such file" instead of 125 or 150`,
    );
    const odd = await ftpServer({ passive: () => "229 (|||99999|)" });
    expect((await probe(odd.port, { login, retrieve: "f" })).reason).toBe(
      `ftp 127.0.0.1:${odd.port}: EPSV: no port in "(|||99999|)"`,
    );
    const port = await closedPort();
    const closed = await ftpServer({ passive: () => `229 (|||${port}|)` });
    expect((await probe(closed.port, { login, retrieve: "f" })).reason).toBe(
      `ftp 127.0.0.1:${closed.port}: EPSV: data connection to port ${port}: refused (ECONNREFUSED)`,
    );
  });

  test("that never ends is not waited for beyond the run, and both connections end", async () => {
    const server = await ftpServer({ replies: { RETR: "150 soon" } });
    expect((await probe(server.port, { login, retrieve: "f" }, 60)).reason).toBe(
      `ftp 127.0.0.1:${server.port}: RETR: no answer within 60 ms`,
    );
    await until(() => server.ends.length === 1, "the end of the connection");
  });
});

describe("with TLS", () => {
  test("asked for, on both connections", async () => {
    const server = await ftpServer();
    expect((await probe(server.port, { login, retrieve: "f", body: "fine", ...tls("starttls") })).reason).toBe(
      `ftp 127.0.0.1:${server.port}: greeted with "220 welcome", logged in, "f" has 5 bytes over TLS`,
    );
    expect(server.lines.slice(0, 6)).toEqual(["AUTH TLS", "USER ann", "PASS pass word", "PBSZ 0", "PROT P", "TYPE I"]);
  });

  test("that is refused", async () => {
    const server = await ftpServer({ replies: { AUTH: "534 no" } });
    expect((await probe(server.port, { login, ...tls("starttls") })).reason).toBe(
      `ftp 127.0.0.1:${server.port}: AUTH: "534 no" instead of 234`,
    );
  });

  test("from the first byte", async () => {
    const server = await lineServer((peer) => {
      peer.startTls();
      peer.say("220 hello\r\n");
    });
    expect((await probe(server.port, tls("implicit"))).reason).toBe(
      `ftp 127.0.0.1:${server.port}: greeted with "220 hello" over TLS`,
    );
  });
});

test("a server that is busy, or that says when it is ready", async () => {
  const busy = await lineServer((peer) => peer.stream.end("421 too many users\r\n"));
  expect((await probe(busy.port)).reason).toBe(
    `ftp 127.0.0.1:${busy.port}: greeting: "421 too many users" instead of 120 or 220`,
  );
  const soon = await lineServer((peer) => peer.say("120 in a moment\r\n220 now\r\n"));
  expect((await probe(soon.port)).reason).toBe(`ftp 127.0.0.1:${soon.port}: greeted with "220 now"`);
});
