import { rmSync } from "node:fs";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { afterAll, describe, expect, test } from "vitest";
import { type MysqlParameters, mysql } from "../../src/healthchecks/mysql.ts";
import { cachingProof, decodeGreeting, nativeProof } from "../../src/healthchecks/mysql-packets.ts";
import { until } from "../daemon/support.ts";
import { certificates } from "./line-server.ts";
import { listen, probeOnce } from "./support.ts";

afterAll(() => rmSync(certificates().directory, { recursive: true }));

const probe = (port: number, changes: Partial<MysqlParameters> = {}, limit?: number) =>
  probeOnce(mysql, { type: "mysql", host: "127.0.0.1", port, user: "ann", ...changes }, limit);
const hunter2 = { password: { text: "hunter2" } };
const nonce = Buffer.from("0102030405060708090a0b0c0d0e0f1011121314", "hex");

/** Of MariaDB 10.11.19, as it came. */
const mariadb = Buffer.from(
  "0a352e352e352d31302e31312e31392d4d6172696144422d302b64656231327531002600000058353f7c734d653800feff080200ff81150000000000001d000000254f3d27477125623d4b4040006d7973716c5f6e61746976655f70617373776f726400",
  "hex",
);
const greeting = (plugin: string, flags = 0x89aa08) =>
  Buffer.concat([
    Buffer.from("\x0a8.4.0\0\x01\0\0\0", "latin1"),
    nonce.subarray(0, 8),
    Buffer.from([0, flags & 255, (flags >> 8) & 255, 45, 2, 0, flags >> 16, 0, 21]),
    Buffer.alloc(10),
    nonce.subarray(8),
    Buffer.from(`\0${plugin}\0`),
  ]);
const packet = (sequence: number, content: Uint8Array) =>
  Buffer.concat([Buffer.from([content.length & 255, content.length >> 8, 0, sequence]), content]);
const error = (code: number, text: string) =>
  Buffer.concat([Buffer.from([0xff, code & 255, code >> 8]), Buffer.from(text)]);
const ok = Buffer.from([0, 0, 0, 2, 0, 0, 0]);
const end = Buffer.from([0xfe, 0, 0, 2, 0]);
const cells = (...values: readonly (string | null)[]) =>
  Buffer.concat(
    values.map((value) => (value === null ? Buffer.from([0xfb]) : Buffer.from([value.length, ...Buffer.from(value)]))),
  );
const result = (columns: number, ...rows: readonly Buffer[]) => [
  Buffer.from([columns]),
  ...Array.from({ length: columns }, () => Buffer.from("\x03def")),
  end,
  ...rows,
  end,
];

interface Script {
  readonly greeting?: Buffer;
  /** What each packet of the client is answered with, the one that asks for TLS aside. */
  readonly answers?: readonly (readonly Buffer[])[];
}

async function server({ greeting: first = greeting("mysql_native_password"), answers = [[ok]] }: Script = {}) {
  const heard: Buffer[] = [];
  const left = [...answers];
  const ends: string[] = [];
  const serve = (stream: Socket): void => {
    stream.on("error", () => {});
    stream.on("data", (data: Buffer) => {
      const content = data.subarray(4);
      if (content.length === 32 && data[3] === 1) {
        stream.removeAllListeners("data");
        const { server: identity, authority } = certificates();
        serve(new TLSSocket(stream, { isServer: true, ...identity, ca: [authority] }));
        return;
      }
      heard.push(content);
      if (content.length === 1 && content[0] === 1) stream.end();
      let sequence = (data[3] ?? 0) + 1;
      for (const each of left.shift() ?? []) stream.write(packet(sequence++, each));
    });
  };
  const port = await listen((socket) => {
    socket.on("close", () => ends.push("end"));
    socket.write(packet(0, first));
    serve(socket);
  });
  return { port, heard, ends };
}

