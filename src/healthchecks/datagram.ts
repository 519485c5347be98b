/** One datagram to a server and what comes back, on a socket of its own that is gone afterwards. */
import { createSocket } from "node:dgram";
import type { AddressInfo } from "node:net";
import { type Outcome, whyAborted } from "./check-type.ts";
import { undecidedBy, whySystem } from "./system-failure.ts";

export interface DatagramTarget {
  /** An address, not a name. */
  readonly host: string;
  readonly port: number;
  readonly source?: string;
}

export interface Question {
  /** What every reason begins with: "ntp 192.0.2.1:123". */
  readonly what: string;
  readonly target: DatagramTarget;
  /** The datagram, made when the socket has its own address and right before it goes. */
  make(local: AddressInfo): Uint8Array;
  /**
   * Judges what came. Undefined: something else than the answer, which may still come; a text: the same, but worth
   * telling should nothing better come.
   */
  hear(message: Uint8Array): Pick<Outcome, "ok" | "reason"> | string | undefined;
}

export function ask({ what, target: { host, port, source }, make, hear }: Question, signal: AbortSignal) {
  return new Promise<Outcome>((resolve) => {
    const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
    let open = true;
    let oddity = "";
    const fail = (error: Error): void => end(false, whySystem(error), error);
    const end = (ok: boolean, reason: string, error?: Error): void => {
      if (!open) return;
      open = false;
      signal.removeEventListener("abort", onAbort);
      socket.close();
      resolve({ ok, reason: `${what}: ${reason}`, ...undecidedBy(error) });
    };
    const onAbort = (): void => end(false, `${whyAborted(signal)}${oddity}`);
    signal.addEventListener("abort", onAbort);
    socket.on("error", fail);
    socket.on("message", (message) => {
      const heard = hear(message);
      if (typeof heard === "string") oddity = `, only ${heard}`;
      else if (heard !== undefined) end(heard.ok, heard.reason);
    });
    const send = (): void => {
      if (!open) return;
      // Connected, so that the kernel tells when a closed port is reported and keeps strangers' datagrams away.
      socket.connect(port, host, (refused?: Error) => {
        if (!open) return;
        if (refused !== undefined) fail(refused);
        else socket.send(make(socket.address()), (error) => error && fail(error));
      });
    };
    if (source === undefined) send();
    else socket.bind({ address: source }, send);
    // Before it began, while a password was read for instance.
    if (signal.aborted) onAbort();
  });
}

/** "192.0.2.1:53", "[2001:db8::1]:53" */
export function formatTarget({ host, port }: Pick<DatagramTarget, "host" | "port">): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
