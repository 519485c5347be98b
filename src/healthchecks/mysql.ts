/** `type: mysql`: a MySQL or MariaDB lets a client in and answers a query, if that is wanted. */
import type { CheckType } from "./check-type.ts";
import { type Conversation, converse } from "./conversation.ts";
import { type Password, readPassword } from "./credentials.ts";
import {
  cachingProof,
  capabilities,
  decodeColumnCount,
  decodeGreeting,
  decodeRow,
  encodeHead,
  encodePacket,
  encodeResponse,
  nativeProof,
  type Packet,
  readPacket,
  textUntilZero,
  withoutZero,
} from "./mysql-packets.ts";
import { judgeRows, mostColumns, type Query, type Row } from "./query.ts";
import { overTls, type Service } from "./service.ts";

export interface MysqlParameters extends Service {
  readonly type: "mysql";
  /** A server blocks hosts that connect again and again without logging in, so there is no check without. */
  readonly user: string;
  /** None: the empty one. */
  readonly password?: Password;
  readonly database?: string;
  readonly query?: Query;
}

const wanted =
  capabilities.longPassword |
  capabilities.protocol41 |
  capabilities.transactions |
  capabilities.secureConnection |
  capabilities.pluginAuth;

export const mysql: CheckType<MysqlParameters> = {
  probe(parameters, signal) {
    return converse("mysql", parameters, signal, async (peer) => {
      peer.step = "greeting";
      const packet = await readPacket(peer);
      const greeting = decodeGreeting(packet.content);
      if (greeting === undefined) throw new Error(`${peer.quote(packet.content)}, which is no greeting of MySQL`);
      peer.step = "login";
      const { user, password, database, query, tls } = parameters;
      const secret = password === undefined ? "" : await readPassword(password);
      peer.conceal(secret);
      let flags = wanted | (database === undefined ? 0 : capabilities.connectWithDatabase);
      let sequence = packet.sequence + 1;
      if (tls !== undefined) {
        if ((greeting.capabilities & capabilities.ssl) === 0) throw new Error("the server does not offer TLS");
        flags |= capabilities.ssl;
        peer.send(encodePacket(sequence++, encodeHead(flags)));
        await peer.startTls(tls);
      }
      const plugin = greeting.plugin === "caching_sha2_password" ? greeting.plugin : "mysql_native_password";
      const proof = proofFor(plugin, secret, greeting.nonce);
      peer.send(encodePacket(sequence, encodeResponse(flags, { user, proof, database, plugin })));
      await finishLogin(peer, plugin, secret);
      // COM_QUIT
      peer.goodbye(encodePacket(0, Buffer.from([1])));
      // MariaDB puts a version in front that old clients are content with.
      const did = `logged in${overTls(peer)} to ${peer.quote(greeting.version.replace(/^5\.5\.5-(?=\d)/, ""))}`;
      return query === undefined ? did : `${did}, ${await runQuery(peer, query)}`;
    });
  },
};

function proofFor(plugin: string, secret: string, nonce: Buffer): Buffer {
  return plugin === "caching_sha2_password" ? cachingProof(secret, nonce) : nativeProof(secret, nonce);
}

async function finishLogin(peer: Conversation, first: string, secret: string): Promise<void> {
  let plugin = first;
  // The server may change its mind once, and a plugin has a word or two more.
  for (let packets = 0; packets < 5; packets++) {
    const { sequence, content } = await readPacket(peer);
    switch (content[0]) {
      case 0x00:
        return;
      case 0xfe: {
        plugin = textUntilZero(content.subarray(1));
        if (plugin !== "mysql_native_password" && plugin !== "caching_sha2_password") {
          throw new Error(`the server wants ${peer.quote(plugin)}, which is not supported`);
        }
        const nonce = withoutZero(content.subarray(2 + plugin.length));
        peer.send(encodePacket(sequence + 1, proofFor(plugin, secret, nonce)));
        break;
      }
      case 0x01: {
        // 3: the server remembers the password and goes on. 4: it wants to see it.
        if (plugin !== "caching_sha2_password" || content.length < 2)
          throw new Error("an answer that was not asked for");
        if (content[1] === 3) break;
        if (!peer.isSecure) throw new Error("the server wants the password itself, which is sent over TLS only");
        peer.send(encodePacket(sequence + 1, Buffer.from(`${secret}\0`)));
        break;
      }
      default:
        throw new Error(`${peer.quote(content)}, which is no answer to a login`);
    }
  }
  throw new Error("no end of the login");
}

async function runQuery(peer: Conversation, query: Query): Promise<string> {
  peer.step = "query";
  peer.send(encodePacket(0, Buffer.concat([Buffer.from([3]), Buffer.from(query.text)])));
  const { content } = await readPacket(peer);
  // Done, and nothing to tell.
  if (content[0] === 0x00) return judgeRows(peer, query, undefined);
  const columns = decodeColumnCount(content);
  if (columns === undefined || columns > mostColumns) {
    throw new Error(columns === undefined ? "no result" : `${columns} columns, more than ${mostColumns}`);
  }
  for (let i = 0; i < columns; i++) await readPacket(peer);
  if (!isEnd(await readPacket(peer))) throw new Error("no end of the columns");
  let first: Row | undefined;
  for (;;) {
    const packet = await readPacket(peer);
    if (isEnd(packet)) return judgeRows(peer, query, first);
    if (first !== undefined) continue;
    first = decodeRow(packet.content, columns);
    if (first === undefined) throw new Error("a row that cannot be read");
  }
}

function isEnd({ content }: Packet): boolean {
  return content[0] === 0xfe && content.length < 9;
}
