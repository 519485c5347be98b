import { rmSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { type RedisParameters, redis } from "../../src/healthchecks/redis.ts";
import { until } from "../daemon/support.ts";
import { certificates, lineServer } from "./line-server.ts";
import { probeOnce } from "./support.ts";

afterAll(() => rmSync(certificates().directory, { recursive: true }));

const probe = (port: number, changes: Partial<RedisParameters> = {}, limit?: number) =>
  probeOnce(redis, { type: "redis", host: "127.0.0.1", port, ...changes }, limit);

/** Answers each command, given as its words, with what `answers` has for it. */
function redisServer(answers: (words: readonly string[]) => string, secure = false) {
  let words: string[] = [];
  return lineServer(
    (peer) => {
      if (secure) peer.startTls();
    },
    (line, peer) => {
      if (line.startsWith("*")) words = [line];
      else if (!line.startsWith("$")) words.push(line);
      if (words.length === Number(words[0]?.slice(1)) + 1) peer.say(answers(words.slice(1)));
    },
  );
}
const bulk = (...texts: readonly string[]) => texts.map((text) => `$${text.length}\r\n${text}\r\n`).join("");

test("PING, and the connection is reset", async () => {
  const server = await redisServer(() => "+PONG\r\n");
  expect(await probe(server.port)).toEqual({ ok: true, reason: `redis 127.0.0.1:${server.port}: PING answered` });
  await until(() => server.ends.length === 1, "the end of the connection");
  expect(server.lines).toEqual(["*1", "$4", "PING"]);
  expect(server.ends).toEqual(["ECONNRESET"]);
});

test("a login with a password alone, and as a user; over TLS", async () => {
  const server = await redisServer((words) => (words[0] === "AUTH" ? "+OK\r\n" : "+PONG\r\n"), true);
  const tls = { mode: "implicit" as const, verify: true, authorities: certificates().authority };
  expect((await probe(server.port, { tls, login: { password: { text: "s e c" } } })).reason).toBe(
    `redis 127.0.0.1:${server.port}: PING answered over TLS`,
  );
  await probe(server.port, { tls, login: { user: "prüfer", password: { text: "x" } } });
  expect(server.lines.filter((line) => !/^[*]/.test(line))).toEqual([
    ...["$4", "AUTH", "$5", "s e c", "$4", "PING"],
    ...["$4", "AUTH", "$7", Buffer.from("prüfer").toString("latin1"), "$1", "x", "$4", "PING"],
  ]);
});

test("what it is", async () => {
  const role = (...parts: readonly string[]) =>
    redisServer(([word]) => (word === "ROLE" ? parts.join("") : "+PONG\r\n"));
  const master = await role(
    "*3\r\n",
    bulk("master"),
    ":3129659\r\n",
    "*1\r\n*3\r\n",
    bulk("192.0.2.2", "6379", "3129543"),
  );
  const replica = await role("*5\r\n", bulk("slave", "192.0.2.1"), ":6379\r\n", bulk("connected"), ":3167038\r\n");
  const lost = await role("*5\r\n", bulk("slave", "192.0.2.1"), ":6379\r\n", bulk("connect"), ":-1\r\n");
  expect(await probe(master.port, { role: "master" })).toEqual({
    ok: true,
    reason: `redis 127.0.0.1:${master.port}: it is master`,
  });
  expect(await probe(replica.port, { role: "replica" })).toMatchObject({ ok: true });
  expect((await probe(replica.port, { role: "master" })).reason).toBe(
    `redis 127.0.0.1:${replica.port}: ROLE: it is "replica" instead of master`,
  );
  expect((await probe(lost.port, { role: "replica" })).reason).toBe(
    `redis 127.0.0.1:${lost.port}: ROLE: its connection to its master is "connect" instead of connected`,
  );
});

test("keys that must be there, and that must not", async () => {
  const server = await redisServer(([word, key]) =>
    word === "EXISTS" ? `:${key === "ready" ? 1 : 0}\r\n` : "+PONG\r\n",
  );
  expect(await probe(server.port, { present: "ready", absent: "maintenance" })).toMatchObject({ ok: true });
  expect((await probe(server.port, { present: "other" })).reason).toBe(
    `redis 127.0.0.1:${server.port}: EXISTS: the key "other" is not there`,
  );
  expect((await probe(server.port, { absent: "ready" })).reason).toBe(
    `redis 127.0.0.1:${server.port}: EXISTS: the key "ready" is there`,
  );
});

describe("a failure", () => {
  test.each([
    ["no login", "-NOAUTH Authentication required.\r\n", 'PING: "-NOAUTH Authentication required."'],
    [
      "loading",
      "-LOADING Redis is loading the dataset in memory\r\n",
      'PING: "-LOADING Redis is loading the dataset in memory"',
    ],
    ["another answer", "+HELLO\r\n", 'PING: "\\"HELLO\\"" instead of +PONG'],
    ["nothing", "$-1\r\n", 'PING: "null" instead of +PONG'],
    ["a huge length", "$999999999\r\n", "PING: an answer of 999999999 bytes"],
    ["a length of no sense", "$99999999999999\r\n", 'PING: "$99999999999999", which is no answer of Redis'],
    ["a huge list", `*999999999\r\n${":1\r\n".repeat(2000)}`, "PING: an answer of too many values"],
    ["lists in lists", "*1\r\n".repeat(100), 'PING: "*1", which is no answer of Redis'],
    [
      "another protocol",
      "HTTP/1.1 400 Bad Request\r\n",
      'PING: "HTTP/1.1 400 Bad Request", which is no answer of Redis',
    ],
  ])("%s", async (_name, answer, reason) => {
    const server = await redisServer(() => answer);
    expect(await probe(server.port)).toEqual({ ok: false, reason: `redis 127.0.0.1:${server.port}: ${reason}` });
  });

  test("too many clients, which is said before anything is asked", async () => {
    const server = await lineServer((peer) => peer.stream.end("-ERR max number of clients reached\r\n"));
    expect((await probe(server.port)).reason).toBe(
      `redis 127.0.0.1:${server.port}: PING: "-ERR max number of clients reached"`,
    );
  });

  test("a wrong password, which is not repeated", async () => {
    const server = await redisServer(() => "-WRONGPASS not with hunter2\r\n");
    expect((await probe(server.port, { login: { password: { text: "hunter2" } } })).reason).toBe(
      `redis 127.0.0.1:${server.port}: AUTH: "-WRONGPASS not with ***"`,
    );
  });
});
