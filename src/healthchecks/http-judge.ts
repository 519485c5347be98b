/** Whether a response is as is expected. */
import { matches } from "./bounded-match.ts";
import type { BodyContent, DigestName } from "./http-body.ts";
import { quote } from "./quote.ts";

export interface PageRules {
  /** Both ends included. */
  readonly statusCodes: readonly (readonly [number, number])[];
  /** Text that the body must contain. */
  readonly body?: string;
  /** Regular expression that the body must match, or must not. */
  readonly bodyRegex?: string;
  readonly noMatch?: boolean;
  /** Of the whole body; lower-case hexadecimal. */
  readonly digest?: { readonly name: DigestName; readonly value: string };
}

/** Another page of the same server. */
export interface HttpPage extends PageRules {
  /** With the query. */
  readonly path: string;
  /** The Host header, where it is another one. */
  readonly host?: string;
}

export interface Response extends BodyContent {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * What is wrong with a response, or undefined. Throws when that cannot be found out. `who` was asked: whose answers an
 * expression takes too long for is remembered.
 */
export function judgeResponse(
  { statusCodes, body: wanted, bodyRegex, noMatch = false, digest }: PageRules,
  responseHeaders: Readonly<Record<string, string>>,
  { status, headers, body, digest: found }: Response,
  who: string,
): string | undefined {
  if (!statusCodes.some(([low, high]) => status >= low && status <= high)) {
    return `status ${status} instead of ${formatStatusCodes(statusCodes)}`;
  }
  for (const [name, pattern] of Object.entries(responseHeaders)) {
    const value = headers[name];
    if (value === undefined) return `no header ${name}`;
    if (!matches(pattern, "", value, who)) return `header ${name} is ${quote(value)}, which does not match ${pattern}`;
  }
  if (wanted !== undefined && !body.includes(wanted)) {
    return `${theBody(headers)} does not contain ${quote(wanted)}: ${quote(body)}`;
  }
  if (bodyRegex !== undefined && matches(bodyRegex, "s", body, who) === noMatch) {
    return `${theBody(headers)} ${noMatch ? "matches" : "does not match"} ${bodyRegex}: ${quote(body)}`;
  }
  if (digest !== undefined && found !== digest.value) {
    return `the ${digest.name === "md5" ? "MD5" : "SHA-256"} of the body is ${found} instead of ${digest.value}`;
  }
  return undefined;
}

/** Nothing is unpacked: no coding was asked for. */
function theBody({ "content-encoding": coding = "identity" }: Response["headers"]): string {
  return coding === "identity" ? "the body" : `the body, encoded as ${quote(coding)},`;
}

function formatStatusCodes(codes: PageRules["statusCodes"]): string {
  return codes.map(([low, high]) => (low === high ? String(low) : `${low}-${high}`)).join(", ");
}
