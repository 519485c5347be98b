/** A server for tests that speaks in lines, with TLS from the first byte or from when it is told. */
import type { Socket } from "node:net";
import { type TLSSocket as Secure, TLSSocket } from "node:tls";
import { makeCertificates } from "./certificates.ts";
import { listen } from "./support.ts";

let made: ReturnType<typeof makeCertificates> | undefined;
/** One set for all tests of a file; see `removeCertificates`. */
export function certificates() {
  made ??= makeCertificates();
  return made;
}

export class LinePeer {
  stream: Socket | Secure;
  #rest = "";
  readonly #heard: (line: string, peer: LinePeer) => void;
  /** All lines that were heard, in order. */
  readonly lines: string[];

  constructor(socket: Socket, lines: string[], heard: (line: string, peer: LinePeer) => void) {
    this.stream = socket;
    this.lines = lines;
    this.#heard = heard;
    this.#listen();
  }

  say(text: string): void {
    if (!this.stream.destroyed) this.stream.write(text);
  }

  startTls(options: { readonly requestCert?: boolean } = {}): void {
    this.stream.removeAllListeners("data");
    const { server, authority } = certificates();
    this.stream = new TLSSocket(this.stream as Socket, { isServer: true, ...server, ...options, ca: [authority] });
    this.stream.on("error", () => {});
    this.#listen();
  }

  #listen(): void {
    this.stream.on("data", (data: Buffer) => {
      const parts = `${this.#rest}${data.toString("latin1")}`.split(/\r?\n/);
      this.#rest = parts.pop() ?? "";
      for (const line of parts) {
        this.lines.push(line);
        this.#heard(line, this);
      }
    });
  }
}

export interface LineServer {
  readonly port: number;
  readonly lines: string[];
  /** How each connection ended, as the server saw it: "closed", or the code of its error. */
  readonly ends: string[];
}

export async function lineServer(
  greet: (peer: LinePeer) => void,
  heard: (line: string, peer: LinePeer) => void = () => {},
): Promise<LineServer> {
  const lines: string[] = [];
  const ends: string[] = [];
  const port = await listen((socket) => {
    let end = "closed";
    socket.on("error", (error: NodeJS.ErrnoException) => {
      end = error.code ?? error.message;
    });
    socket.on("close", () => ends.push(end));
    greet(new LinePeer(socket, lines, heard));
  });
  return { port, lines, ends };
}
