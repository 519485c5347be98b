/** One request and its response over HTTP/1.1 or HTTP/2, on a connection of its own that is gone afterwards. */
import { request as requestPlain } from "node:http";
import { type ClientHttp2Stream, connect as connectHttp2 } from "node:http2";
import { request as requestTls } from "node:https";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { lookup } from "./lookup.ts";
import { type TlsFiles, tlsOptions } from "./tls.ts";

export interface HttpRequest {
  readonly url: URL;
  readonly method: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly version: "1.1" | "2";
  /** Where to connect instead of the host of the URL. */
  readonly address?: string;
  readonly source?: string;
  readonly tls: TlsFiles & { readonly verify: boolean; readonly name?: string };
}

export interface HttpResponse {
  readonly status: number;
  /** Names in lower case; several of one name are joined. */
  readonly headers: Readonly<Record<string, string>>;
  /** Its first part, see `longestBody`. */
  readonly body: string;
}

/** Of a body so many bytes are read and looked at; the connection ends after them. */
export const longestBody = 256 * 1024;

/** Rejects with what went wrong; with the signal's reason when it aborts. */
export function exchange(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
  return request.version === "2" ? exchange2(request, signal) : exchange1(request, signal);
}

function exchange1(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
  const { url, method, headers, source } = request;
  const secure = url.protocol === "https:";
  return new Promise((resolve, reject) => {
    const asked = (secure ? requestTls : requestPlain)({
      host: request.address ?? hostOf(url),
      port: portOf(url),
      path: `${url.pathname}${url.search}`,
      method,
      headers: { host: url.host, ...headers },
      // No connection is kept, or found half open by the next run.
      agent: false,
      lookup,
      signal,
      ...(source === undefined ? {} : { localAddress: source }),
      ...(secure ? tlsOf(request) : {}),
    });
    asked.on("error", (error) => reject(signal.aborted ? signal.reason : error));
    asked.on("response", (response) => {
      const status = response.statusCode ?? 0;
      const body = new Body((text) => {
        resolve({ status, headers: joined(response.headers), body: text });
        drop(response.socket);
      });
      response.on("data", (chunk: Buffer) => body.add(chunk));
      response.on("end", () => body.end());
      response.on("error", (error) => reject(signal.aborted ? signal.reason : error));
    });
    asked.end();
  });
}

function exchange2(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
  const { url, method, headers } = request;
  return new Promise((resolve, reject) => {
    const session = connectHttp2(url, { createConnection: () => openConnection(request) });
    let stream: ClientHttp2Stream | undefined;
    const finish = (end: () => void): void => {
      signal.removeEventListener("abort", onAbort);
      end();
      stream?.destroy();
      session.destroy();
    };
    const onAbort = (): void => finish(() => reject(signal.reason));
    signal.addEventListener("abort", onAbort);
    // Errors that follow the end find a listener, too.
    session.on("error", (error) => finish(() => reject(error)));
    session.on("close", () => finish(() => reject(new Error("the server closed the connection"))));
    try {
      stream = session.request({
        ":method": method,
        ":path": `${url.pathname}${url.search}`,
        ":authority": headers.host ?? url.host,
        ...Object.fromEntries(Object.entries(headers).filter(([name]) => name !== "host")),
      });
    } catch (error) {
      // A header that HTTP/2 does not have: the connection must not stay.
      finish(() => reject(error));
      return;
    }
    // A request that could not begin says only that it was cancelled; its cause says why.
    stream.on("error", (error) => finish(() => reject(error.cause instanceof Error ? error.cause : error)));
    stream.on("response", (received) => {
      const status = Number(received[":status"]);
      const body = new Body((text) => finish(() => resolve({ status, headers: joined(received), body: text })));
      stream?.on("data", (chunk: Buffer) => body.add(chunk));
      stream?.on("end", () => body.end());
    });
    stream.end();
  });
}

/** For HTTP/2: with TLS its name is agreed on (ALPN), without TLS it is spoken at once (RFC 9113 section 3.3). */
function openConnection(request: HttpRequest): Socket {
  const { url, source } = request;
  const where = {
    host: request.address ?? hostOf(url),
    port: portOf(url),
    lookup,
    ...(source === undefined ? {} : { localAddress: source }),
  };
  if (url.protocol === "http:") return connectTcp(where);
  return connectTls({ ...where, ...tlsOf(request), ALPNProtocols: ["h2"] });
}

function tlsOf({ url, tls: { verify, name, ...files } }: HttpRequest) {
  return tlsOptions(name ?? hostOf(url), verify, files);
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "");
}

function portOf(url: URL): number {
  return url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
}

/** Collects a body up to its limit; `done` is called once. */
class Body {
  readonly #done: (text: string) => void;
  #chunks: Buffer[] = [];
  #length = 0;
  #open = true;

  constructor(done: (text: string) => void) {
    this.#done = done;
  }

  add(chunk: Buffer): void {
    if (!this.#open) return;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    if (this.#length >= longestBody) this.end();
  }

  end(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#done(Buffer.concat(this.#chunks).subarray(0, longestBody).toString("utf8"));
  }
}

function joined(headers: Readonly<Record<string, string | string[] | number | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([name, value]) => value !== undefined && !name.startsWith(":"))
      .map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : String(value)]),
  );
}

/** A reset instead of four more packets, and no TIME_WAIT entry for every run; under TLS the end is said in order. */
function drop(socket: Socket): void {
  if ("encrypted" in socket) socket.destroy();
  else socket.resetAndDestroy();
}
