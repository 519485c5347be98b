/** `type: radius`: a RADIUS server lets a user in, or at least answers. */
import { randomBytes } from "node:crypto";
import {
  decodeReply,
  encodeAccessRequest,
  encodeStatusServer,
  type RadiusReply,
  type ReplyName,
} from "../wire/radius.ts";
import type { CheckType } from "./check-type.ts";
import { type Credentials, type Password, readPassword } from "./credentials.ts";
import { ask, type DatagramTarget, formatTarget } from "./datagram.ts";
import { quote } from "./quote.ts";
import { undecidedBy, whySystem } from "./system-failure.ts";

export interface RadiusParameters extends DatagramTarget {
  readonly type: "radius";
  /** Shared with the server. */
  readonly secret: Password;
  /** Whom it has to know; without one it is asked for its own state (Status-Server). */
  readonly login?: Credentials;
  /** Of a login: refused is an answer, too. */
  readonly rejectIsSuccess: boolean;
  /** Replies without a Message-Authenticator are not believed. */
  readonly requireMessageAuthenticator: boolean;
  /** Who asks. */
  readonly nas: string;
}

export const radius: CheckType<RadiusParameters> = {
  async probe(parameters, signal) {
    const what = `radius ${formatTarget(parameters)}`;
    let secret: Uint8Array;
    let query: Uint8Array;
    try {
      secret = Buffer.from(await readPassword(parameters.secret));
      query = await makeQuery(parameters, secret);
    } catch (error) {
      return { ok: false, reason: `${what}: ${whySystem(error)}`, ...undecidedBy(error) };
    }
    return ask(
      {
        what,
        target: parameters,
        make: () => query,
        hear(message) {
          const reply = decodeReply(query, message, secret);
          // It may be forged: the real one may still come.
          if (reply === undefined || typeof reply === "string") return reply;
          if (!reply.authenticated && parameters.requireMessageAuthenticator) {
            return `${reply.name} without a Message-Authenticator`;
          }
          return judge(parameters, reply);
        },
      },
      signal,
    );
  },
};

async function makeQuery({ login, nas }: RadiusParameters, secret: Uint8Array): Promise<Uint8Array> {
  const random = randomBytes(17);
  const origin = { id: random[16] ?? 0, authenticator: random.subarray(0, 16), secret, nas };
  if (login === undefined) return encodeStatusServer(origin);
  return encodeAccessRequest(origin, Buffer.from(login.user), Buffer.from(await readPassword(login.password)));
}

function judge({ login, rejectIsSuccess }: RadiusParameters, { name, message }: RadiusReply) {
  // RFC 5997 section 4.2: ports for accounting answer Status-Server so.
  const wanted: readonly ReplyName[] =
    login === undefined
      ? ["Access-Accept", "Accounting-Response"]
      : ["Access-Accept", ...(rejectIsSuccess ? (["Access-Reject", "Access-Challenge"] as const) : [])];
  const answer = `answered ${name}${message === "" ? "" : ` ${quote(message)}`}`;
  if (wanted.includes(name)) return { ok: true, reason: answer };
  return { ok: false, reason: `${answer} instead of ${wanted.join(" or ")}` };
}
