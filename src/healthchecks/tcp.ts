/** `type: tcp`: a connection can be opened. It is closed at once; nothing is sent. */
import { connect } from "node:net";
import { type CheckType, type Outcome, whyAborted } from "./check-type.ts";
import { whySystem } from "./system-failure.ts";

export interface TcpParameters {
  readonly type: "tcp";
  /** An address, not a name. */
  readonly host: string;
  readonly port: number;
  /** Address to connect from. */
  readonly source?: string;
}

export const tcp: CheckType<TcpParameters> = {
  probe({ host, port, source }, signal) {
    const target = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
    return new Promise<Outcome>((resolve) => {
      const socket = connect({ host, port, ...(source === undefined ? {} : { localAddress: source }) });
      const end = (ok: boolean, reason: string): void => {
        signal.removeEventListener("abort", onAbort);
        // A reset instead of four more packets, and no TIME_WAIT entry for every run.
        if (ok) socket.resetAndDestroy();
        else socket.destroy();
        resolve({ ok, reason });
      };
      const onAbort = (): void => end(false, `connect ${target}: ${whyAborted(signal)}`);
      signal.addEventListener("abort", onAbort);
      socket.on("connect", () => end(true, `connected to ${target}`));
      // Kept after the end: a late error has to find a listener.
      socket.on("error", (error) => end(false, `connect ${target}: ${whySystem(error)}`));
    });
  },
};
