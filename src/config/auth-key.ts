/** Secrets of auth_hmac as they are written: in the file, in a file of their own, or on a command line. */

export type KeySource = { readonly file: string } | { readonly secret: Uint8Array };

export const keyRule = "hex:DIGITS, text:TEXT or file:PATH";
/** keepalived's bounds. Below 32 bytes the secret would be weaker than the code that it makes. */
const least = 32;
const most = 64;

/** A complaint never repeats what was written. */
export function parseKey(text: string): KeySource | string {
  const colon = text.indexOf(":");
  const [kind, value] = [text.slice(0, colon), text.slice(colon + 1)];
  switch (kind) {
    case "hex":
      return secretOf(fromHex(value));
    case "text":
      return secretOf(fromText(value));
    case "file":
      return value === "" ? "expected file:PATH, got no path" : { file: value };
    default:
      return `expected ${keyRule}`;
  }
}

/** What a key file holds, white space around it aside: `hex:` and digits, or otherwise text that is the secret itself. */
export function parseKeyFile(bytes: Uint8Array | string): { readonly secret: Uint8Array } | string {
  const text = (typeof bytes === "string" ? bytes : new TextDecoder("latin1").decode(bytes)).trim();
  return secretOf(text.startsWith("hex:") ? fromHex(text.slice(4)) : fromText(text));
}

function fromHex(digits: string): Uint8Array | string {
  if (!/^[0-9a-fA-F]*$/.test(digits)) return "expected hex digits and nothing else after hex:";
  if (digits.length % 2 === 1) return `expected an even number of hex digits, got ${digits.length}`;
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

/** The same bytes whatever program reads or writes the file. */
function fromText(text: string): Uint8Array | string {
  if (!/^[\x20-\x7e]*$/.test(text)) return "expected printable ASCII on one line: write other bytes as hex:DIGITS";
  return new TextEncoder().encode(text);
}

function secretOf(bytes: Uint8Array | string): { readonly secret: Uint8Array } | string {
  if (typeof bytes === "string") return bytes;
  if (bytes.length >= least && bytes.length <= most) return { secret: bytes };
  return `expected ${least} to ${most} bytes, got ${bytes.length}: hex:$(openssl rand -hex 32) makes a good one`;
}
