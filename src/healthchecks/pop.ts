/** `type: pop`: a mailbox server greets, and lets a user in if that is wanted. RFC 1939, RFC 2595. */
import type { CheckType } from "./check-type.ts";
import { type Conversation, converse } from "./conversation.ts";
import { type Credentials, readPassword } from "./credentials.ts";
import { overTls, type Service, secureFirst } from "./service.ts";

export interface PopParameters extends Service {
  readonly type: "pop";
  readonly login?: Credentials;
}

export const pop: CheckType<PopParameters> = {
  probe(parameters, signal) {
    return converse("pop", parameters, signal, async (peer) => {
      await secureFirst(peer, parameters);
      peer.step = "greeting";
      const greeting = await expectOk(peer);
      if (parameters.tls?.mode === "starttls") {
        await command(peer, "STLS");
        await peer.startTls(parameters.tls);
      }
      if (parameters.login !== undefined) {
        const { user, password } = parameters.login;
        peer.step = "PASS";
        const secret = await readPassword(password);
        peer.conceal(secret);
        await command(peer, "USER", user);
        await command(peer, "PASS", secret);
      }
      peer.goodbye("QUIT\r\n");
      const did = parameters.login === undefined ? "" : ", logged in";
      return `greeted with ${peer.quote(greeting)}${did}${overTls(peer)}`;
    });
  },
};

async function command(peer: Conversation, name: string, word?: string): Promise<void> {
  peer.step = name;
  peer.send(word === undefined ? `${name}\r\n` : `${name} ${word}\r\n`);
  await expectOk(peer);
}

async function expectOk(peer: Conversation): Promise<string> {
  const line = await peer.line();
  if (/^\+OK\b/.test(line)) return line;
  throw new Error(`${peer.quote(line)} instead of +OK`);
}
