/** `type: udp`: a datagram is answered, or at least nobody says that the port is closed. */
import { createSocket } from "node:dgram";
import { type CheckType, type Outcome, whyAborted } from "./check-type.ts";
import type { Milliseconds } from "./parameters.ts";
import { undecidedBy, whySystem } from "./system-failure.ts";

export interface UdpParameters {
  readonly type: "udp";
  /** An address, not a name. */
  readonly host: string;
  readonly port: number;
  readonly source?: string;
  /** Hexadecimal digits, two a byte. */
  readonly payload: string;
  /** Hexadecimal digits; X stands for any digit. Empty: whatever comes. Without it no reply is needed. */
  readonly reply?: string;
  /** Bytes. */
  readonly minReplyLength: number;
  readonly maxReplyLength: number;
  /** Without `reply`: so long nobody must have said that the port is closed. */
  readonly wait: Milliseconds;
}

export const udp: CheckType<UdpParameters> = {
  probe(parameters, signal) {
    const { host, port, source, payload, reply, wait } = parameters;
    const target = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
    return new Promise<Outcome>((resolve) => {
      const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
      let timer: NodeJS.Timeout | undefined;
      let open = true;
      const fail = (error: Error): void => end(false, whySystem(error), error);
      const end = (ok: boolean, reason: string, error?: Error): void => {
        if (!open) return;
        open = false;
        clearTimeout(timer);
        signal.removeEventListener("abort", onAbort);
        socket.close();
        resolve({ ok, reason: `udp ${target}: ${reason}`, ...undecidedBy(error) });
      };
      const onAbort = (): void => end(false, whyAborted(signal));
      signal.addEventListener("abort", onAbort);
      socket.on("error", fail);
      socket.on("message", (message) => {
        const complaint = judgeReply(parameters, message);
        end(complaint === undefined, complaint ?? `answered with ${message.length} bytes`);
      });
      const send = (): void => {
        if (!open) return;
        // Connected, so that the kernel tells when a closed port is reported and keeps strangers' datagrams away.
        socket.connect(port, host, (refused?: Error) => {
          if (!open) return;
          if (refused !== undefined) {
            fail(refused);
            return;
          }
          socket.send(Buffer.from(payload, "hex"), (error) => error && fail(error));
          if (reply === undefined) timer = setTimeout(() => end(true, "nobody says that it is closed"), wait);
        });
      };
      if (source === undefined) send();
      else socket.bind({ address: source }, send);
    });
  },
};

/** What is wrong with a reply, or undefined. */
export function judgeReply(
  { reply, minReplyLength, maxReplyLength }: Pick<UdpParameters, "reply" | "minReplyLength" | "maxReplyLength">,
  message: Uint8Array,
): string | undefined {
  const { length } = message;
  if (length < minReplyLength) return `answered with ${length} bytes, fewer than ${minReplyLength}`;
  if (length > maxReplyLength) return `answered with ${length} bytes, more than ${maxReplyLength}`;
  const hex = Buffer.from(message).toString("hex");
  const wanted = reply?.toLowerCase() ?? "";
  const fits = hex.length >= wanted.length && [...wanted].every((digit, i) => digit === "x" || digit === hex[i]);
  if (fits) return undefined;
  return `answered with ${hex.slice(0, 40)}${hex.length > 40 ? "…" : ""} instead of ${wanted.replaceAll("x", "X")}`;
}
