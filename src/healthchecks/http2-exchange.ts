/** One request and its response over HTTP/2, on a connection of its own that is gone afterwards. */
import { type ClientHttp2Stream, connect, constants, type IncomingHttpHeaders } from "node:http2";
import type { Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { Body } from "./http-body.ts";
import { connectSocket, type HttpRequest, type HttpResponse, tlsOptionsOf } from "./http-exchange.ts";
import { resetConnection } from "./reset.ts";
import { warningOf } from "./tls.ts";

/** Rejects with what went wrong; with the signal's reason when it aborts. */
export function exchange2(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
  const { url, method, headers } = request;
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = connectSocket(request);
    socket.on("error", () => {});
    const secure = wrapped(request, socket);
    const session = connect(url, { createConnection: () => secure ?? socket });
    let stream: ClientHttp2Stream | undefined;
    let open = true;
    const finish = (end: () => void): void => {
      if (!open) return;
      open = false;
      signal.removeEventListener("abort", onAbort);
      end();
      stream?.destroy();
      session.destroy();
      resetConnection(socket, secure);
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
    const asked = stream;
    // A request that could not begin says only that it was cancelled; its cause says why.
    asked.on("error", (error) => finish(() => reject(error.cause instanceof Error ? error.cause : error)));
    asked.on("response", (received) => {
      const head = { status: Number(received[":status"]), headers: joined(received) };
      const body = new Body(request.digest);
      const warning = secure === undefined ? {} : warningOf(url.host, secure, request.tls);
      const succeed = (): void => finish(() => resolve({ ...head, ...body.content(), ...warning }));
      asked.on("data", (chunk: Buffer) => {
        try {
          body.add(chunk);
          if (body.isEnough) succeed();
        } catch (error) {
          finish(() => reject(error));
        }
      });
      // An end is told of one that was cut off, too.
      asked.on("close", () => {
        if (asked.rstCode === constants.NGHTTP2_NO_ERROR) succeed();
      });
    });
    asked.on("close", () => setImmediate(() => finish(() => reject(new Error(whyClosed(asked, socket))))));
    asked.end();
  });
}

/** Of a stream without an error. */
export function whyClosed({ rstCode = constants.NGHTTP2_NO_ERROR }: ClientHttp2Stream, { destroyed }: Socket): string {
  if (destroyed) return "the server closed the connection";
  return rstCode === constants.NGHTTP2_NO_ERROR
    ? "the server ended the request without an answer"
    : "the server broke the answer off";
}

/** With TLS its name is agreed on (ALPN), without TLS it is spoken at once (RFC 9113 section 3.3). */
function wrapped(request: HttpRequest, socket: Socket): TLSSocket | undefined {
  if (request.url.protocol === "http:") return undefined;
  const secure = connectTls({ socket, ...tlsOptionsOf(request), ALPNProtocols: ["h2"] });
  // What follows the end finds a listener.
  secure.on("error", () => {});
  return secure;
}

function joined(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([name, value]) => value !== undefined && !name.startsWith(":"))
      .map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : String(value)]),
  );
}
