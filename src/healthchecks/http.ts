/** `type: http`: a web server answers a request, over HTTP or HTTPS, as is expected. */
import { type CheckType, type Outcome, whyAborted } from "./check-type.ts";
import { exchange1, type HttpRequest, type HttpResponse } from "./http-exchange.ts";
import { type HttpPage, judgeResponse, type PageRules } from "./http-judge.ts";
import { exchange2 } from "./http2-exchange.ts";
import { undecidedBy } from "./system-failure.ts";
import { readTlsFiles, type TlsParameters, whyFailed } from "./tls.ts";
import { failedThrough, targetThrough, throughText, type Via } from "./via.ts";

export interface HttpParameters extends TlsParameters, PageRules {
  readonly type: "http";
  /** Absolute, http: or https:. */
  readonly url: string;
  readonly method: "GET" | "HEAD" | "OPTIONS";
  readonly version: "1.1" | "2";
  /** Connected to instead of the host of the URL, which stays in the request. */
  readonly address?: string;
  readonly source?: string;
  /** Connected to in place of both; only with http:, version 1.1 and an address. */
  readonly via?: Via;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Regular expressions that headers of the response must match, by name in lower case. */
  readonly responseHeaders: Readonly<Record<string, string>>;
  /** Redirections followed. */
  readonly redirects: number;
  /** All of them have to be as is expected, too. */
  readonly pages?: readonly HttpPage[];
}

/** What is asked of the one page, redirections included. */
type Page = Omit<HttpParameters, "pages">;

export const http: CheckType<HttpParameters> = {
  async probe(parameters, signal): Promise<Outcome> {
    const { pages = [], ...first } = parameters;
    const outcome = await probePage(first, signal);
    let { warning } = outcome;
    if (!outcome.ok) return outcome;
    for (const page of pages) {
      const further = await probePage(pageOf(first, page), signal);
      if (!further.ok) return further;
      warning ??= further.warning;
    }
    const others = pages.length === 0 ? "" : `, and ${pages.length} more ${pages.length === 1 ? "page" : "pages"}`;
    return { ok: true, reason: `${outcome.reason}${others}`, ...(warning === undefined ? {} : { warning }) };
  },
};

function pageOf(first: Page, { path, host, ...rules }: HttpPage): Page {
  // What the first page has to be like says nothing about this one.
  const { body: _body, bodyRegex: _regex, noMatch: _no, digest: _digest, ...rest } = first;
  const headers = host === undefined ? first.headers : { ...first.headers, host };
  // Not resolved as a reference: one that begins with // would name another host.
  return { ...rest, ...rules, headers, url: `${new URL(first.url).origin}${path}` };
}

async function probePage(page: Page, signal: AbortSignal): Promise<Outcome> {
  let url = new URL(page.url);
  const { href } = url;
  const what = `${page.method} ${page.url}${page.via === undefined ? "" : ` ${throughText(page.via)}`}`;
  try {
    const tls = url.protocol === "https:" || page.redirects > 0 ? await readTls(page) : { verify: true };
    for (let left = page.redirects; ; left--) {
      const request = await requestOf(page, url, tls);
      const response = await (request.version === "2" ? exchange2 : exchange1)(request, signal);
      const next = left > 0 ? redirection(response, url) : undefined;
      if (next === undefined) {
        const complaint = judgeResponse(page, page.responseHeaders, response, page.url);
        const via = url.href === href ? "" : ` at ${url.href}`;
        const reason = `${what}: ${complaint ?? `status ${response.status}`}${via}`;
        const { warning } = response;
        return { ok: complaint === undefined, reason, ...(warning === undefined ? {} : { warning }) };
      }
      url = next;
    }
  } catch (error) {
    const reason = `${what}: ${signal.aborted ? whyAborted(signal) : whyFailed(error)}`;
    const outcome: Outcome = { ok: false, reason, ...undecidedBy(error) };
    return page.via === undefined ? outcome : failedThrough(page.via, outcome);
  }
}

async function requestOf(parameters: Page, url: URL, tls: HttpRequest["tls"]): Promise<HttpRequest> {
  const { method, version, headers, source, address, via } = parameters;
  const first = new URL(parameters.url);
  // A redirection to another host goes there; to the same one, it stays with the server that is checked. Its name is that
  // of the URL, or what it is asked as: there, all servers may answer.
  const sameUrl = url.hostname === first.hostname;
  const sameHost = sameUrl || url.hostname === hostnameOf(headers.host);
  const server = address ?? (sameUrl ? undefined : first.hostname.replace(/^\[|\]$/g, ""));
  // What is meant for that server, passwords perhaps, is neither told to others nor sent in clear text.
  const trusted = sameHost && (url.protocol === "https:" || first.protocol === "http:");
  return {
    url,
    method,
    version,
    headers: { "user-agent": "viprd", ...(trusted ? headers : {}) },
    ...(server === undefined || !sameHost ? {} : { address: server }),
    ...(source === undefined ? {} : { source }),
    ...(via === undefined || !sameHost ? {} : { through: await targetThrough(via, source) }),
    ...(parameters.digest === undefined ? {} : { digest: parameters.digest.name }),
    tls: sameHost ? tls : { verify: tls.verify, ...(tls.ca === undefined ? {} : { ca: tls.ca }) },
  };
}

/** Of a Host header. */
function hostnameOf(host: string | undefined): string | undefined {
  return host !== undefined && URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : undefined;
}

/** RFC 9110 section 15.4; undefined when it is none that can be followed. */
function redirection({ status, headers }: HttpResponse, from: URL): URL | undefined {
  if (![301, 302, 303, 307, 308].includes(status) || headers.location === undefined) return undefined;
  if (!URL.canParse(headers.location, from.href)) return undefined;
  const next = new URL(headers.location, from);
  return next.protocol === "http:" || next.protocol === "https:" ? next : undefined;
}

async function readTls(parameters: Page): Promise<HttpRequest["tls"]> {
  const { verify, serverName, warnBefore } = parameters;
  return {
    verify,
    ...(await readTlsFiles(parameters)),
    ...(serverName === undefined ? {} : { name: serverName }),
    ...(warnBefore === undefined ? {} : { warnBefore }),
  };
}
