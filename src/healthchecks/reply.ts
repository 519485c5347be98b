/** Replies with a code of three digits, as SMTP (RFC 5321 section 4.2) and FTP (RFC 959 section 4.2) have them. */
import type { Conversation } from "./conversation.ts";

export interface Reply {
  readonly code: number;
  /** Without the codes. */
  readonly lines: readonly string[];
}

const mostLines = 200;

/** Throws, with what came, when it is no reply or none of these codes; any of a hundred with `2` for 200 to 299. */
export async function expectReply(peer: Conversation, ...codes: readonly number[]): Promise<Reply> {
  const reply = await readReply(peer);
  if (codes.some((code) => code === reply.code || code === Math.floor(reply.code / 100))) return reply;
  const wanted = codes.map((code) => (code < 10 ? `${code}xx` : code)).join(" or ");
  throw new Error(`${peer.quote(`${reply.code} ${reply.lines.join(" ")}`)} instead of ${wanted}`);
}

export async function readReply(peer: Conversation): Promise<Reply> {
  const first = await peer.line();
  const [, digits = "", more, text = ""] = /^([1-5]\d\d)(?:([ -])(.*))?$/.exec(first) ?? [];
  if (digits === "") throw new Error(`${peer.quote(first)}, which is no reply with a code`);
  const lines = [text];
  // In FTP the lines between the first and the last need not begin with the code.
  for (let line = first; more === "-" && !(lines.length > 1 && line.startsWith(`${digits} `)); ) {
    if (lines.length >= mostLines) throw new Error(`a reply of more than ${mostLines} lines: ${peer.quote(first)}`);
    line = await peer.line();
    lines.push(line.startsWith(digits) ? line.slice(4) : line.trim());
    if (line === digits) break;
  }
  return { code: Number(digits), lines };
}
