/** A question to a name server and the parts of its answer that tell whether it is well: RFC 1035 section 4. */
import type { IpAddress } from "./address.ts";

export const queryTypes = { A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, MX: 15, TXT: 16, AAAA: 28, SRV: 33 } as const;
export type QueryType = keyof typeof queryTypes;

const classIn = 1;
const headerLength = 12;
const codes = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"] as const;

/** Why this is no domain name, or undefined. The root is ".". */
export function complaintAboutName(name: string): string | undefined {
  if (name === ".") return undefined;
  const labels = name.replace(/\.$/, "").split(".");
  if (labels.some((label) => label === "")) return "an empty part between two dots";
  if (labels.some((label) => label.length > 63)) return "a part of more than 63 characters";
  if (!/^[\x21-\x7e]+$/.test(name)) return "characters that are not printable ASCII";
  return name.length > 253 ? "more than 253 characters" : undefined;
}

/** Asks for recursion, as a client does. */
export function encodeQuery(id: number, name: string, type: QueryType): Uint8Array {
  const labels = name === "." ? [] : name.replace(/\.$/, "").split(".");
  const encoded = labels.flatMap((label) => [label.length, ...new TextEncoder().encode(label)]);
  const bytes = new Uint8Array(headerLength + encoded.length + 5);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, id);
  view.setUint16(2, 0x0100);
  view.setUint16(4, 1);
  bytes.set(encoded, headerLength);
  view.setUint16(bytes.length - 4, queryTypes[type]);
  view.setUint16(bytes.length - 2, classIn);
  return bytes;
}

export interface Answer {
  /** "NOERROR", "NXDOMAIN"…, or "RCODE 9". */
  readonly code: string;
  readonly truncated: boolean;
  /** Records in the answer section. */
  readonly records: number;
  /** Of its A and AAAA records. */
  readonly addresses: readonly IpAddress[];
}

/** The answer to this very question; undefined for anything else, malformed messages included. */
export function decodeAnswer(query: Uint8Array, bytes: Uint8Array): Answer | undefined {
  if (bytes.length < headerLength) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const flags = view.getUint16(2);
  const isReply = (flags & 0x8000) !== 0;
  if (!isReply || bytes[0] !== query[0] || bytes[1] !== query[1]) return undefined;
  const code = codes[flags & 15] ?? `RCODE ${flags & 15}`;
  const truncated = (flags & 0x0200) !== 0;
  // A server that did not understand the question need not repeat it.
  const questions = view.getUint16(4);
  if (questions === 0) return { code, truncated, records: 0, addresses: [] };
  const asked = query.subarray(headerLength);
  const repeated = bytes.subarray(headerLength, headerLength + asked.length);
  if (questions !== 1 || !sameQuestion(asked, repeated)) return undefined;
  const records = view.getUint16(6);
  const addresses = readAddresses(bytes, view, headerLength + asked.length, records);
  return addresses === undefined ? undefined : { code, truncated, records, addresses };
}

/** Names are compared without regard to case (RFC 4343); length bytes are below the letters. */
function sameQuestion(a: Uint8Array, b: Uint8Array): boolean {
  const lower = (byte: number) => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte);
  return a.length === b.length && a.every((byte, i) => lower(byte) === lower(b[i] ?? 0));
}

function readAddresses(bytes: Uint8Array, view: DataView, start: number, records: number): IpAddress[] | undefined {
  const addresses: IpAddress[] = [];
  let at = start;
  for (let i = 0; i < records; i++) {
    const fields = skipName(bytes, at);
    if (fields === undefined || fields + 10 > bytes.length) return undefined;
    const type = view.getUint16(fields);
    const length = view.getUint16(fields + 8);
    const data = fields + 10;
    if (data + length > bytes.length) return undefined;
    if ((type === queryTypes.A && length === 4) || (type === queryTypes.AAAA && length === 16)) {
      addresses.push(new Uint8Array(bytes.subarray(data, data + length)));
    }
    at = data + length;
  }
  return addresses;
}

/** Where the name that begins at `at` ends: behind its last label, or behind the pointer that goes on elsewhere. */
function skipName(bytes: Uint8Array, at: number): number | undefined {
  for (let next = at; next < bytes.length; ) {
    const length = bytes[next] ?? 0;
    if (length === 0) return next + 1;
    if (length >= 0xc0) return next + 2;
    if (length > 63) return undefined;
    next += 1 + length;
  }
  return undefined;
}
