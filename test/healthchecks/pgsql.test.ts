import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import { rmSync } from "node:fs";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { afterAll, describe, expect, test } from "vitest";
import { type PgsqlParameters, pgsql } from "../../src/healthchecks/pgsql.ts";
import { finalMessage } from "../../src/healthchecks/scram.ts";
import { until } from "../daemon/support.ts";
import { certificates } from "./line-server.ts";
import { listen, probeOnce } from "./support.ts";

afterAll(() => rmSync(certificates().directory, { recursive: true }));

const probe = (port: number, changes: Partial<PgsqlParameters> = {}, limit?: number) =>
  probeOnce(pgsql, { type: "pgsql", host: "127.0.0.1", port, ...changes }, limit);
const ann = { login: { user: "ann", password: { text: "hunter2" } } };

const number = (value: number, bytes: 2 | 4 = 4) => {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntBE(value, 0, bytes);
  return buffer;
};
const message = (type: string, ...parts: readonly (Buffer | string)[]) => {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part as string)));
  return Buffer.concat([Buffer.from(type), number(content.length + 4), content]);
};
const authentication = (kind: number, ...rest: readonly (Buffer | string)[]) => message("R", number(kind), ...rest);
const ready = message("Z", "I");
const welcome = Buffer.concat([
  authentication(0),
  message("S", "server_version\x0017\0"),
  message("K", "12345678"),
  ready,
]);
const error = (severity: string, code: string, text: string) =>
  message("E", `SFEHLER\0V${severity}\0C${code}\0M${text}\0\0`);
const row = (...values: readonly (string | null)[]) =>
  message(
    "D",
    number(values.length, 2),
    ...values.map((value) =>
      value === null ? number(0xffffffff) : Buffer.concat([number(Buffer.byteLength(value)), Buffer.from(value)]),
    ),
  );

/** Answers what is asked before the login with `tls`, and each message then with what `answers` has for it. */
async function server(answers: readonly (Buffer | ((heard: Buffer) => Buffer))[], tls: "S" | "N" = "N") {
  const heard: Buffer[] = [];
  const ends: string[] = [];
  const port = await listen((socket) => {
    const left = [...answers];
    const serve = (stream: Socket): void => {
      stream.on("error", () => {});
      stream.on("data", (data: Buffer) => {
        if (data.length === 8 && data.readInt32BE(4) === 80_877_103) {
          stream.write(tls);
          if (tls === "N") return;
          stream.removeAllListeners("data");
          const { server: identity, authority } = certificates();
          serve(new TLSSocket(stream, { isServer: true, ...identity, ca: [authority] }));
          return;
        }
        heard.push(data);
        if (data.toString("latin1") === "X\0\0\0\x04") stream.end();
        const answer = left.shift();
        if (answer !== undefined) stream.write(typeof answer === "function" ? answer(data) : answer);
      });
    };
    socket.on("close", () => ends.push("end"));
    serve(socket);
  });
  return { port, heard, ends };
}

test("without a login an answer to the question for TLS is enough", async () => {
  const { port } = await server([]);
  expect(await probe(port)).toEqual({ ok: true, reason: `pgsql 127.0.0.1:${port}: answered` });
  const other = await listen((socket) => void socket.write("HTTP/1.1 400\r\n"));
  expect((await probe(other)).reason).toBe(`pgsql 127.0.0.1:${other}: SSLRequest: "H" instead of S or N`);
});

