/** Messages of PostgreSQL's protocol, version 3, as a client sends and reads them. */
import type { Conversation } from "./conversation.ts";
import { mostColumns, type Row } from "./query.ts";

const longestMessage = 64 * 1024;
const version3 = 196_608;
const sslRequest = 80_877_103;

export function encodeSslRequest(): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeInt32BE(8, 0);
  bytes.writeInt32BE(sslRequest, 4);
  return bytes;
}

export function encodeStartup(parameters: Readonly<Record<string, string>>): Buffer {
  const version = Buffer.alloc(4);
  version.writeInt32BE(version3);
  const words = Object.entries(parameters).flatMap(([name, value]) => [`${name}\0`, `${value}\0`]);
  return withLength(Buffer.concat([version, Buffer.from(`${words.join("")}\0`)]));
}

export function encodeMessage(type: string, content: string | Uint8Array = ""): Buffer {
  return Buffer.concat([Buffer.from(type), withLength(Buffer.from(content))]);
}

function withLength(content: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(content.length + 4);
  return Buffer.concat([length, content]);
}

export interface Message {
  readonly type: string;
  readonly content: Buffer;
}

/** The next one that is to be acted upon. Throws what the server calls an error. */
export async function readMessage(peer: Conversation): Promise<Message> {
  for (;;) {
    const header = await peer.bytes(5);
    const type = header.toString("latin1", 0, 1);
    const length = header.readUInt32BE(1);
    // A plausible letter before a length that is none: something else speaks here.
    if (!/[A-Za-z]/.test(type) || length < 4) throw new Error(`${peer.quote(header)}, which is no message`);
    if (length > longestMessage) throw new Error(`${peer.quote(header)}, which would be a message of ${length} bytes`);
    const content = await peer.bytes(length - 4);
    if (type === "E") throw new Error(describeError(peer, content));
    // Notices and settings come whenever the server likes.
    if (type !== "N" && type !== "S" && type !== "K" && type !== "v") return { type, content };
  }
}

/** `FATAL 53300 "sorry, too many clients already"` */
function describeError(peer: Conversation, content: Buffer): string {
  const fields = new Map(
    content
      .toString("utf8")
      .split("\0")
      .map((field) => [field.slice(0, 1), field.slice(1)]),
  );
  const words = [fields.get("V") ?? fields.get("S"), fields.get("C")].filter((word) => /^[0-9A-Z]+$/.test(word ?? ""));
  return [...words, peer.quote(fields.get("M") ?? "")].join(" ");
}

/** Undefined for what is no row. */
export function decodeRow(content: Buffer): Row | undefined {
  if (content.length < 2) return undefined;
  const columns = content.readUInt16BE(0);
  const row: (string | null)[] = [];
  let at = 2;
  for (let i = 0; i < Math.min(columns, mostColumns); i++) {
    if (at + 4 > content.length) return undefined;
    const length = content.readInt32BE(at);
    at += 4;
    if (length === -1) {
      row.push(null);
      continue;
    }
    if (length < 0 || at + length > content.length) return undefined;
    row.push(content.toString("utf8", at, at + length));
    at += length;
  }
  return row;
}
