/** `type: http` */
import { z } from "zod";
import type { HttpParameters } from "../healthchecks/http.ts";
import { familyOfText } from "./addresses.ts";
import {
  describePage,
  describeRules,
  headerValue,
  pageKeys,
  pages,
  regex,
  resolvePages,
  resolveRules,
} from "./check-http-page.ts";
import { checkSchema } from "./check-schema.ts";
import { describeTls, resolveTls, tlsKeys, warnWithoutTls } from "./check-tls.ts";
import { required, standard, unset } from "./keys.ts";
import { address, expected, oneOf, text, whole } from "./kinds.ts";
import type { Path } from "./problem.ts";
import type { Report } from "./report.ts";

const url = z
  .string({ error: ({ input }) => expected("a URL with http or https", input) })
  .superRefine((value, context) => {
    const message = complaintAboutUrl(value);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  })
  .meta({ "x-bounds": "a URL with http or https" });

function complaintAboutUrl(value: string): string | undefined {
  const rule = "a URL with http or https";
  if (!URL.canParse(value)) {
    return expected(rule, value, /^[a-z0-9.:[\]-]+(\/.*)?$/i.test(value) ? `write http://${value}` : undefined);
  }
  const { protocol, username, password, hash } = new URL(value);
  // Not repeated: the password would go on into logs.
  if (username !== "" || password !== "") return `expected ${rule} without name and password: send them in headers`;
  if (protocol !== "http:" && protocol !== "https:") return expected(rule, value);
  return hash === "" ? undefined : expected(rule, value, "without the part after #, which is never sent");
}

/** A number or text: YAML reads 1.1 as a number. */
const httpVersion = z
  .union([z.string(), z.number()], { error: ({ input }) => expected("1.1 or 2", input) })
  .transform((value, context): "1.1" | "2" => {
    const version = String(value);
    if (version === "1.1" || version === "2") return version;
    context.issues.push({ code: "custom", input: value, message: expected("1.1 or 2", value) });
    return z.NEVER;
  })
  .meta({ "x-bounds": "1.1 or 2" });

/** RFC 9110 section 5.1 */
const headerName = text("the name of a header", (value) =>
  /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(value) ? undefined : "",
);
const headers = z.record(headerName, headerValue).meta({ "x-bounds": "a map of header names and values" });

export const headerPatterns = z
  .record(headerName, regex)
  .meta({ "x-bounds": "a map of header names and regular expressions" });

export const httpSchema = checkSchema({
  keys: {
    url: required(
      url,
      "What is asked for. A host name in it is looked up in every run, within timeout, unless address is given.",
    ),
    address: unset(
      address(),
      "the host of url",
      "Address to connect to instead; url keeps the name that is asked for.",
    ),
    source: unset(address(), "chosen by the kernel", "Address to connect from."),
    method: standard(oneOf("GET", "HEAD", "OPTIONS"), "GET", "Method of the request."),
    http_version: standard(httpVersion, 1.1, "HTTP version. 2 over https by ALPN, over http at once."),
    ...pageKeys,
    pages: unset(pages, "none", "Further pages of the same server, each of which has to be as is expected, too."),
    headers: unset(headers, "none", "Further headers of the request. Their values are not shown."),
    response_headers: unset(headerPatterns, "none", "Regular expressions that headers of the response must match."),
    max_redirects: standard(
      whole(0, 10),
      0,
      "Redirections that are followed: to the host of url or virtualhost at the same address, to another one without headers and client certificate. Otherwise one is judged by its status code.",
    ),
    ...tlsKeys("https: ", "the host of url"),
  },
  resolve(values, path, report): HttpParameters | undefined {
    const tls = resolveTls(values, path, report);
    if (neverTls(values)) warnWithoutTls(values, "url is not https", path, report);
    checkHeaders(values.headers ?? {}, values.http_version ?? "1.1", path, report);
    const { url, address, source, virtualhost } = values;
    if (address !== undefined && source !== undefined && familyOfText(address) !== familyOfText(source)) {
      report.error(
        [...path, "source"],
        `expected an IPv${familyOfText(address)} address, as address is one, got ${source}`,
      );
    }
    const { warnBefore: _, ...withoutTls } = tls;
    const rules = resolveRules(values, values.method, path, report);
    const pages = resolvePages(values.pages ?? [], values.method, [...path, "pages"], report);
    if (url === undefined) return undefined;
    return {
      type: "http",
      url,
      method: values.method ?? "GET",
      version: values.http_version ?? "1.1",
      ...(address === undefined ? {} : { address }),
      ...(source === undefined ? {} : { source }),
      headers: { ...lowerNames(values.headers), ...(virtualhost === undefined ? {} : { host: virtualhost }) },
      ...rules,
      ...(pages.length === 0 ? {} : { pages }),
      responseHeaders: lowerNames(values.response_headers),
      redirects: values.max_redirects ?? 0,
      ...(neverTls(values) ? { ...withoutTls, verify: true } : tls),
    };
  },
  describe: (http: HttpParameters, mask) => {
    const { host, ...headers } = http.headers;
    return {
      url: http.url,
      address: http.address,
      source: http.source,
      via_vip: http.via === undefined ? undefined : true,
      method: http.method,
      http_version: Number(http.version),
      virtualhost: host,
      headers: Object.keys(headers).length === 0 ? undefined : masked(headers, mask),
      ...describeRules(http),
      pages: http.pages?.map(describePage),
      response_headers: Object.keys(http.responseHeaders).length === 0 ? undefined : http.responseHeaders,
      max_redirects: http.redirects,
      ...(http.url.startsWith("https:") || http.redirects > 0 ? describeTls(http) : {}),
    };
  },
});

function masked(headers: Readonly<Record<string, string>>, mask: string | undefined): object {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, mask ?? value]));
}

/** RFC 9113 section 8.2.2: they belong to a connection of HTTP/1.1. */
const notInHttp2 = new Set(["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"]);
/** RFC 9110 section 8.6: the requests that are sent have no body. */
const ofBodies = new Set(["content-length", "transfer-encoding"]);

function checkHeaders(headers: object, version: HttpParameters["version"], path: Path, report: Report): void {
  for (const name of Object.keys(headers)) {
    const lower = name.toLowerCase();
    if (lower === "host") report.error([...path, "headers", name], "write it as virtualhost");
    else if (ofBodies.has(lower)) report.error([...path, "headers", name], "the request has no body: remove it");
    else if (version === "2" && notInHttp2.has(lower)) {
      report.error([...path, "headers", name], "HTTP/2 has no such header: remove it, or write http_version: 1.1");
    }
  }
}

/** Not even a redirection leads to https. */
function neverTls({ url, max_redirects = 0 }: { readonly url?: unknown; readonly max_redirects?: unknown }): boolean {
  return typeof url === "string" && url.startsWith("http:") && max_redirects === 0;
}

function lowerNames(headers: Readonly<Record<string, string | undefined>> | undefined): Record<string, string> {
  const entries = Object.entries(headers ?? {}).flatMap(([name, value]) =>
    value === undefined ? [] : [[name.toLowerCase(), value] as const],
  );
  return Object.fromEntries(entries);
}
