import { rmSync } from "node:fs";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { afterAll, describe, expect, test } from "vitest";
import { type LdapParameters, ldap } from "../../src/healthchecks/ldap.ts";
import { decodeAll, decodeNumber, encode, encodeNumber, encodeText, tags } from "../../src/wire/ber.ts";
import { until } from "../daemon/support.ts";
import { certificates } from "./line-server.ts";
import { listen, probeOnce } from "./support.ts";

afterAll(() => rmSync(certificates().directory, { recursive: true }));

const probe = (port: number, changes: Partial<LdapParameters> = {}, limit?: number) =>
  probeOnce(ldap, { type: "ldap", host: "127.0.0.1", port, ...changes }, limit);
const result = (tag: number, code: number, diagnostic = "") =>
  encode(tag, encodeNumber(code, tags.enumerated), encodeText(""), encodeText(diagnostic));
const entry = (name: string) => encode(0x64, encodeText(name), encode(tags.sequence));
const search = { base: "dc=x", scope: "sub" as const, filter: "(uid=*)", least: 1 };

interface Asked {
  readonly id: number;
  readonly tag: number;
}

/** Answers each request with the operations that `answers` has for it; each request comes in one piece. */
async function directory(
  answers: (asked: Asked) => readonly Uint8Array[],
  options: { readonly id?: number; readonly secure?: boolean } = {},
) {
  const asked: string[] = [];
  const serve = (stream: Socket): void => {
    stream.on("error", () => {});
    stream.on("data", (data: Buffer) => {
      asked.push(data.toString("hex"));
      const [id, operation] = decodeAll(decodeAll(data)?.[0]?.content ?? new Uint8Array()) ?? [];
      const request = { id: (id && decodeNumber(id)) ?? 0, tag: operation?.tag ?? 0 };
      for (const each of answers(request)) {
        stream.write(encode(tags.sequence, encodeNumber(options.id ?? request.id), each));
      }
      if (request.tag === 0x42) stream.end();
      if (request.tag === 0x77) {
        stream.removeAllListeners("data");
        secured(stream);
      }
    });
  };
  const secured = (socket: Socket): void => {
    const { server, authority } = certificates();
    serve(new TLSSocket(socket, { isServer: true, ...server, ca: [authority] }));
  };
  const port = await listen(options.secure ? secured : serve);
  return { port, asked };
}
const willing =
  (...found: readonly Uint8Array[]) =>
  ({ tag }: Asked): readonly Uint8Array[] => {
    if (tag === 0x60) return [result(0x61, 0)];
    if (tag === 0x63) return [...found, result(0x65, 0)];
    return tag === 0x77 ? [result(0x78, 0)] : [];
  };

test("an anonymous bind, and an unbind at the end", async () => {
  const { port, asked } = await directory(willing());
  expect(await probe(port)).toEqual({ ok: true, reason: `ldap 127.0.0.1:${port}: bound anonymously` });
  await until(() => asked.length === 2, "unbind");
  expect(asked).toEqual(["300c020102600702010304008000", "30050201034200"]);
});

test("a bind by name, and entries that are found", async () => {
  const { port, asked } = await directory(willing(entry("uid=a"), entry("uid=b")));
  const login = { user: "cn=probe", password: { text: "hunter2" } };
  expect(await probe(port, { login, search })).toEqual({
    ok: true,
    reason: `ldap 127.0.0.1:${port}: bound, found at least 2 entries`,
  });
  expect(Buffer.from(asked[0] ?? "", "hex").toString("latin1")).toContain("cn=probe\x80\x07hunter2");
  expect((await probe(port, { search: { ...search, least: 0, most: 2 } })).reason).toBe(
    `ldap 127.0.0.1:${port}: bound anonymously, found 2 entries`,
  );
});

