/** `type: http`: a web server answers a request, over HTTP or HTTPS, as is expected. */
import { matches } from "./bounded-match.ts";
import { type CheckType, type Outcome, whyAborted } from "./check-type.ts";
import { exchange1, type HttpRequest, type HttpResponse } from "./http-exchange.ts";
import { exchange2 } from "./http2-exchange.ts";
import { quote } from "./quote.ts";
import { readTlsFiles, type TlsParameters, whyFailed } from "./tls.ts";

export interface HttpParameters extends TlsParameters {
  readonly type: "http";
  /** Absolute, http: or https:. */
  readonly url: string;
  readonly method: "GET" | "HEAD" | "OPTIONS";
  readonly version: "1.1" | "2";
  /** Connected to instead of the host of the URL, which stays in the request. */
  readonly address?: string;
  readonly source?: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Both ends included. */
  readonly statusCodes: readonly (readonly [number, number])[];
  /** Text that the body must contain. */
  readonly body?: string;
  /** Regular expression that the body must match. */
  readonly bodyRegex?: string;
  /** Regular expressions that headers of the response must match, by name in lower case. */
  readonly responseHeaders: Readonly<Record<string, string>>;
  /** Redirections followed. */
  readonly redirects: number;
}

export const http: CheckType<HttpParameters> = {
  async probe(parameters, signal): Promise<Outcome> {
    let url = new URL(parameters.url);
    const what = `${parameters.method} ${parameters.url}`;
    try {
      const tls = url.protocol === "https:" || parameters.redirects > 0 ? await readTls(parameters) : { verify: true };
      for (let left = parameters.redirects; ; left--) {
        const request = requestOf(parameters, url, tls);
        const response = await (request.version === "2" ? exchange2 : exchange1)(request, signal);
        const next = left > 0 ? redirection(response, url) : undefined;
        if (next === undefined) {
          const complaint = judgeResponse(parameters, response);
          const via = url.href === new URL(parameters.url).href ? "" : ` at ${url.href}`;
          return { ok: complaint === undefined, reason: `${what}: ${complaint ?? `status ${response.status}`}${via}` };
        }
        url = next;
      }
    } catch (error) {
      return { ok: false, reason: `${what}: ${signal.aborted ? whyAborted(signal) : whyFailed(error)}` };
    }
  },
};

function requestOf(parameters: HttpParameters, url: URL, tls: HttpRequest["tls"]): HttpRequest {
  const { method, version, headers, source, address } = parameters;
  const first = new URL(parameters.url);
  // A redirection to another host goes there; to the same one, it stays with the server that is checked.
  const sameHost = url.hostname === first.hostname;
  // What is meant for that server, passwords perhaps, is neither told to others nor sent in clear text.
  const trusted = sameHost && (url.protocol === "https:" || first.protocol === "http:");
  return {
    url,
    method,
    version,
    headers: { "user-agent": "viprd", ...(trusted ? headers : {}) },
    ...(address === undefined || !sameHost ? {} : { address }),
    ...(source === undefined ? {} : { source }),
    tls: sameHost ? tls : { verify: tls.verify, ...(tls.ca === undefined ? {} : { ca: tls.ca }) },
  };
}

/** What is wrong with a response, or undefined. Throws when that cannot be found out. */
export function judgeResponse(parameters: HttpParameters, { status, headers, body }: HttpResponse): string | undefined {
  const { statusCodes, responseHeaders } = parameters;
  if (!statusCodes.some(([low, high]) => status >= low && status <= high)) {
    return `status ${status} instead of ${formatStatusCodes(statusCodes)}`;
  }
  for (const [name, pattern] of Object.entries(responseHeaders)) {
    const value = headers[name];
    if (value === undefined) return `no header ${name}`;
    if (!matches(pattern, "", value)) return `header ${name} is ${quote(value)}, which does not match ${pattern}`;
  }
  if (parameters.body !== undefined && !body.includes(parameters.body)) {
    return `the body does not contain ${quote(parameters.body)}: ${quote(body)}`;
  }
  if (parameters.bodyRegex !== undefined && !matches(parameters.bodyRegex, "s", body)) {
    return `the body does not match ${parameters.bodyRegex}: ${quote(body)}`;
  }
  return undefined;
}

export function formatStatusCodes(codes: HttpParameters["statusCodes"]): string {
  return codes.map(([low, high]) => (low === high ? String(low) : `${low}-${high}`)).join(", ");
}

/** RFC 9110 section 15.4; undefined when it is none that can be followed. */
function redirection({ status, headers }: HttpResponse, from: URL): URL | undefined {
  if (![301, 302, 303, 307, 308].includes(status) || headers.location === undefined) return undefined;
  if (!URL.canParse(headers.location, from.href)) return undefined;
  const next = new URL(headers.location, from);
  return next.protocol === "http:" || next.protocol === "https:" ? next : undefined;
}

async function readTls(parameters: HttpParameters): Promise<HttpRequest["tls"]> {
  const { verify, serverName } = parameters;
  return { verify, ...(await readTlsFiles(parameters)), ...(serverName === undefined ? {} : { name: serverName }) };
}
