/** `type: grpc`: a server says by grpc.health.v1.Health/Check that a service of it is served. */
import { type ClientHttp2Stream, connect, constants, type IncomingHttpHeaders } from "node:http2";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { decodeHealthResponse, encodeHealthRequest } from "../wire/grpc-health.ts";
import { type CheckType, type Outcome, whyAborted } from "./check-type.ts";
import { formatTarget } from "./datagram.ts";
import { whyClosed } from "./http2-exchange.ts";
import { quote } from "./quote.ts";
import { resetAtClose, resetConnection } from "./reset.ts";
import type { Service } from "./service.ts";
import { undecidedBy } from "./system-failure.ts";
import { readTlsFiles, tlsOptions, warningOf, whyFailed } from "./tls.ts";

export interface GrpcParameters extends Service {
  readonly type: "grpc";
  /** Empty: the server as a whole. */
  readonly service: string;
  /** Told to the server instead of address and port. */
  readonly authority?: string;
}

const path = "/grpc.health.v1.Health/Check";
/** Of a response, which has some ten. */
const longestResponse = 16 * 1024;

/** Of those that a health service answers with. */
const statusNames: Readonly<Record<string, string>> = {
  "5": "NOT_FOUND: it does not know the service",
  "12": "UNIMPLEMENTED: it has no grpc.health.v1.Health",
  "14": "UNAVAILABLE",
  "16": "UNAUTHENTICATED",
};

export const grpc: CheckType<GrpcParameters> = {
  async probe(parameters, signal): Promise<Outcome> {
    const what = `grpc ${formatTarget(parameters)}${parameters.service === "" ? "" : ` ${parameters.service}`}`;
    let line: Line | undefined;
    try {
      line = await openLine(parameters);
      const status = await check(parameters, line, signal);
      const warning =
        line.secure === undefined ? {} : warningOf(formatTarget(parameters), line.secure, parameters.tls ?? {});
      return { ok: status === "SERVING", reason: `${what}: ${status}`, ...(status === "SERVING" ? warning : {}) };
    } catch (error) {
      const why = signal.aborted ? whyAborted(signal) : whyFailed(error);
      return { ok: false, reason: `${what}: ${why}`, ...undecidedBy(error) };
    } finally {
      if (line !== undefined) resetConnection(line.socket, line.secure);
    }
  },
};

interface Line {
  readonly socket: Socket;
  readonly secure: TLSSocket | undefined;
}

async function openLine({ host, port, source, tls }: GrpcParameters): Promise<Line> {
  const files = tls === undefined ? undefined : await readTlsFiles(tls);
  const socket = connectTcp({ host, port, noDelay: true, ...(source === undefined ? {} : { localAddress: source }) });
  resetAtClose(socket);
  // What follows the end finds a listener, too.
  socket.on("error", () => {});
  if (tls === undefined || files === undefined) return { socket, secure: undefined };
  const options = tlsOptions(tls.serverName ?? host, tls.verify, files);
  const secure = connectTls({ ...options, socket, ALPNProtocols: ["h2"] });
  secure.on("error", () => {});
  return { socket, secure };
}

function check(parameters: GrpcParameters, { socket, secure }: Line, signal: AbortSignal): Promise<string> {
  const authority = parameters.authority ?? formatTarget(parameters);
  return new Promise<string>((resolve, reject) => {
    const scheme = secure === undefined ? "http" : "https";
    const session = connect(`${scheme}://${authority}`, { createConnection: () => secure ?? socket });
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
    const fail = (error: unknown): void => finish(() => reject(error));
    const onAbort = (): void => fail(signal.reason);
    signal.addEventListener("abort", onAbort);
    if (signal.aborted) {
      onAbort();
      return;
    }
    session.on("error", fail);
    // The cause of what Node calls cancelled.
    socket.on("error", fail);
    secure?.on("error", fail);
    session.on("close", () => fail(new Error("the server closed the connection")));
    stream = session.request({
      ":method": "POST",
      ":path": path,
      ":scheme": scheme,
      ":authority": authority,
      "content-type": "application/grpc",
      te: "trailers",
      "user-agent": "viprd",
    });
    stream.on("error", (error) => fail(error.cause instanceof Error ? error.cause : error));
    const asked = stream;
    hear(asked, (status) => finish(() => resolve(status)), fail);
    asked.on("close", () => setImmediate(() => fail(new Error(whyClosed(asked, socket)))));
    asked.end(encodeHealthRequest(parameters.service));
  });
}

function hear(stream: ClientHttp2Stream, succeed: (status: string) => void, fail: (error: unknown) => void): void {
  const chunks: Buffer[] = [];
  let length = 0;
  let ending: IncomingHttpHeaders = {};
  stream.on("response", (headers) => {
    const { ":status": status, "content-type": type = "" } = headers;
    if (Number(status) !== 200) fail(new Error(`HTTP status ${status} instead of 200`));
    else if (!type.startsWith("application/grpc")) fail(new Error(`the answer is ${quote(type)} and not gRPC`));
    // An answer of trailers alone has them here.
    ending = headers;
  });
  stream.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    length += chunk.length;
    if (length > longestResponse) fail(new Error(`the answer has more than ${longestResponse} bytes`));
  });
  stream.on("trailers", (trailers: IncomingHttpHeaders) => {
    ending = trailers;
  });
  stream.on("close", () => {
    if (stream.rstCode !== constants.NGHTTP2_NO_ERROR || stream.errored !== null) return;
    const code = ending["grpc-status"];
    const message = ending["grpc-message"];
    try {
      if (code === undefined) throw new Error("the answer ended without a status");
      if (code !== "0") throw new Error(complaint(String(code), String(message ?? "")));
      succeed(decodeHealthResponse(Buffer.concat(chunks)));
    } catch (error) {
      fail(error);
    }
  });
}

function complaint(code: string, message: string): string {
  const said =
    message === ""
      ? ""
      : `, ${quote(message.replace(/%([0-9A-F]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))))}`;
  return `the call failed with status ${code}${statusNames[code] === undefined ? "" : ` (${statusNames[code]})`}${said}`;
}
