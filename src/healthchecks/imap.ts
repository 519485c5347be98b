/** `type: imap`: a mailbox server greets, answers, and lets a user in if that is wanted. RFC 9051 and RFC 3501. */
import type { CheckType } from "./check-type.ts";
import { type Conversation, converse } from "./conversation.ts";
import { type Credentials, readPassword } from "./credentials.ts";
import { overTls, type Service, secureFirst } from "./service.ts";

export interface ImapParameters extends Service {
  readonly type: "imap";
  readonly login?: Credentials;
}

const mostLines = 200;

export const imap: CheckType<ImapParameters> = {
  probe(parameters, signal) {
    return converse("imap", parameters, signal, async (peer) => {
      await secureFirst(peer, parameters);
      peer.step = "greeting";
      const greeting = await peer.line();
      if (!/^\* (OK|PREAUTH)\b/i.test(greeting)) throw new Error(`${peer.quote(greeting)} instead of * OK`);
      await command(peer, "CAPABILITY");
      if (parameters.tls?.mode === "starttls") {
        await command(peer, "STARTTLS");
        await peer.startTls(parameters.tls);
      }
      if (parameters.login !== undefined) await logIn(peer, parameters.login);
      peer.goodbye("last LOGOUT\r\n");
      const did = parameters.login === undefined ? "answered" : "logged in";
      return `greeted with ${peer.quote(greeting)}, ${did}${overTls(peer)}`;
    });
  },
};

async function logIn(peer: Conversation, { user, password }: Credentials): Promise<void> {
  peer.step = "LOGIN";
  const secret = await readPassword(password);
  peer.conceal(secret);
  if (/^[\x20-\x7e]*$/.test(user + secret)) {
    await command(peer, "LOGIN", `${quoted(user)} ${quoted(secret)}`);
    return;
  }
  // A quoted string has ASCII only. RFC 4616
  const response = Buffer.from(`\0${user}\0${secret}`).toString("base64");
  peer.conceal(response);
  await command(peer, "AUTHENTICATE", "PLAIN", response);
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

/** Its tag is its name: there is never more than one under way. `more` is what a continuation is answered with. */
async function command(peer: Conversation, name: string, words = "", more?: string): Promise<void> {
  peer.step = name;
  peer.send(`${name} ${name}${words === "" ? "" : ` ${words}`}\r\n`);
  for (let lines = 0; lines < mostLines; lines++) {
    const line = await peer.line();
    if (line.startsWith("+") && more !== undefined) peer.send(`${more}\r\n`);
    else if (/^\* BYE\b/i.test(line)) throw new Error(peer.quote(line));
    else if (line.startsWith(`${name} `)) {
      const answer = line.slice(name.length + 1);
      if (/^OK\b/i.test(answer)) return;
      throw new Error(`${peer.quote(answer)} instead of OK`);
    } else if (!line.startsWith("* ")) throw new Error(`${peer.quote(line)}, which is no response`);
  }
  throw new Error(`no end after ${mostLines} lines`);
}
