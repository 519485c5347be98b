/** `type: smtp`: a mail server greets and answers EHLO, with TLS if that is wanted. RFC 5321, RFC 3207. */
import { isIPv6 } from "node:net";
import type { CheckType } from "./check-type.ts";
import { type Conversation, converse } from "./conversation.ts";
import { expectReply, readReply } from "./reply.ts";
import { overTls, type Service, secureFirst } from "./service.ts";

export interface SmtpParameters extends Service {
  readonly type: "smtp";
  /** The name that it introduces itself by; without one it is its address. */
  readonly hello?: string;
}

export const smtp: CheckType<SmtpParameters> = {
  probe(parameters, signal) {
    return converse("smtp", parameters, signal, async (peer) => {
      await secureFirst(peer, parameters);
      peer.step = "greeting";
      const greeting = await expectReply(peer, 220);
      const name = parameters.hello ?? addressLiteral(peer.localAddress);
      const extensions = await hello(peer, name);
      if (parameters.tls?.mode === "starttls") {
        peer.step = "STARTTLS";
        if (!extensions.some((each) => /^STARTTLS\s*$/i.test(each))) throw new Error("the server does not offer it");
        peer.send("STARTTLS\r\n");
        await expectReply(peer, 220);
        await peer.startTls(parameters.tls);
        // What it offered before does not count any more (RFC 3207 section 4.2).
        await hello(peer, name);
      }
      peer.goodbye("QUIT\r\n");
      return `greeted with ${peer.quote(`220 ${greeting.lines[0]}`)}, ${peer.step} answered${overTls(peer)}`;
    });
  },
};

/** What the server offers, each in a line. */
async function hello(peer: Conversation, name: string): Promise<readonly string[]> {
  peer.step = "EHLO";
  peer.send(`EHLO ${name}\r\n`);
  const { code, lines } = await readReply(peer);
  if (code === 250) return lines.slice(1);
  // RFC 5321 section 4.1.4: one that does not know it may know what came before.
  if (![500, 501, 502, 504, 550].includes(code)) throw new Error(`${peer.quote(`${code} ${lines[0]}`)} instead of 250`);
  peer.step = "HELO";
  peer.send(`HELO ${name}\r\n`);
  await expectReply(peer, 250);
  return [];
}

/** RFC 5321 section 4.1.3 */
function addressLiteral(address: string): string {
  return isIPv6(address) ? `[IPv6:${address}]` : `[${address}]`;
}
