/** Messages of LDAP, as far as a client needs them that binds and searches: RFC 4511. */
import { decodeAll, decodeNumber, type Element, encode, encodeNumber, encodeText, tags } from "./ber.ts";

export const scopes = { base: 0, one: 1, sub: 2 } as const;
export type Scope = keyof typeof scopes;

/** RFC 4511 section 4.14.1 */
export const startTlsName = "1.3.6.1.4.1.1466.20037";

export interface Search {
  readonly base: string;
  readonly scope: Scope;
  /** As `encodeFilter` makes it. */
  readonly filter: Uint8Array;
  /** Entries that the server may answer with; 0 for as many as it likes. */
  readonly sizeLimit: number;
}

/** Without a name it is an anonymous one. */
export function encodeBind(id: number, name: string, password: string): Uint8Array {
  return message(id, encode(0x60, encodeNumber(3), encodeText(name), encodeText(password, 0x80)));
}

/** No attributes are asked for. */
export function encodeSearch(id: number, { base, scope, filter, sizeLimit }: Search): Uint8Array {
  const neverDereference = encodeNumber(0, tags.enumerated);
  const typesOnly = encode(tags.boolean, Uint8Array.of(0xff));
  return message(
    id,
    encode(
      0x63,
      encodeText(base),
      encodeNumber(scopes[scope], tags.enumerated),
      neverDereference,
      encodeNumber(sizeLimit),
      encodeNumber(0),
      typesOnly,
      filter,
      encode(tags.sequence, encodeText("1.1")),
    ),
  );
}

export function encodeStartTls(id: number): Uint8Array {
  return message(id, encode(0x77, encodeText(startTlsName, 0x80)));
}

export function encodeUnbind(id: number): Uint8Array {
  return message(id, encode(0x42));
}

function message(id: number, operation: Uint8Array): Uint8Array {
  return encode(tags.sequence, encodeNumber(id), operation);
}

export interface Result {
  readonly code: number;
  /** What the server adds in words. */
  readonly diagnostic: string;
}

export type Response =
  | { readonly id: number; readonly type: "bind" | "search-done" | "extended"; readonly result: Result }
  /** `name` is that of the entry. */
  | { readonly id: number; readonly type: "entry"; readonly name: string }
  | { readonly id: number; readonly type: "reference" };

/** One whole message; undefined for what is none, and for operations that no answer to these is. */
export function decodeResponse(bytes: Uint8Array): Response | undefined {
  const [whole, ...others] = decodeAll(bytes) ?? [];
  if (whole?.tag !== tags.sequence || others.length > 0) return undefined;
  const [first, operation] = decodeAll(whole.content) ?? [];
  const id = first?.tag === tags.integer ? decodeNumber(first) : undefined;
  if (id === undefined || operation === undefined) return undefined;
  const parts = decodeAll(operation.content);
  switch (operation.tag) {
    case 0x61:
      return withResult(id, "bind", parts);
    case 0x65:
      return withResult(id, "search-done", parts);
    case 0x78:
      return withResult(id, "extended", parts);
    case 0x64: {
      const [name] = parts ?? [];
      return name?.tag === tags.octets ? { id, type: "entry", name: text(name) } : undefined;
    }
    case 0x73:
      return parts === undefined ? undefined : { id, type: "reference" };
    default:
      return undefined;
  }
}

function withResult(
  id: number,
  type: "bind" | "search-done" | "extended",
  parts: readonly Element[] | undefined,
): Response | undefined {
  const [code, matched, diagnostic] = parts ?? [];
  const number = code?.tag === tags.enumerated ? decodeNumber(code) : undefined;
  if (number === undefined || matched?.tag !== tags.octets || diagnostic?.tag !== tags.octets) return undefined;
  return { id, type, result: { code: number, diagnostic: text(diagnostic) } };
}

function text({ content }: Element): string {
  return new TextDecoder().decode(content);
}

/** RFC 4511 appendix A; those that a check meets. */
const resultNames: Readonly<Record<number, string>> = {
  0: "success",
  1: "operationsError",
  2: "protocolError",
  3: "timeLimitExceeded",
  4: "sizeLimitExceeded",
  7: "authMethodNotSupported",
  8: "strongerAuthRequired",
  10: "referral",
  11: "adminLimitExceeded",
  13: "confidentialityRequired",
  32: "noSuchObject",
  34: "invalidDNSyntax",
  48: "inappropriateAuthentication",
  49: "invalidCredentials",
  50: "insufficientAccessRights",
  51: "busy",
  52: "unavailable",
  53: "unwillingToPerform",
  80: "other",
};

export function nameOfResult(code: number): string {
  return resultNames[code] ?? `result ${code}`;
}
