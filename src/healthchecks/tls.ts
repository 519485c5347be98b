/** TLS as every check speaks it: whom to trust, who to be, and why it failed, in words. */
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { type ConnectionOptions, checkServerIdentity, type PeerCertificate, type TLSSocket } from "node:tls";
import { expiryWarning, validityOf } from "./certificate.ts";
import type { Milliseconds } from "./parameters.ts";
import { whySystem } from "./system-failure.ts";

export interface TlsParameters {
  readonly verify: boolean;
  /** Files in PEM, read anew in every run: a renewed certificate is used at once. */
  readonly authorities?: string;
  readonly certificate?: string;
  readonly key?: string;
  /** Name asked for (SNI) and expected in the certificate, instead of the host. */
  readonly serverName?: string;
  /** A certificate that expires sooner is warned of. */
  readonly warnBefore?: Milliseconds;
}

export interface TlsFiles {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/** Throws when one cannot be read: a check that was to verify must not go on without. */
export async function readTlsFiles({ authorities, certificate, key }: TlsParameters): Promise<TlsFiles> {
  return {
    ...(authorities === undefined ? {} : { ca: await readFile(authorities) }),
    ...(certificate === undefined ? {} : { cert: await readFile(certificate) }),
    ...(key === undefined ? {} : { key: await readFile(key) }),
  };
}

/** For a connection to the server that is called `name`, or has that address. */
export function tlsOptions(name: string, verify: boolean, files: TlsFiles): ConnectionOptions {
  return {
    ...files,
    rejectUnauthorized: verify,
    // RFC 6066 section 3: an address is no server name.
    servername: isIP(name) === 0 ? name : "",
    checkServerIdentity: (_host: string, certificate: PeerCertificate) => checkServerIdentity(name, certificate),
  };
}

/** What is to be said of the certificate of `what` although the connection is good. */
export function warningOf(
  what: string,
  stream: TLSSocket,
  { warnBefore }: Pick<TlsParameters, "warnBefore">,
): { readonly warning?: string } {
  const validity = warnBefore === undefined ? undefined : validityOf(stream);
  if (validity === undefined || warnBefore === undefined) return {};
  const warning = expiryWarning(what, validity, warnBefore, Date.now());
  return warning === undefined ? {} : { warning };
}

/** Node's names of what is wrong with a certificate that are met in practice. */
const doubts: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: "the certificate is signed by itself",
  SELF_SIGNED_CERT_IN_CHAIN: "the authority of the certificate is not trusted",
  UNABLE_TO_GET_ISSUER_CERT: "the authority of the certificate is not known",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "the authority of the certificate is not known",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the authority of the certificate is not known",
  CERT_HAS_EXPIRED: "the certificate has expired",
  CERT_NOT_YET_VALID: "the certificate is not valid yet",
  CERT_REVOKED: "the certificate has been revoked",
  ERR_TLS_CERT_ALTNAME_INVALID: "the certificate is for another name",
};

/** Of a connection with `authorized` false: an error, or only its code. */
export function whyNotTrusted({ authorizationError }: { readonly authorizationError?: Error | string }): string {
  if (authorizationError instanceof Error) return whyFailed(authorizationError);
  const code = authorizationError ?? "no reason given";
  return `${doubts[code] ?? "the certificate is not trusted"} (${code})`;
}

/** What an operator can do something about, in words; the rest as Node and OpenSSL say it. */
export function whyFailed(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error ? String(error.code) : "";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return `the name cannot be looked up (${code})`;
  if (code === "ENOENT" || code === "EACCES") return "path" in error ? `cannot read ${error.path} (${code})` : code;
  const doubt = doubts[code];
  if (doubt !== undefined) return `${doubt} (${code})`;
  // What OpenSSL says comes with its source file; the reason alone is for people.
  if (/^ERR_(SSL|OSSL)_/.test(code) && "reason" in error) return `${error.reason} (${code})`;
  if (/^(CERT_|UNABLE_|SELF_SIGNED|DEPTH_ZERO|ERR_TLS|ERR_HTTP2|EPROTO|HPE_)/.test(code))
    return `${error.message} (${code})`;
  return whySystem(error);
}