describe("a login", () => {
  test("with the native method, and COM_QUIT at the end", async () => {
    const { port, heard, ends } = await server();
    expect(await probe(port, { ...hunter2, database: "shop" })).toEqual({
      ok: true,
      reason: `mysql 127.0.0.1:${port}: logged in to "8.4.0"`,
    });
    await until(() => ends.length === 1, "the end of the connection");
    const [response, quit] = heard;
    expect(response?.readUInt32LE(0)).toBe(0x8a209);
    expect(response?.subarray(32).toString("latin1")).toBe(
      `ann\0\x14${nativeProof("hunter2", nonce).toString("latin1")}shop\0mysql_native_password\0`,
    );
    expect(quit).toEqual(Buffer.from([1]));
  });

  test("with no password, and to a MariaDB as it greets", async () => {
    const { port, heard } = await server({ greeting: mariadb });
    expect((await probe(port)).reason).toBe(`mysql 127.0.0.1:${port}: logged in to "10.11.19-MariaDB-0+deb12u1"`);
    expect(heard[0]?.subarray(32).toString("latin1")).toBe("ann\0\0mysql_native_password\0");
  });

  test("with a method that the server changes to", async () => {
    const other = Buffer.concat([Buffer.from("\xfecaching_sha2_password\0", "latin1"), nonce, Buffer.from([0])]);
    const { port, heard } = await server({ answers: [[other], [Buffer.from([1, 3]), ok]] });
    expect(await probe(port, hunter2)).toMatchObject({ ok: true });
    expect(heard[1]).toEqual(cachingProof("hunter2", nonce));
  });

  test("the password itself is sent over TLS only", async () => {
    const full = Buffer.from([1, 4]);
    const script = { greeting: greeting("caching_sha2_password"), answers: [[full], [ok]] };
    const plain = await server(script);
    expect((await probe(plain.port, hunter2)).reason).toBe(
      `mysql 127.0.0.1:${plain.port}: login: the server wants the password itself, which is sent over TLS only`,
    );
    expect(Buffer.concat(plain.heard).includes("hunter2")).toBe(false);
    const secure = await server(script);
    const tls = { mode: "starttls" as const, verify: true, authorities: certificates().authority };
    expect((await probe(secure.port, { ...hunter2, tls })).reason).toBe(
      `mysql 127.0.0.1:${secure.port}: logged in over TLS to "8.4.0"`,
    );
    expect(secure.heard[1]).toEqual(Buffer.from("hunter2\0"));
  });

  test("without TLS where it is wanted", async () => {
    const { port } = await server({ greeting: greeting("mysql_native_password", 0x89a208) });
    expect((await probe(port, { tls: { mode: "starttls", verify: false } })).reason).toBe(
      `mysql 127.0.0.1:${port}: login: the server does not offer TLS`,
    );
  });
});

test("the proofs are those that mysql2 3.24 makes", () => {
  expect(nativeProof("hunter2", nonce).toString("hex")).toBe("be2cbec13fd268cf921774da8dde99447d699455");
  expect(cachingProof("hunter2", nonce).toString("hex")).toBe(
    "04917479a40a673ae2388df86966d1b73768b4452df9a624881d93be865dc44c",
  );
});

test("the greeting of a MariaDB", () => {
  expect(decodeGreeting(mariadb)).toEqual({
    version: "5.5.5-10.11.19-MariaDB-0+deb12u1",
    capabilities: 0x81fffffe,
    plugin: "mysql_native_password",
    nonce: Buffer.from("X5?|sMe8%O='Gq%b=K@@"),
  });
  for (let length = 0; length < 64; length++) expect(decodeGreeting(mariadb.subarray(0, length))).toBe(undefined);
});

