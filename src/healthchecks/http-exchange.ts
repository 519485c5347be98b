/** One request and its response over HTTP/1.1, on a connection of its own that is gone afterwards. */
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { encodeRequest, ResponseReader } from "../wire/http.ts";
import { Body, type BodyContent, type DigestName } from "./http-body.ts";
import { lookup } from "./lookup.ts";
import { openStream, type StreamTarget } from "./open-stream.ts";
import type { Milliseconds } from "./parameters.ts";
import { resetAtClose, resetConnection } from "./reset.ts";
import { errorOf } from "./system-failure.ts";
import { type TlsFiles, tlsOptions, warningOf } from "./tls.ts";

export interface HttpRequest {
  readonly url: URL;
  readonly method: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly version: "1.1" | "2";
  /** Where to connect instead of the host of the URL. */
  readonly address?: string;
  readonly source?: string;
  /** Where to connect instead of all that, by http. */
  readonly through?: StreamTarget;
  readonly tls: TlsFiles & { readonly verify: boolean; readonly name?: string; readonly warnBefore?: Milliseconds };
  /** Of the body. */
  readonly digest?: DigestName;
}

export interface HttpResponse extends BodyContent {
  readonly status: number;
  /** Names in lower case; several of one name are joined. */
  readonly headers: Readonly<Record<string, string>>;
  /** Of the certificate. */
  readonly warning?: string;
}

interface Handlers {
  opened(warning?: string): void;
  data(bytes: Uint8Array): void;
  /** Nothing more comes; why, if it is not an end in order. */
  ended(error?: Error): void;
}

interface Line {
  send(bytes: Uint8Array): void;
  close(): void;
}

/** Rejects with what went wrong; with the signal's reason when it aborts. */
export function exchange1(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
  const { url, method, headers } = request;
  return new Promise((resolve, reject) => {
    // Before it began, while a certificate was read for instance.
    signal.throwIfAborted();
    const body = new Body(request.digest);
    const reader = new ResponseReader(method, (bytes) => body.add(bytes));
    let open = true;
    let warning: { readonly warning?: string } = {};
    const finish = (end: () => void): void => {
      if (!open) return;
      open = false;
      signal.removeEventListener("abort", onAbort);
      line.close();
      end();
    };
    const look = (read: () => void): void => {
      try {
        read();
        const { head } = reader;
        if (head !== undefined && (reader.complete || body.isEnough)) {
          finish(() => resolve({ ...head, ...body.content(), ...warning }));
        }
      } catch (error) {
        finish(() => reject(error));
      }
    };
    const onAbort = (): void => finish(() => reject(signal.reason));
    const line = openLine(request, {
      opened(told) {
        if (told !== undefined) warning = { warning: told };
        const target = `${url.pathname}${url.search}`;
        line.send(encodeRequest(method, target, { host: url.host, ...headers, connection: "close" }));
      },
      data: (bytes) => look(() => reader.add(bytes)),
      ended(error) {
        // What a server that resets the connection has said before may be all there is to say.
        if (error === undefined) look(() => reader.end());
        if (open) finish(() => reject(error ?? new Error("the connection ended")));
      },
    });
    signal.addEventListener("abort", onAbort);
  });
}

/** Thousands of plain ones a second are a load; names and TLS cost so much more that Node's own sockets do. */
function openLine(request: HttpRequest, handlers: Handlers): Line {
  const { url, source } = request;
  const host = request.address ?? hostOf(url);
  if (url.protocol === "http:" && isIP(host) !== 0) {
    const direct = { host, port: portOf(url), ...(source === undefined ? {} : { source }) };
    return openStream(request.through ?? direct, {
      opened: () => handlers.opened(),
      data: handlers.data,
      ended: (errno) => handlers.ended(errno === 0 ? undefined : errorOf(errno)),
    });
  }
  const socket = connectSocket(request);
  const secure = url.protocol === "http:" ? undefined : connectTls({ socket, ...tlsOptionsOf(request) });
  const stream = secure ?? socket;
  if (secure === undefined) socket.on("connect", () => handlers.opened());
  else secure.on("secureConnect", () => handlers.opened(warningOf(url.host, secure, request.tls).warning));
  stream.on("data", handlers.data);
  stream.on("end", () => handlers.ended());
  stream.on("close", () => handlers.ended());
  // Errors that follow the end find a listener, too.
  for (const each of new Set([socket, stream])) each.on("error", handlers.ended);
  return {
    send: (bytes) => stream.write(bytes),
    close() {
      resetConnection(socket, stream);
    },
  };
}

export function connectSocket(request: Pick<HttpRequest, "url" | "address" | "source">): Socket {
  const { url, address, source } = request;
  const socket = connectTcp({
    host: address ?? hostOf(url),
    port: portOf(url),
    lookup,
    ...(source === undefined ? {} : { localAddress: source }),
  });
  resetAtClose(socket);
  return socket;
}

export function tlsOptionsOf({
  url,
  tls: { verify, name, warnBefore: _, ...files },
}: Pick<HttpRequest, "url" | "tls">) {
  return tlsOptions(name ?? hostOf(url), verify, files);
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "");
}

function portOf(url: URL): number {
  return url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
}