describe("a login", () => {
  test("that is trusted, and Terminate at the end", async () => {
    const { port, heard, ends } = await server([welcome]);
    expect(await probe(port, { login: { user: "ann" }, database: "shop" })).toEqual({
      ok: true,
      reason: `pgsql 127.0.0.1:${port}: logged in`,
    });
    await until(() => ends.length === 1, "the end of the connection");
    expect(heard.map((each) => each.subarray(4).toString("latin1"))).toEqual([
      "\0\x03\0\0user\0ann\0database\0shop\0application_name\0viprd\0client_encoding\0UTF8\0\0",
      "\x04",
    ]);
  });

  test("without a password it is enough that one is asked for, unless a query is to follow", async () => {
    const { port } = await server([authentication(3)]);
    const login = { login: { user: "ann" } };
    expect((await probe(port, login)).reason).toBe(`pgsql 127.0.0.1:${port}: asks for a password`);
    expect((await probe(port, { ...login, query: { text: "SELECT 1", row: [] } })).reason).toBe(
      `pgsql 127.0.0.1:${port}: login: the server asks for a password`,
    );
  });

  test("in clear text, and with MD5", async () => {
    const clear = await server([authentication(3), welcome]);
    expect(await probe(clear.port, ann)).toMatchObject({ ok: true });
    expect(clear.heard[1]).toEqual(message("p", "hunter2\0"));
    const md5 = await server([authentication(5, "salt"), welcome]);
    expect(await probe(md5.port, ann)).toMatchObject({ ok: true });
    const hex = (text: string) => createHash("md5").update(text).digest("hex");
    expect(md5.heard[1]).toEqual(message("p", `md5${hex(`${hex("hunter2ann")}salt`)}\0`));
  });

  test("with SCRAM, where the server has to know the password, too", async () => {
    const honest = await scramServer("hunter2");
    expect(await probe(honest.port, ann)).toEqual({ ok: true, reason: `pgsql 127.0.0.1:${honest.port}: logged in` });
    const other = await scramServer("other");
    expect((await probe(other.port, ann)).reason).toBe(
      `pgsql 127.0.0.1:${other.port}: login: FATAL 28P01 "wrong proof"`,
    );
    const lying = await scramServer("hunter2", { signature: "v=AAAA" });
    expect((await probe(lying.port, ann)).reason).toBe(
      `pgsql 127.0.0.1:${lying.port}: login: the server does not know the password`,
    );
    const greedy = await scramServer("hunter2", { iterations: 900_000_000 });
    expect((await probe(greedy.port, ann)).reason).toBe(
      `pgsql 127.0.0.1:${greedy.port}: login: the server wants 900000000 iterations of SCRAM`,
    );
    const replayed = await scramServer("hunter2", { nonce: "abc" });
    expect((await probe(replayed.port, ann)).reason).toBe(
      `pgsql 127.0.0.1:${replayed.port}: login: the challenge of the server is none of SCRAM`,
    );
  });

  test("over TLS, or not at all", async () => {
    const tls = { mode: "starttls" as const, verify: true, authorities: certificates().authority };
    const secure = await server([welcome], "S");
    expect((await probe(secure.port, { ...ann, tls })).reason).toBe(
      `pgsql 127.0.0.1:${secure.port}: logged in over TLS`,
    );
    const plain = await server([welcome]);
    expect((await probe(plain.port, { ...ann, tls })).reason).toBe(
      `pgsql 127.0.0.1:${plain.port}: SSLRequest: the server does not offer it`,
    );
    expect(plain.heard).toEqual([]);
  });
});

test("the proof and the signature of RFC 7677 section 3, but for the name, which is empty here", async () => {
  const nonce = "rOprNGfwEbeRWgbNEkqO";
  const challenge = `r=${nonce}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`;
  const final = await finalMessage("pencil", nonce, challenge);
  const bare = `c=biws,r=${nonce}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0`;
  const { proof, signature } = scramOf(
    "pencil",
    "W22ZaJ0SNY7soEsUEjb6gQ==",
    4096,
    `n=,r=${nonce},${challenge},${bare}`,
  );
  expect(final.message).toBe(`${bare},p=${proof}`);
  expect([final.proves(`v=${signature}`), final.proves("v=AAAA"), final.proves("e=other")]).toEqual([
    true,
    false,
    false,
  ]);
  // With the name of the RFC, to know that the other side of this test is right.
  expect(scramOf("pencil", "W22ZaJ0SNY7soEsUEjb6gQ==", 4096, `n=user,r=${nonce},${challenge},${bare}`)).toEqual({
    proof: "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
    signature: "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
  });
});