describe("a query", () => {
  const ask = (rows: readonly Buffer[], row: readonly string[] = []) =>
    server({ answers: [[ok], rows] }).then(async ({ port }) => {
      const { reason } = await probe(port, { query: { text: "SELECT 1", row } });
      return reason.replace(`mysql 127.0.0.1:${port}: `, "");
    });

  test("finds the row that it should", async () => {
    const found = 'logged in to "8.4.0", the query found "wsrep_ready, ON"';
    expect(await ask(result(2, cells("wsrep_ready", "ON"), cells("x", "y")))).toBe(found);
    expect(await ask(result(2, cells("wsrep_ready", "ON")), ["wsrep_ready", "ON"])).toBe(found);
    expect(await ask(result(1, cells(null)))).toBe('logged in to "8.4.0", the query found "NULL"');
  });

  test("finds another one, or none", async () => {
    expect(await ask(result(2, cells("wsrep_ready", "OFF")), ["wsrep_ready", "ON"])).toBe(
      'query: "wsrep_ready, OFF" instead of "ON" in column 2',
    );
    expect(await ask(result(1, cells(null)), ["1"])).toBe('query: "NULL" instead of "1"');
    expect(await ask(result(1))).toBe("query: no row");
    expect(await ask([ok])).toBe("query: no row");
  });

  test.each([
    ["refused", [error(1142, "#42000SELECT command denied")], 'query: error 1142 "SELECT command denied"'],
    ["that wants a file of this host", [Buffer.from("\xfb/etc/passwd", "latin1")], "query: no result"],
    ["too many columns", [Buffer.from([200])], "query: 200 columns, more than 100"],
    ["no end of the columns", [Buffer.from([1]), cells("def"), cells("x")], "query: no end of the columns"],
    ["a row that is too short", result(2, cells("x")), "query: a row that cannot be read"],
    ["a row that claims more than it has", result(1, Buffer.from([200, 65])), "query: a row that cannot be read"],
  ])("%s", async (_name, answer, reason) => {
    expect(await ask(answer)).toBe(reason);
  });
});

describe("a failure", () => {
  test.each([
    ["too many connections", error(1040, "Too many connections"), 'greeting: error 1040 "Too many connections"'],
    ["a host that is blocked", error(1129, "Host 'lb' is blocked"), "greeting: error 1129 \"Host 'lb' is blocked\""],
    ["an old server", Buffer.from("\x093.23\0"), 'greeting: "3.23", which is no greeting of MySQL'],
    ["an error of nothing", Buffer.from([0xff]), "greeting: an error without a number"],
  ])("%s", async (_name, first, reason) => {
    const { port } = await server({ greeting: first });
    expect(await probe(port)).toEqual({ ok: false, reason: `mysql 127.0.0.1:${port}: ${reason}` });
  });

  test.each([
    [
      "a wrong password",
      [error(1045, "#28000Access denied for 'ann' with hunter2")],
      "error 1045 \"Access denied for 'ann' with ***\"",
    ],
    [
      "a method of another kind",
      [Buffer.from("\xfeclient_ed25519\0abc", "latin1")],
      'the server wants "client_ed25519", which is not supported',
    ],
    [
      "one that wants the password in clear text",
      [Buffer.from("\xfemysql_clear_password\0", "latin1")],
      'the server wants "mysql_clear_password", which is not supported',
    ],
    ["more of a method that has no more", [Buffer.from([1, 4])], "an answer that was not asked for"],
    ["something else", [Buffer.from([7, 7])], '"·", which is no answer to a login'],
  ])("%s", async (_name, answer, reason) => {
    const { port, heard } = await server({ answers: [answer] });
    expect((await probe(port, hunter2)).reason).toBe(`mysql 127.0.0.1:${port}: login: ${reason}`);
    expect(Buffer.concat(heard).includes("hunter2")).toBe(false);
  });

  test("a server that changes its mind for ever", async () => {
    const again = Buffer.concat([Buffer.from("\xfemysql_native_password\0", "latin1"), nonce, Buffer.from([0])]);
    const { port } = await server({ answers: Array.from({ length: 9 }, () => [again]) });
    expect((await probe(port, hunter2)).reason).toBe(`mysql 127.0.0.1:${port}: login: no end of the login`);
  });

  test("another protocol, and a huge packet", async () => {
    const ssh = await listen((socket) => void socket.write("SSH-2.0-OpenSSH\r\n"));
    expect((await probe(ssh)).reason).toBe(
      `mysql 127.0.0.1:${ssh}: greeting: "SSH-", which would be a packet of 4739923 bytes`,
    );
    const empty = await listen((socket) => void socket.write(Buffer.alloc(8)));
    expect((await probe(empty)).reason).toBe(`mysql 127.0.0.1:${empty}: greeting: an empty packet`);
  });
});
