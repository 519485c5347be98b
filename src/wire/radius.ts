/** Requests to a RADIUS server and what it answers: RFC 2865, RFC 5997, with the Message-Authenticator of RFC 2869. */
import { createHash, createHmac } from "node:crypto";
import { equalSecrets, readUint16, writeUint16 } from "./bytes.ts";

const codes = {
  1: "Access-Request",
  2: "Access-Accept",
  3: "Access-Reject",
  5: "Accounting-Response",
  11: "Access-Challenge",
  12: "Status-Server",
} as const;
export type ReplyName = "Access-Accept" | "Access-Reject" | "Access-Challenge" | "Accounting-Response";

const accessRequest = 1;
const statusServer = 12;

const userName = 1;
const userPassword = 2;
const replyMessage = 18;
const nasIdentifier = 32;
const messageAuthenticator = 80;

const headerLength = 20;
const longestAttribute = 253;
/** RFC 2865 section 5.2 */
export const longestPassword = 128;

interface Origin {
  readonly id: number;
  /** 16 random bytes: the answer is bound to them. */
  readonly authenticator: Uint8Array;
  readonly secret: Uint8Array;
  /** Who asks. */
  readonly nas: string;
}

export function encodeAccessRequest(origin: Origin, user: Uint8Array, password: Uint8Array): Uint8Array {
  const hidden = hidePassword(password, origin.secret, origin.authenticator);
  return encode(accessRequest, origin, [
    [userName, user],
    [userPassword, hidden],
    [nasIdentifier, new TextEncoder().encode(origin.nas)],
  ]);
}

/** RFC 5997 section 3: asks whether the server is well, and for nothing else. */
export function encodeStatusServer(origin: Origin): Uint8Array {
  return encode(statusServer, origin, [[nasIdentifier, new TextEncoder().encode(origin.nas)]]);
}

export interface RadiusReply {
  readonly name: ReplyName;
  /** Texts for the user; empty when there are none. */
  readonly message: string;
  /** Without one, whoever is in between may have changed it (CVE-2024-3596). */
  readonly authenticated: boolean;
}

/** A text: why it cannot be trusted; undefined: it answers something else, or is no RADIUS. */
export function decodeReply(
  request: Uint8Array,
  bytes: Uint8Array,
  secret: Uint8Array,
): RadiusReply | string | undefined {
  if (bytes.length < headerLength || bytes[1] !== request[1]) return undefined;
  const length = readUint16(bytes, 2);
  // RFC 2865 section 3: what follows is padding.
  if (length < headerLength || length > bytes.length) return undefined;
  const name = codes[bytes[0] as keyof typeof codes];
  if (name === undefined || name === "Access-Request" || name === "Status-Server") return undefined;
  // A copy, also of a Buffer, whose slice would not be one.
  const reply = Uint8Array.from(bytes.subarray(0, length));
  const attributes = readAttributes(reply);
  if (attributes === undefined) return undefined;
  const claimed = reply.slice(4, headerLength);
  // Both are computed with the authenticator of the request in the place of that of the reply.
  reply.set(request.subarray(4, headerLength), 4);
  const expected = createHash("md5").update(reply).update(secret).digest();
  if (!equalSecrets(expected, claimed)) return `${name} with a wrong authenticator: is the secret the same there?`;
  const signatures = attributes.filter(({ type }) => type === messageAuthenticator);
  for (const { at, value } of signatures) {
    const signed = value.slice();
    reply.fill(0, at, at + signed.length);
    if (!equalSecrets(sign(reply, secret), signed)) return `${name} with a wrong Message-Authenticator`;
    reply.set(signed, at);
  }
  const texts = attributes
    .filter(({ type }) => type === replyMessage)
    .map(({ value }) => new TextDecoder().decode(value));
  return { name, message: texts.join(""), authenticated: signatures.length > 0 };
}

function encode(
  code: number,
  { id, authenticator, secret }: Origin,
  attributes: readonly [number, Uint8Array][],
): Uint8Array {
  const all: [number, Uint8Array][] = [
    // First, so that nobody can put anything in front of it.
    [messageAuthenticator, new Uint8Array(16)],
    ...attributes,
  ];
  const length = all.reduce((sum, [, value]) => sum + 2 + value.length, headerLength);
  const bytes = new Uint8Array(length);
  bytes[0] = code;
  bytes[1] = id;
  writeUint16(bytes, 2, length);
  bytes.set(authenticator, 4);
  let at = headerLength;
  for (const [type, value] of all) {
    if (value.length > longestAttribute) throw new RangeError(`RADIUS attribute ${type}: ${value.length} bytes`);
    bytes[at] = type;
    bytes[at + 1] = 2 + value.length;
    bytes.set(value, at + 2);
    at += 2 + value.length;
  }
  bytes.set(sign(bytes, secret), headerLength + 2);
  return bytes;
}

/** RFC 2869 section 5.14, over a message in which its value is zero. */
function sign(message: Uint8Array, secret: Uint8Array): Uint8Array {
  return createHmac("md5", secret).update(message).digest();
}

/** RFC 2865 section 5.2 */
function hidePassword(password: Uint8Array, secret: Uint8Array, authenticator: Uint8Array): Uint8Array {
  if (password.length > longestPassword) throw new RangeError(`a RADIUS password has at most ${longestPassword} bytes`);
  const hidden = new Uint8Array(Math.max(1, Math.ceil(password.length / 16)) * 16);
  hidden.set(password);
  let previous = authenticator;
  for (let at = 0; at < hidden.length; at += 16) {
    const pad = createHash("md5").update(secret).update(previous).digest();
    for (let i = 0; i < 16; i++) hidden[at + i] = (hidden[at + i] ?? 0) ^ (pad[i] ?? 0);
    previous = hidden.subarray(at, at + 16);
  }
  return hidden;
}

interface Attribute {
  readonly type: number;
  /** Of its value, in the message. */
  readonly at: number;
  readonly value: Uint8Array;
}

/** Undefined when they do not fill the message. */
function readAttributes(bytes: Uint8Array): Attribute[] | undefined {
  const attributes: Attribute[] = [];
  for (let at = headerLength; at < bytes.length; ) {
    const length = bytes[at + 1] ?? 0;
    if (length < 2 || at + length > bytes.length) return undefined;
    attributes.push({ type: bytes[at] ?? 0, at: at + 2, value: bytes.slice(at + 2, at + length) });
    at += length;
  }
  return attributes;
}
