/**
 * IP and MAC addresses as bytes, with their text forms.
 * Bytes inside, text at the edges: comparisons in the election are comparisons of bytes (RFC 9568 section 6.4.3).
 */

export type Family = 4 | 6;

/** 4 or 16 bytes in network order. Never mutated. */
export type IpAddress = Uint8Array;

export const allVrrpRouters4: IpAddress = Uint8Array.of(224, 0, 0, 18);
export const allVrrpRouters6: IpAddress = Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12);

export function familyOf(address: IpAddress): Family {
  return address.length === 4 ? 4 : 6;
}

/** Unsigned big-endian comparison: below zero when `a` is the lower address. */
export function compareAddresses(a: IpAddress, b: IpAddress): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

export function equalAddresses(a: IpAddress, b: IpAddress): boolean {
  return a.length === b.length && compareAddresses(a, b) === 0;
}

/** fe80::/10 */
export function isLinkLocal(address: IpAddress): boolean {
  return address.length === 16 && address[0] === 0xfe && ((address[1] ?? 0) & 0xc0) === 0x80;
}

export function isMulticast(address: IpAddress): boolean {
  const first = address[0] ?? 0;
  return address.length === 4 ? first >> 4 === 0xe : first === 0xff;
}

const dot = 0x2e;
const zero = 0x30;
const nine = 0x39;

/** The bytes of an address written as text, or undefined when it is none. No zone, no prefix length. */
export function parseAddress(text: string): IpAddress | undefined {
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text);
}

function parseIpv4(text: string): IpAddress | undefined {
  const bytes = new Uint8Array(4);
  let part = 0;
  let value = 0;
  let digits = 0;
  // A load balancer's table is some ten thousand of them: character by character takes a fifth of split and patterns.
  for (let i = 0; i <= text.length; i++) {
    const code = i < text.length ? text.charCodeAt(i) : dot;
    if (code === dot) {
      if (digits === 0 || part > 3) return undefined;
      bytes[part++] = value;
      value = 0;
      digits = 0;
    } else {
      // A leading zero is refused: some readers take it as octal.
      if (code < zero || code > nine || (digits > 0 && value === 0)) return undefined;
      value = value * 10 + code - zero;
      digits += 1;
      if (value > 255) return undefined;
    }
  }
  return part === 4 ? bytes : undefined;
}

function parseIpv6(text: string): IpAddress | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = groups(halves[0] ?? "");
  const tail = halves.length === 2 ? groups(halves[1] ?? "") : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  // Dotted quads belong at the very end only.
  if (halves.length === 2 && (halves[0] ?? "").includes(".")) return undefined;
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  for (const [i, group] of head.entries()) view.setUint16(i * 2, group);
  for (const [i, group] of tail.entries()) view.setUint16((8 - tail.length + i) * 2, group);
  return bytes;
}

function groups(text: string): number[] | undefined {
  if (text === "") return [];
  const parts = text.split(":");
  const result: number[] = [];
  for (const [i, part] of parts.entries()) {
    if (part.includes(".")) {
      const quad = i === parts.length - 1 ? parseIpv4(part) : undefined;
      if (quad === undefined) return undefined;
      result.push(((quad[0] ?? 0) << 8) | (quad[1] ?? 0), ((quad[2] ?? 0) << 8) | (quad[3] ?? 0));
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
      result.push(Number.parseInt(part, 16));
    }
  }
  return result;
}

/** Dotted quad, or RFC 5952 text. */
export function formatAddress(address: IpAddress): string {
  if (address.length === 4) return address.join(".");
  const view = new DataView(address.buffer, address.byteOffset, 16);
  const words = Array.from({ length: 8 }, (_, i) => view.getUint16(i * 2));
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; ) {
    let end = start;
    while (end < 8 && words[end] === 0) end++;
    if (end - start > best.length) best = { start, length: end - start };
    start = Math.max(end, start + 1);
  }
  const hex = (from: number, to: number) =>
    words
      .slice(from, to)
      .map((word) => word.toString(16))
      .join(":");
  if (best.start < 0) return hex(0, 8);
  return `${hex(0, best.start)}::${hex(best.start + best.length, 8)}`;
}

export function formatMac(mac: Uint8Array): string {
  return Array.from(mac, (byte) => byte.toString(16).padStart(2, "0")).join(":");
}
