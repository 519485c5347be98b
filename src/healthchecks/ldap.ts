/** `type: ldap`: a directory server lets a client bind, and finds the entries that it should. RFC 4511. */
import { elementLength } from "../wire/ber.ts";
import {
  decodeResponse,
  encodeBind,
  encodeSearch,
  encodeStartTls,
  encodeUnbind,
  nameOfResult,
  type Response,
  type Result,
  type Scope,
} from "../wire/ldap.ts";
import { encodeFilter } from "../wire/ldap-filter.ts";
import type { CheckType } from "./check-type.ts";
import { type Conversation, converse } from "./conversation.ts";
import { type Credentials, readPassword } from "./credentials.ts";
import { overTls, type Service, secureFirst } from "./service.ts";

export interface LdapParameters extends Service {
  readonly type: "ldap";
  /** Its user is a DN. Without it the bind is anonymous. */
  readonly login?: Credentials;
  readonly search?: LdapSearch;
}

export interface LdapSearch {
  readonly base: string;
  readonly scope: Scope;
  readonly filter: string;
  readonly least: number;
  readonly most?: number;
}

/** Bytes of one message. */
const longestMessage = 64 * 1024;
const sizeLimitExceeded = 4;

export const ldap: CheckType<LdapParameters> = {
  probe(parameters, signal) {
    return converse("ldap", parameters, signal, async (peer) => {
      const { tls, login, search } = parameters;
      await secureFirst(peer, parameters);
      let id = 1;
      if (tls?.mode === "starttls") {
        peer.step = "StartTLS";
        peer.send(encodeStartTls(id));
        expectSuccess(peer, await answerTo(peer, id, "extended"));
        await peer.startTls(tls);
      }
      peer.step = "bind";
      const secret = login === undefined ? "" : await readPassword(login.password);
      peer.conceal(secret);
      peer.send(encodeBind(++id, login?.user ?? "", secret));
      expectSuccess(peer, await answerTo(peer, id, "bind"));
      const found = search === undefined ? "" : `, ${await find(peer, ++id, search)}`;
      peer.goodbye(encodeUnbind(++id));
      return `${login === undefined ? "bound anonymously" : "bound"}${found}${overTls(peer)}`;
    });
  },
};

async function find(peer: Conversation, id: number, { base, scope, filter, least, most }: LdapSearch): Promise<string> {
  peer.step = "search";
  const encoded = encodeFilter(filter);
  if (typeof encoded === "string") throw new Error(`the filter: ${encoded}`);
  // One more than there may be is enough to know.
  const sizeLimit = most === undefined ? Math.max(1, least) : most + 1;
  peer.send(encodeSearch(id, { base, scope, filter: encoded, sizeLimit }));
  let entries = 0;
  for (;;) {
    const response = await nextResponse(peer, id);
    if (response.type === "entry") entries++;
    else if (response.type === "search-done") {
      // The server has more, which was not asked for.
      if (response.result.code !== sizeLimitExceeded || entries < sizeLimit) expectSuccess(peer, response.result);
      break;
    } else if (response.type !== "reference") throw new Error(`answered as if to ${response.type}`);
  }
  const count = `${entries} ${entries === 1 ? "entry" : "entries"}`;
  if (entries < least) throw new Error(`found ${count} instead of at least ${least}`);
  if (most !== undefined && entries > most) throw new Error(`found more than ${most}`);
  return `found ${most === undefined && entries > 0 ? "at least " : ""}${count}`;
}

async function answerTo(peer: Conversation, id: number, type: "bind" | "extended"): Promise<Result> {
  const response = await nextResponse(peer, id);
  if (response.type === type) return response.result;
  throw new Error(`answered as if to ${response.type}`);
}

async function nextResponse(peer: Conversation, id: number): Promise<Response> {
  const response = decodeResponse(await readMessage(peer));
  if (response === undefined) throw new Error("answered with something that is no message of LDAP");
  // RFC 4511 section 4.4.1: what a server says before it closes the connection.
  if (response.id === 0 && response.type === "extended") expectSuccess(peer, response.result);
  if (response.id !== id) throw new Error(`answered to message ${response.id} instead of ${id}`);
  return response;
}

async function readMessage(peer: Conversation): Promise<Buffer> {
  let header = await peer.bytes(2);
  for (;;) {
    const length = elementLength(header);
    if (length !== undefined) {
      if (Number.isNaN(length) || header[0] !== 0x30) throw new Error(`${peer.quote(header)}, which is not LDAP`);
      if (length > longestMessage) throw new Error(`answered with a message of ${length} bytes`);
      return Buffer.concat([header, await peer.bytes(length - header.length)]);
    }
    header = Buffer.concat([header, await peer.bytes(1)]);
  }
}

function expectSuccess(peer: Conversation, { code, diagnostic }: Result): void {
  if (code === 0) return;
  throw new Error(`${nameOfResult(code)}${diagnostic === "" ? "" : ` ${peer.quote(diagnostic)}`}`);
}