describe("a query", () => {
  const ask = async (answer: Buffer, wanted: readonly string[] = []) => {
    const { port } = await server([welcome, answer]);
    const { reason } = await probe(port, { ...ann, query: { text: "SELECT 1", row: wanted } });
    return reason.replace(`pgsql 127.0.0.1:${port}: `, "");
  };
  const done = Buffer.concat([message("C", "SELECT 1\0"), ready]);
  const columns = message("T", number(0, 2));

  test("finds the row that it should", async () => {
    const found = Buffer.concat([columns, row("f", null, "ä"), row("t"), message("N", "SNOTICE\0\0"), done]);
    expect(await ask(found)).toBe('logged in, the query found "f, NULL, ä"');
    expect(await ask(found, ["f"])).toBe('logged in, the query found "f, NULL, ä"');
  });

  test("finds another one, or none", async () => {
    expect(await ask(Buffer.concat([columns, row("t"), done]), ["f"])).toBe('query: "t" instead of "f"');
    expect(await ask(Buffer.concat([columns, row("a", "b"), done]), ["a", "c"])).toBe(
      'query: "a, b" instead of "c" in column 2',
    );
    expect(await ask(Buffer.concat([columns, done]))).toBe("query: no row");
  });

  test("is refused, or is answered with nonsense", async () => {
    expect(await ask(Buffer.concat([error("ERROR", "42P01", 'no relation "x"'), ready]))).toBe(
      'query: ERROR 42P01 "no relation \\"x\\""',
    );
    expect(await ask(message("D", number(1, 2), number(99), "x"))).toBe("query: a row that cannot be read");
    expect(await ask(Buffer.concat([Buffer.from("D"), number(0x7fffffff)]))).toBe(
      'query: "D·", which would be a message of 2147483647 bytes',
    );
  });
});

describe("a failure", () => {
  test.each([
    [
      "too many clients",
      error("FATAL", "53300", "sorry, too many clients already"),
      'FATAL 53300 "sorry, too many clients already"',
    ],
    [
      "a server that starts up",
      error("FATAL", "57P03", "the database system is starting up"),
      'FATAL 57P03 "the database system is starting up"',
    ],
    ["a wrong password, which is not repeated", error("FATAL", "28P01", "not hunter2"), 'FATAL 28P01 "not ***"'],
    ["Kerberos", authentication(7), "the server asks for a login of kind 7, which is not supported"],
    ["SCRAM of another kind", authentication(10, "SCRAM-SHA-512\0\0"), 'the server offers "SCRAM-SHA-512" only'],
    ["another protocol", Buffer.from("SSH-2.0-OpenSSH\r\n"), '"SSH-2", which would be a message of 1397239090 bytes'],
    ["no protocol", Buffer.from("\0\0\0\0\0\0"), '"", which is no message'],
    ["something else", message("D", "xx"), "D, which was not asked for"],
  ])("%s", async (_name, answer, reason) => {
    const { port } = await server([answer]);
    expect((await probe(port, ann)).reason).toBe(`pgsql 127.0.0.1:${port}: login: ${reason}`);
  });
});

/** The other side of SCRAM, after RFC 5802 section 3. */
function scramOf(password: string, salt: string, iterations: number, signed: string) {
  const hmac = (key: Buffer, text: string) => createHmac("sha256", key).update(text).digest();
  const salted = pbkdf2Sync(password, Buffer.from(salt, "base64"), iterations, 32, "sha256");
  const clientKey = hmac(salted, "Client Key");
  const clientSignature = hmac(createHash("sha256").update(clientKey).digest(), signed);
  return {
    proof: Buffer.from(clientKey.map((byte, i) => byte ^ (clientSignature[i] ?? 0))).toString("base64"),
    signature: hmac(hmac(salted, "Server Key"), signed).toString("base64"),
  };
}

async function scramServer(
  password: string,
  { signature, iterations = 4096, nonce }: { signature?: string; iterations?: number; nonce?: string } = {},
) {
  const salt = Buffer.from("some salt").toString("base64");
  let first = "";
  let challenge = "";
  return server([
    authentication(10, "SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"),
    (heard) => {
      first = heard.toString("latin1").replace(/^[\s\S]*n,,/, "");
      challenge = `r=${nonce ?? `${first.replace("n=,r=", "")}more`},s=${salt},i=${iterations}`;
      return authentication(11, challenge);
    },
    (heard) => {
      const final = heard.toString("latin1", 5);
      const bare = final.replace(/,p=.*$/, "");
      const expected = scramOf(password, salt, iterations, `${first},${challenge},${bare}`);
      if (final !== `${bare},p=${expected.proof}`) return error("FATAL", "28P01", "wrong proof");
      return Buffer.concat([authentication(12, signature ?? `v=${expected.signature}`), welcome]);
    },
  ]);
}
