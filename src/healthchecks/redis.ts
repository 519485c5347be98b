/** `type: redis`: a Redis (or Valkey, KeyDB…) answers PING, and is what it should be. Speaks RESP2. */
import type { CheckType } from "./check-type.ts";
import { type Conversation, converse } from "./conversation.ts";
import { type Password, readPassword } from "./credentials.ts";
import { overTls, type Service, secureFirst } from "./service.ts";

export interface RedisParameters extends Service {
  readonly type: "redis";
  /** Without a user, it is the password of all (`requirepass`). */
  readonly login?: { readonly user?: string; readonly password: Password };
  readonly role?: "master" | "replica";
  /** A key that has to be there, and one that must not. */
  readonly present?: string;
  readonly absent?: string;
}

/** null is the nil of RESP. */
type Answer = string | number | null | readonly Answer[];

export const redis: CheckType<RedisParameters> = {
  probe(parameters, signal) {
    return converse("redis", parameters, signal, async (peer) => {
      await secureFirst(peer, parameters);
      const { login, role, present, absent } = parameters;
      if (login !== undefined) {
        peer.step = "AUTH";
        const secret = await readPassword(login.password);
        peer.conceal(secret);
        expect(peer, await ask(peer, "AUTH", ...(login.user === undefined ? [] : [login.user]), secret), "OK");
      }
      expect(peer, await ask(peer, "PING"), "PONG");
      const told = role === undefined ? "PING answered" : await checkRole(peer, role);
      if (present !== undefined) await checkKey(peer, present, 1);
      if (absent !== undefined) await checkKey(peer, absent, 0);
      return `${told}${overTls(peer)}`;
    });
  },
};

async function checkRole(peer: Conversation, wanted: "master" | "replica"): Promise<string> {
  const answer = await ask(peer, "ROLE");
  const [name, , , state] = Array.isArray(answer) ? answer : [];
  const role = name === "slave" ? "replica" : name;
  if (role !== wanted) throw new Error(`it is ${peer.quote(String(role))} instead of ${wanted}`);
  // One that has lost its master answers with data of the past.
  if (role === "replica" && state !== "connected") {
    throw new Error(`its connection to its master is ${peer.quote(String(state))} instead of connected`);
  }
  return `it is ${role}`;
}

async function checkKey(peer: Conversation, key: string, wanted: 0 | 1): Promise<void> {
  const answer = await ask(peer, "EXISTS", key);
  if (answer === wanted) return;
  throw new Error(
    typeof answer === "number"
      ? `the key ${peer.quote(key)} is ${wanted === 1 ? "not there" : "there"}`
      : `${peer.quote(JSON.stringify(answer))} instead of a number`,
  );
}

function expect(peer: Conversation, answer: Answer, wanted: string): void {
  if (answer !== wanted) throw new Error(`${peer.quote(JSON.stringify(answer))} instead of +${wanted}`);
}

async function ask(peer: Conversation, ...words: readonly [string, ...string[]]): Promise<Answer> {
  peer.step = words[0];
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  peer.send(`*${words.length}\r\n${parts.join("")}`);
  return readAnswer(peer, { left: 1000 }, 0);
}

const longestText = 65_536;
const deepest = 8;

/** Throws what Redis calls an error. `bound.left` is how many values there may be, however they are nested. */
async function readAnswer(peer: Conversation, bound: { left: number }, depth: number): Promise<Answer> {
  if (bound.left-- <= 0) throw new Error("an answer of too many values");
  const line = await peer.line();
  const rest = line.slice(1);
  switch (line[0]) {
    case "+":
      return rest;
    case "-":
      throw new Error(peer.quote(line));
    case ":":
      if (/^[-+]?\d{1,19}$/.test(rest)) return Number(rest);
      break;
    case "$": {
      if (rest === "-1") return null;
      if (!/^\d{1,9}$/.test(rest)) break;
      const length = Number(rest);
      if (length > longestText) throw new Error(`an answer of ${length} bytes`);
      return (await peer.bytes(length + 2)).subarray(0, length).toString("utf8");
    }
    case "*": {
      if (rest === "-1") return null;
      if (!/^\d{1,9}$/.test(rest) || depth >= deepest) break;
      const values: Answer[] = [];
      for (let left = Number(rest); left > 0; left--) values.push(await readAnswer(peer, bound, depth + 1));
      return values;
    }
  }
  throw new Error(`${peer.quote(line)}, which is no answer of Redis`);
}
