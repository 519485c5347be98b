/** The keys about TLS, for every type of check that can speak it. */
import { z } from "zod";
import type { ServiceTls } from "../healthchecks/service.ts";
import type { TlsParameters } from "../healthchecks/tls.ts";
import { standard, unset } from "./keys.ts";
import { boolean, expected, oneOf, text } from "./kinds.ts";
import type { Path } from "./problem.ts";
import type { Report } from "./report.ts";

const oneDay = 24 * 3_600_000;
const daysRule = "a number of days from 0d to 3650d";

/** Milliseconds. */
function days() {
  return z
    .string({
      error: ({ input }) => expected(daysRule, input, typeof input === "number" ? `write ${input}d` : undefined),
    })
    .transform((text, context) => {
      const count = Number(/^(\d{1,4})d$/.exec(text)?.[1]);
      if (count <= 3650) return count * oneDay;
      context.issues.push({ code: "custom", input: text, message: expected(daysRule, text) });
      return z.NEVER;
    })
    .meta({ type: "string", pattern: "^[0-9]{1,4}d$", "x-bounds": "0d to 3650d" });
}

export const checkPath = text("an absolute path", (value) => (value.startsWith("/") ? undefined : ""));
const serverName = text("a host name", (value) => (/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/.test(value) ? undefined : ""));

/** `when` they count, in front of each description; `name` is what is asked for unless sni_name says otherwise. */
export function tlsKeys(when: string, name: string) {
  return {
    tls_verify: standard(boolean(), true, `${when}whether the certificate must be valid for the name.`),
    tls_ca: unset(
      checkPath,
      "those that Node.js brings",
      `${when}file of the certificate authorities to trust instead, PEM.`,
    ),
    tls_cert: unset(checkPath, "none", `${when}file of the client certificate, PEM; needs tls_key.`),
    tls_key: unset(checkPath, "none", `${when}file of the client certificate's key, PEM.`),
    sni_name: unset(serverName, name, `${when}name asked for and expected in the certificate.`),
    certificate_warning: standard(
      days(),
      "14d",
      `${when}a certificate that expires sooner, and is in the last third of its time, is warned of. 0d: never.`,
    ),
  };
}

export interface TlsValues {
  readonly tls_verify?: boolean | undefined;
  readonly tls_ca?: string | undefined;
  readonly tls_cert?: string | undefined;
  readonly tls_key?: string | undefined;
  readonly sni_name?: string | undefined;
  readonly certificate_warning?: number | undefined;
}

export function resolveTls(values: TlsValues, path: Path, report: Report): TlsParameters {
  const { tls_verify, tls_ca, tls_cert, tls_key, sni_name, certificate_warning: warning = 14 * oneDay } = values;
  if (tls_cert !== undefined && tls_key === undefined) report.error([...path, "tls_cert"], "needs tls_key, too");
  if (tls_key !== undefined && tls_cert === undefined) report.error([...path, "tls_key"], "needs tls_cert, too");
  if (tls_verify === false && tls_ca !== undefined) {
    report.warn([...path, "tls_ca"], "has no effect with tls_verify: false");
  }
  return {
    verify: tls_verify ?? true,
    ...(tls_ca === undefined ? {} : { authorities: tls_ca }),
    ...(tls_cert === undefined ? {} : { certificate: tls_cert }),
    ...(tls_key === undefined ? {} : { key: tls_key }),
    ...(sni_name === undefined ? {} : { serverName: sni_name }),
    ...(warning === 0 ? {} : { warnBefore: warning }),
  };
}

/** `why` there is no TLS: "url is not https". */
export function warnWithoutTls(values: TlsValues, why: string, path: Path, report: Report): void {
  for (const key of ["tls_verify", "tls_ca", "tls_cert", "tls_key", "sni_name", "certificate_warning"] as const) {
    if (values[key] !== undefined) report.warn([...path, key], `has no effect: ${why}`);
  }
}

export function describeTls(tls: TlsParameters) {
  return {
    tls_verify: tls.verify,
    tls_ca: tls.authorities,
    tls_cert: tls.certificate,
    tls_key: tls.key,
    sni_name: tls.serverName,
    certificate_warning: `${(tls.warnBefore ?? 0) / oneDay}d`,
  };
}

type Mode = ServiceTls["mode"];

/** `tls` and what belongs to it, for a protocol that has TLS in these ways. */
export function serviceTlsKeys<const M extends readonly [Mode, ...Mode[]]>(...modes: M) {
  const ways = {
    implicit: "implicit = TLS from the first byte",
    starttls: "starttls = TLS asked for within the protocol, a failure when it is not to be had",
  };
  return {
    tls: standard(
      oneOf("none", ...(modes as readonly M[number][])),
      "none",
      `Whether TLS is spoken. ${modes.map((mode) => ways[mode]).join("; ")}.`,
    ),
    ...tlsKeys("With tls: ", "the address of host"),
  };
}

export function resolveServiceTls(
  values: TlsValues & { readonly tls?: "none" | Mode | undefined },
  path: Path,
  report: Report,
): { readonly tls?: ServiceTls } {
  const { tls: mode = "none" } = values;
  const tls = resolveTls(values, path, report);
  if (mode !== "none") return { tls: { mode, ...tls } };
  warnWithoutTls(values, "tls is none", path, report);
  return {};
}

export function describeServiceTls(tls: ServiceTls | undefined) {
  return tls === undefined ? { tls: "none" } : { tls: tls.mode, ...describeTls(tls) };
}
