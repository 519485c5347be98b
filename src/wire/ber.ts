/** The part of BER (X.690) that LDAP uses: definite lengths, tags of one byte. */

export const tags = { boolean: 0x01, integer: 0x02, octets: 0x04, enumerated: 0x0a, sequence: 0x30 } as const;

export interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
}

export function encode(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  const length = content.reduce((sum, part) => sum + part.length, 0);
  const header = [tag, ...lengthBytes(length)];
  const bytes = new Uint8Array(header.length + length);
  bytes.set(header);
  let at = header.length;
  for (const part of content) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function lengthBytes(length: number): number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let left = length; left > 0; left = Math.floor(left / 256)) bytes.unshift(left % 256);
  return [0x80 | bytes.length, ...bytes];
}

/** A number from 0 to 2^31 - 1. */
export function encodeNumber(value: number, tag: number = tags.integer): Uint8Array {
  const bytes: number[] = [];
  let left = value;
  do {
    bytes.unshift(left & 0xff);
    left >>>= 8;
  } while (left > 0);
  // The first bit is the sign.
  if ((bytes[0] ?? 0) >= 0x80) bytes.unshift(0);
  return encode(tag, Uint8Array.from(bytes));
}

export function encodeText(text: string, tag: number = tags.octets): Uint8Array {
  return encode(tag, new TextEncoder().encode(text));
}

/** How long the element is that begins here, header included; undefined while that cannot be told, NaN for what is none. */
export function elementLength(bytes: Uint8Array): number | undefined {
  const [tag, first, ...rest] = bytes.subarray(0, 6);
  if (tag === undefined || first === undefined) return undefined;
  // Tags of several bytes, and lengths that show only at the end, are not in LDAP (RFC 4511 section 5.1).
  if ((tag & 0x1f) === 0x1f || first === 0x80 || first > 0x84) return Number.NaN;
  if (first < 0x80) return 2 + first;
  const digits = rest.slice(0, first - 0x80);
  if (digits.length < first - 0x80) return undefined;
  return 2 + digits.length + digits.reduce((value, byte) => value * 256 + byte, 0);
}

/** The elements one after the other; undefined when they do not fill the bytes exactly. */
export function decodeAll(bytes: Uint8Array): Element[] | undefined {
  const elements: Element[] = [];
  for (let rest = bytes; rest.length > 0; ) {
    const length = elementLength(rest);
    if (length === undefined || !(length <= rest.length)) return undefined;
    const [tag = 0, first = 0] = rest;
    elements.push({ tag, content: rest.subarray(first < 0x80 ? 2 : 2 + first - 0x80, length) });
    rest = rest.subarray(length);
  }
  return elements;
}

/** Of at most six bytes, without sign; undefined otherwise. */
export function decodeNumber({ content }: Element): number | undefined {
  if (content.length === 0 || content.length > 6 || (content[0] ?? 0) >= 0x80) return undefined;
  return content.reduce((value, byte) => value * 256 + byte, 0);
}
