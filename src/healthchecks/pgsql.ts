/** `type: pgsql`: a PostgreSQL takes clients, lets one in, and answers a query, as far as that is wanted. */
import { createHash, randomBytes } from "node:crypto";
import type { CheckType } from "./check-type.ts";
import { type Conversation, converse } from "./conversation.ts";
import { type Password, readPassword } from "./credentials.ts";
import {
  decodeRow,
  encodeMessage,
  encodeSslRequest,
  encodeStartup,
  type Message,
  readMessage,
} from "./pgsql-messages.ts";
import { judgeRows, type Query, type Row } from "./query.ts";
import { finalMessage, firstMessage } from "./scram.ts";
import { overTls, type Service } from "./service.ts";

export interface PgsqlParameters extends Service {
  readonly type: "pgsql";
  /** Without a password it is enough that one is asked for. */
  readonly login?: { readonly user: string; readonly password?: Password };
  readonly database?: string;
  readonly query?: Query;
}

export const pgsql: CheckType<PgsqlParameters> = {
  probe(parameters, signal) {
    return converse("pgsql", parameters, signal, async (peer) => {
      const { tls, login, query } = parameters;
      // PostgreSQL 17 and later; with the name of the protocol, which it demands.
      if (tls?.mode === "implicit") await peer.startTls(tls, { protocols: ["postgresql"] });
      const encryption = tls?.mode === "starttls" || login === undefined ? await askForTls(peer) : undefined;
      if (tls?.mode === "starttls") {
        if (encryption !== "S") throw new Error("the server does not offer it");
        await peer.startTls(tls);
      }
      if (login === undefined) return `answered${overTls(peer)}`;
      if (!(await logIn(peer, parameters, login))) return `asks for a password${overTls(peer)}`;
      peer.goodbye(encodeMessage("X"));
      if (query === undefined) return `logged in${overTls(peer)}`;
      return `logged in${overTls(peer)}, ${await runQuery(peer, query)}`;
    });
  },
};

/** Every server answers it, with one letter, and none makes a note of it. */
async function askForTls(peer: Conversation): Promise<string> {
  peer.step = "SSLRequest";
  peer.send(encodeSslRequest());
  const answer = (await peer.bytes(1)).toString("latin1");
  if (answer !== "S" && answer !== "N") throw new Error(`${peer.quote(answer)} instead of S or N`);
  return answer;
}

/** False when a password is asked for that there is none of. */
async function logIn(
  peer: Conversation,
  { database, query }: PgsqlParameters,
  { user, password }: NonNullable<PgsqlParameters["login"]>,
): Promise<boolean> {
  peer.step = "login";
  const secret = password === undefined ? undefined : await readPassword(password);
  if (secret !== undefined) peer.conceal(secret);
  peer.send(
    encodeStartup({
      user,
      ...(database === undefined ? {} : { database }),
      application_name: "viprd",
      client_encoding: "UTF8",
    }),
  );
  for (;;) {
    const message = await readMessage(peer);
    // Ready for queries.
    if (message.type === "Z") return true;
    if (message.type !== "R" || message.content.length < 4) throw new Error(`${message.type}, which was not asked for`);
    const method = message.content.readInt32BE(0);
    if (method === 0) continue;
    if (secret === undefined) {
      if (query === undefined) return false;
      throw new Error("the server asks for a password");
    }
    await prove(peer, method, message.content.subarray(4), user, secret);
  }
}

async function prove(peer: Conversation, method: number, data: Buffer, user: string, secret: string): Promise<void> {
  switch (method) {
    case 3:
      peer.send(encodeMessage("p", `${secret}\0`));
      return;
    case 5: {
      const inner = md5(Buffer.from(secret + user));
      peer.send(encodeMessage("p", `md5${md5(Buffer.concat([Buffer.from(inner), data.subarray(0, 4)]))}\0`));
      return;
    }
    case 10:
      await scram(peer, data, secret);
      return;
    default:
      throw new Error(`the server asks for a login of kind ${method}, which is not supported`);
  }
}

async function scram(peer: Conversation, mechanisms: Buffer, secret: string): Promise<void> {
  const names = mechanisms.toString("latin1").split("\0");
  if (!names.includes("SCRAM-SHA-256")) throw new Error(`the server offers ${peer.quote(names.join(" "))} only`);
  const nonce = randomBytes(18).toString("base64");
  const first = firstMessage(nonce);
  const length = Buffer.alloc(4);
  length.writeInt32BE(first.length);
  peer.send(encodeMessage("p", Buffer.concat([Buffer.from("SCRAM-SHA-256\0"), length, Buffer.from(first)])));
  const challenge = await expectSasl(peer, 11);
  const final = await finalMessage(secret, nonce, challenge);
  peer.send(encodeMessage("p", final.message));
  if (!final.proves(await expectSasl(peer, 12))) throw new Error("the server does not know the password");
}

async function expectSasl(peer: Conversation, kind: number): Promise<string> {
  const { type, content }: Message = await readMessage(peer);
  if (type !== "R" || content.length < 4 || content.readInt32BE(0) !== kind) throw new Error("no answer of SCRAM");
  return content.toString("utf8", 4);
}

async function runQuery(peer: Conversation, query: Query): Promise<string> {
  peer.step = "query";
  peer.send(encodeMessage("Q", `${query.text}\0`));
  let first: Row | undefined;
  for (;;) {
    const { type, content } = await readMessage(peer);
    if (type === "Z") return judgeRows(peer, query, first);
    if (type !== "D" || first !== undefined) continue;
    first = decodeRow(content);
    if (first === undefined) throw new Error("a row that cannot be read");
  }
}

function md5(data: Buffer): string {
  return createHash("md5").update(data).digest("hex");
}
