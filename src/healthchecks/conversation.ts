/**
 * Talking with a server over TCP, line by line or byte by byte, with or without TLS. Whatever the server does, a read
 * ends: with what was asked for, at a bound, at the end of the connection, or with the run. The connection is reset at
 * the end, so that no port is left waiting.
 */
import { connect, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { type Outcome, whyAborted } from "./check-type.ts";
import { formatTarget } from "./datagram.ts";
import { Inbox } from "./inbox.ts";
import type { Milliseconds } from "./parameters.ts";
import { quote } from "./quote.ts";
import { closeOrderly, resetAtClose, resetConnection } from "./reset.ts";
import { failedBy, undecidedBy } from "./system-failure.ts";
import { readTlsFiles, type TlsParameters, tlsOptions, warningOf, whyFailed, whyNotTrusted } from "./tls.ts";

export interface Endpoint {
  /** An address, not a name. */
  readonly host: string;
  readonly port: number;
  /** Address to connect from. */
  readonly source?: string;
}

export interface TlsExtras {
  /** The server has to choose one of them (ALPN). */
  readonly protocols?: readonly string[];
  /** Of another connection to the same server, to be taken up again. */
  readonly session?: Buffer | undefined;
}

/** Bytes in one line, its end not counted. */
const longestLine = 4096;
/** Bytes of a whole conversation. */
const longestConversation = 256 * 1024;
/** Bytes that are kept while nobody reads; the kernel's buffers, and then the server, have to wait. */
const mostHeld = 64 * 1024;
/** So long a server has to close the connection after it was told that this is the end. */
const farewell: Milliseconds = 200;

/**
 * Connects, talks, and lets go. What `talk` returns is the reason of the success; what it throws, behind the step that it
 * was at, that of the failure: `smtp 192.0.2.80:25: greeting: "554 no" instead of 220`.
 */
export async function converse(
  what: string,
  where: Endpoint,
  signal: AbortSignal,
  talk: (peer: Conversation) => Promise<string>,
): Promise<Outcome> {
  const target = `${what} ${formatTarget(where)}`;
  const peer = new Conversation(where, signal);
  try {
    await peer.opened();
    const reason = await talk(peer);
    return { ok: true, reason: `${target}: ${reason}`, ...peer.warning };
  } catch (error) {
    const reason = `${target}: ${peer.step}: ${error instanceof Error ? error.message : error}`;
    return { ok: false, reason, ...undecidedBy(error), ...peer.fault };
  } finally {
    peer.close();
  }
}

export class Conversation {
  /** What is being done, for the reason of a failure: "connect", "greeting", "login". */
  step = "connect";
  /** Whether this host is at fault. */
  fault: Pick<Outcome, "undecided"> = {};
  /** What is to be said of the server although all is well. */
  warning: Pick<Outcome, "warning"> = {};
  readonly #where: Endpoint;
  readonly #signal: AbortSignal;
  /** Under TLS it carries `#stream`. */
  readonly #socket: Socket;
  #stream: Socket;
  readonly #inbox = new Inbox();
  #received = 0;
  #ended = false;
  #goodbye: string | Uint8Array | undefined;
  #secrets: string[] = [];
  #session: Buffer | undefined;
  /** Why nothing more will come. What has come before can still be read. */
  #failure: string | undefined;
  #wake: () => void = () => {};

  constructor(where: Endpoint, signal: AbortSignal) {
    const { host, port, source } = where;
    this.#where = where;
    this.#signal = signal;
    // Half open, since Node would answer the end of TLS with an end of TCP, which may overtake that of the server.
    const options = { host, port, noDelay: true, allowHalfOpen: true };
    this.#socket = connect({ ...options, ...(source === undefined ? {} : { localAddress: source }) });
    resetAtClose(this.#socket);
    this.#stream = this.#socket;
    this.#socket.on("connect", () => this.#wake());
    this.#listen(this.#socket);
    signal.addEventListener("abort", this.#onAbort);
    if (signal.aborted) this.#onAbort();
  }

  async opened(): Promise<void> {
    await this.#until(() => !this.#socket.connecting && !this.#socket.destroyed);
  }

  /** From now on everything is inside TLS. */
  async startTls(parameters: TlsParameters, { protocols = [], session }: TlsExtras = {}): Promise<void> {
    const { step } = this;
    this.step = "TLS";
    const stream = await this.#wrapped(parameters, { protocols, session });
    stream.on("session", (told) => {
      this.#session = told;
    });
    this.#stream = stream;
    this.#listen(stream);
    let agreed = false;
    stream.on("secureConnect", () => {
      agreed = true;
      this.#wake();
    });
    await this.#until(() => agreed);
    if (parameters.verify && !stream.authorized) throw new Error(whyNotTrusted(stream));
    if (protocols.length > 0 && stream.alpnProtocol === false) {
      throw new Error(`the server does not agree on ${protocols.join(" or ")} (ALPN)`);
    }
    this.warning = warningOf(formatTarget(this.#where), stream, parameters);
    this.step = step;
  }

  /** What was received, for a reason; a password that the server repeats is not. */
  quote(said: string | Uint8Array): string {
    let text = typeof said === "string" ? said : Buffer.from(said).toString("utf8");
    for (const secret of this.#secrets) text = text.replaceAll(secret, "***");
    return quote(text);
  }

  /** Never to be repeated in a reason. */
  conceal(secret: string): void {
    if (secret.length > 2) this.#secrets.push(secret);
  }

  get localAddress(): string {
    return this.#socket.localAddress ?? "";
  }

  /** Where it is spoken from: "192.0.2.9:40112". */
  get localTarget(): string {
    const { localAddress: host = "", localPort: port = 0 } = this.#socket;
    return formatTarget({ host, port });
  }

  /** For a further connection of this conversation, under TLS. */
  get session(): Buffer | undefined {
    return this.#session;
  }

  get isSecure(): boolean {
    return this.#stream !== this.#socket;
  }

  send(data: string | Uint8Array): void {
    if (this.#failure === undefined) this.#stream.write(data);
  }

  /** One line without its end, read as UTF-8. */
  async line(): Promise<string> {
    await this.#until(() => this.#inbox.hasLine || this.#inbox.length > longestLine);
    const line = this.#inbox.line();
    if (line !== undefined && line.length <= longestLine) return line.toString("utf8");
    throw new Error(`a line of more than ${longestLine} bytes: ${this.quote(line ?? this.#inbox.peek())}`);
  }

  /** Exactly so many; to bound `length` is the caller's. */
  async bytes(length: number): Promise<Buffer> {
    await this.#until(() => this.#inbox.length >= length);
    return this.#inbox.take(length);
  }

  /** Whatever comes next; nothing at the end of the connection. */
  async some(): Promise<Buffer> {
    await this.#until(() => this.#inbox.length > 0 || this.#ended);
    return this.#inbox.take(this.#inbox.length);
  }

  /** What has come by now is not read. */
  forget(): void {
    this.#inbox.clear();
  }

  /** After the end of what the server had to say: the end of this side, in the orderly way that servers may wait for. */
  finish(): void {
    this.#stream.end();
  }

  /** To be said at the end of a run that succeeds; a server that then closes by itself has a moment for it. */
  goodbye(last: string | Uint8Array): void {
    this.#goodbye = last;
  }

  /** Nothing is heard after this. */
  close(): void {
    this.#signal.removeEventListener("abort", this.#onAbort);
    const last = this.#failure === undefined ? this.#goodbye : undefined;
    this.#failure ??= "it is over";
    this.#inbox.clear();
    if (last === undefined) {
      this.#reset();
      return;
    }
    // The outcome does not wait for it. The port of whoever ends the connection first is the one that is left waiting.
    const timer = setTimeout(() => this.#reset(), farewell);
    this.#stream.once("close", () => clearTimeout(timer));
    this.#stream.once("end", () => {
      if (this.isSecure) this.#reset();
      else closeOrderly(this.#socket);
    });
    this.#stream.resume();
    this.#stream.write(last);
  }

  async #wrapped(parameters: TlsParameters, { protocols, session }: Required<TlsExtras>): Promise<TLSSocket> {
    try {
      const files = await readTlsFiles(parameters);
      if (this.#failure !== undefined) throw new Error(this.#failure);
      // What came in clear text must never count as said inside TLS (RFC 3207 section 6).
      if (this.#inbox.length > 0) throw new Error(`the server said ${this.quote(this.#inbox.peek())} before TLS began`);
      for (const [event, listener] of this.#listeners) this.#socket.off(event, listener);
      return connectTls({
        // Whether it is trusted is asked for afterwards: Node would close the connection, and not with a reset.
        ...tlsOptions(parameters.serverName ?? this.#where.host, false, files),
        socket: this.#socket,
        ...(protocols.length === 0 ? {} : { ALPNProtocols: [...protocols] }),
        ...(session === undefined ? {} : { session }),
      });
    } catch (error) {
      throw failedBy(error, whyFailed(error));
    }
  }

  #listen(stream: Socket): void {
    for (const [event, listener] of this.#listeners) stream.on(event, listener);
    // Kept after the end: a late error has to find a listener.
    stream.on("error", (error) => {
      if (this.#failure === undefined) this.fault = undecidedBy(error);
      this.#fail(whyFailed(error));
    });
  }

  get #listeners() {
    return [
      ["data", this.#onData],
      ["end", this.#onEnd],
      ["close", this.#onEnd],
    ] as const;
  }

  readonly #onAbort = (): void => this.#fail(whyAborted(this.#signal));

  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#fail("the server closed the connection");
  };

  readonly #onData = (chunk: Buffer): void => {
    if (this.#failure !== undefined) return;
    this.#received += chunk.length;
    if (this.#received > longestConversation) this.#fail(`the server sent more than ${longestConversation} bytes`);
    this.#inbox.add(chunk);
    if (this.#inbox.length > mostHeld) this.#stream.pause();
    this.#wake();
  };

  #fail(why: string): void {
    this.#failure ??= why;
    this.#wake();
  }

  /** Throws what came instead. */
  async #until(done: () => boolean): Promise<void> {
    while (!done()) {
      if (this.#failure !== undefined) {
        const after = this.#inbox.length > 0 ? ` after ${this.quote(this.#inbox.peek())}` : "";
        throw new Error(`${this.#failure}${after}`);
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.#stream.resume();
      });
    }
  }

  #reset(): void {
    resetConnection(this.#socket, this.#stream);
  }
}
