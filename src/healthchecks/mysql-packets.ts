/** Packets of the protocol of MySQL and MariaDB, as a client reads and sends them. */
import { createHash } from "node:crypto";
import type { Conversation } from "./conversation.ts";
import { mostColumns, type Row } from "./query.ts";

const longestPacket = 64 * 1024;

export const capabilities = {
  longPassword: 0x1,
  connectWithDatabase: 0x8,
  protocol41: 0x200,
  ssl: 0x800,
  transactions: 0x2000,
  secureConnection: 0x8000,
  pluginAuth: 0x80000,
};
/** utf8mb4_general_ci */
const charset = 45;
const largestPacket = 1 << 24;

export interface Packet {
  readonly sequence: number;
  readonly content: Buffer;
}

/** Throws what the server calls an error: `1040 "Too many connections"`. */
export async function readPacket(peer: Conversation): Promise<Packet> {
  const header = await peer.bytes(4);
  const length = header.readUIntLE(0, 3);
  if (length === 0) throw new Error("an empty packet");
  if (length > longestPacket) throw new Error(`${peer.quote(header)}, which would be a packet of ${length} bytes`);
  const content = await peer.bytes(length);
  if (content[0] === 0xff) throw new Error(describeError(peer, content));
  return { sequence: header[3] ?? 0, content };
}

function describeError(peer: Conversation, content: Buffer): string {
  if (content.length < 3) return "an error without a number";
  const text = content.toString("utf8", 3).replace(/^#[0-9A-Z]{5}/, "");
  return `error ${content.readUInt16LE(1)} ${peer.quote(text)}`;
}

export function encodePacket(sequence: number, content: Uint8Array): Buffer {
  const header = Buffer.alloc(4);
  header.writeUIntLE(content.length, 0, 3);
  header[3] = sequence;
  return Buffer.concat([header, content]);
}

export interface Greeting {
  readonly version: string;
  readonly capabilities: number;
  readonly plugin: string;
  readonly nonce: Buffer;
}

/** Undefined for what is no greeting of version 10 of the protocol. */
export function decodeGreeting(content: Buffer): Greeting | undefined {
  const end = content.indexOf(0, 1);
  // Behind the version: 4 thread, 8 nonce, 1, 2 capabilities, 1 charset, 2 status, 2 capabilities, 1 length, 10 nothing.
  if (content[0] !== 10 || end < 0 || content.length < end + 1 + 31) return undefined;
  const at = end + 1;
  const flags = content.readUInt16LE(at + 13) + content.readUInt16LE(at + 18) * 65_536;
  const rest = content.subarray(at + 31);
  // Of a length that a newer server may choose; 12 bytes and a zero in practice.
  const length = Math.max(13, (content[at + 20] ?? 0) - 8);
  const second = rest.subarray(0, length);
  const nonce = Buffer.concat([content.subarray(at + 4, at + 12), withoutZero(second)]);
  return {
    version: content.toString("utf8", 1, end),
    capabilities: flags,
    plugin: textUntilZero(rest.subarray(length)),
    nonce,
  };
}

export function withoutZero(bytes: Buffer): Buffer {
  return bytes.at(-1) === 0 ? bytes.subarray(0, -1) : bytes;
}

export function textUntilZero(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString("utf8", 0, end < 0 ? bytes.length : end);
}

/** What goes before TLS begins: the head of the response. */
export function encodeHead(flags: number): Buffer {
  const head = Buffer.alloc(32);
  head.writeUInt32LE(flags, 0);
  head.writeUInt32LE(largestPacket, 4);
  head[8] = charset;
  return head;
}

export function encodeResponse(
  flags: number,
  { user, proof, database, plugin }: { user: string; proof: Buffer; database: string | undefined; plugin: string },
): Buffer {
  return Buffer.concat([
    encodeHead(flags),
    Buffer.from(`${user}\0`),
    Buffer.from([proof.length]),
    proof,
    Buffer.from(database === undefined ? "" : `${database}\0`),
    Buffer.from(`${plugin}\0`),
  ]);
}

/** SHA1(password) XOR SHA1(nonce + SHA1(SHA1(password))) */
export function nativeProof(password: string, nonce: Buffer): Buffer {
  if (password === "") return Buffer.alloc(0);
  const once = hash("sha1", Buffer.from(password));
  return xor(once, hash("sha1", Buffer.concat([nonce, hash("sha1", once)])));
}

/** SHA256(password) XOR SHA256(SHA256(SHA256(password)) + nonce) */
export function cachingProof(password: string, nonce: Buffer): Buffer {
  if (password === "") return Buffer.alloc(0);
  const once = hash("sha256", Buffer.from(password));
  return xor(once, hash("sha256", Buffer.concat([hash("sha256", once), nonce])));
}

function hash(name: "sha1" | "sha256", data: Buffer): Buffer {
  return createHash(name).update(data).digest();
}

function xor(a: Buffer, b: Buffer): Buffer {
  return Buffer.from(a.map((byte, i) => byte ^ (b[i] ?? 0)));
}

/** How many columns a result has; undefined for what tells none. */
export function decodeColumnCount(content: Buffer): number | undefined {
  const [count] = decodeLength(content, 0) ?? [];
  return count;
}

/** Undefined for what is no row of so many columns. */
export function decodeRow(content: Buffer, columns: number): Row | undefined {
  const row: (string | null)[] = [];
  let at = 0;
  for (let i = 0; i < Math.min(columns, mostColumns); i++) {
    if (content[at] === 0xfb) {
      row.push(null);
      at++;
      continue;
    }
    const [length, start] = decodeLength(content, at) ?? [];
    if (length === undefined || start === undefined || start + length > content.length) return undefined;
    row.push(content.toString("utf8", start, start + length));
    at = start + length;
  }
  return row;
}

/** A length-encoded integer, and where it ends. */
function decodeLength(content: Buffer, at: number): readonly [number, number] | undefined {
  const first = content[at];
  if (first === undefined) return undefined;
  if (first < 0xfb) return [first, at + 1];
  // More than 64 KiB is in no packet that is read.
  if (first === 0xfc && at + 3 <= content.length) return [content.readUInt16LE(at + 1), at + 3];
  return undefined;
}