test("too few entries, and too many", async () => {
  const { port } = await directory(willing(entry("uid=a"), encode(0x73, encodeText("ldap://other/"))));
  expect((await probe(port, { search: { ...search, least: 2 } })).reason).toBe(
    `ldap 127.0.0.1:${port}: search: found 1 entry instead of at least 2`,
  );
  expect((await probe(port, { search: { ...search, least: 0, most: 0 } })).reason).toBe(
    `ldap 127.0.0.1:${port}: search: found more than 0`,
  );
});

test("a server that has more than was asked for has enough", async () => {
  const many = ({ tag }: Asked) => (tag === 0x60 ? [result(0x61, 0)] : [entry("uid=a"), result(0x65, 4)]);
  const { port } = await directory(many);
  expect(await probe(port, { search })).toMatchObject({ ok: true });
  expect((await probe(port, { search: { ...search, least: 3 } })).reason).toBe(
    `ldap 127.0.0.1:${port}: search: sizeLimitExceeded`,
  );
});

describe("a failure", () => {
  test.each([
    ["a wrong password", [result(0x61, 49, "not with hunter2")], 'bind: invalidCredentials "not with ***"'],
    ["a server that is busy", [result(0x61, 51)], "bind: busy"],
    ["a result of a newer time", [result(0x61, 123)], "bind: result 123"],
    ["an answer to something else", [result(0x65, 0)], "bind: answered as if to search-done"],
    ["no answer of LDAP", [encode(0x62)], "bind: answered with something that is no message of LDAP"],
  ])("%s", async (_name, answers, reason) => {
    const { port } = await directory(() => answers);
    const login = { user: "cn=probe", password: { text: "hunter2" } };
    expect(await probe(port, { login })).toEqual({ ok: false, reason: `ldap 127.0.0.1:${port}: ${reason}` });
  });

  test("a server that says why it closes, and one that answers something else", async () => {
    const closing = await directory(() => [result(0x78, 52, "going down")], { id: 0 });
    expect((await probe(closing.port)).reason).toBe(`ldap 127.0.0.1:${closing.port}: bind: unavailable "going down"`);
    const other = await directory(() => [result(0x61, 0)], { id: 9 });
    expect((await probe(other.port)).reason).toBe(
      `ldap 127.0.0.1:${other.port}: bind: answered to message 9 instead of 2`,
    );
  });

  test.each([
    ["another protocol", Buffer.from("SSH-2.0-OpenSSH\r\n"), 'bind: "SS", which is not LDAP'],
    ["a huge length", Buffer.from("3084ffffffff00", "hex"), "bind: answered with a message of 4294967301 bytes"],
    ["a length without end", Buffer.from("3080", "hex"), 'bind: "0·", which is not LDAP'],
  ])("%s", async (_name, greeting, reason) => {
    const port = await listen((socket) => void socket.write(greeting));
    expect((await probe(port)).reason).toBe(`ldap 127.0.0.1:${port}: ${reason}`);
  });

  test("endless entries", async () => {
    const { port } = await directory(({ tag }) =>
      tag === 0x60 ? [result(0x61, 0)] : Array.from({ length: 4000 }, () => entry(`uid=${"a".repeat(100)}`)),
    );
    expect((await probe(port, { search })).reason).toMatch(/search: the server sent more than 262144 bytes/);
  });
});

describe("with TLS", () => {
  const tls = (mode: "starttls" | "implicit") => ({
    tls: { mode, verify: true, authorities: certificates().authority },
  });

  test("StartTLS, and TLS from the first byte", async () => {
    const plain = await directory(willing());
    expect((await probe(plain.port, tls("starttls"))).reason).toBe(
      `ldap 127.0.0.1:${plain.port}: bound anonymously over TLS`,
    );
    const secure = await directory(willing(), { secure: true });
    expect(await probe(secure.port, tls("implicit"))).toMatchObject({ ok: true });
  });

  test("that is refused", async () => {
    const { port } = await directory(() => [result(0x78, 2, "unsupported extended operation")]);
    expect((await probe(port, tls("starttls"))).reason).toBe(
      `ldap 127.0.0.1:${port}: StartTLS: protocolError "unsupported extended operation"`,
    );
  });
});
