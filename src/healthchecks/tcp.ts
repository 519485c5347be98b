/** `type: tcp`: a connection can be opened. It is closed at once; nothing is sent. */

import { type CheckType, type Outcome, whyAborted } from "./check-type.ts";
import { formatTarget } from "./datagram.ts";
import { openStream } from "./open-stream.ts";
import { whyErrno } from "./system-failure.ts";

export interface TcpParameters {
  readonly type: "tcp";
  /** An address, not a name. */
  readonly host: string;
  readonly port: number;
  /** Address to connect from. */
  readonly source?: string;
}

export const tcp: CheckType<TcpParameters> = {
  probe(parameters, signal) {
    return new Promise<Outcome>((resolve) => {
      const end = (ok: boolean, reason: string): void => {
        signal.removeEventListener("abort", onAbort);
        stream.close();
        resolve({ ok, reason });
      };
      const fail = (why: string): void => end(false, `connect ${formatTarget(parameters)}: ${why}`);
      const onAbort = (): void => fail(whyAborted(signal));
      const stream = openStream(parameters, {
        opened: () => end(true, `connected to ${formatTarget(parameters)}`),
        data() {},
        ended: (errno) => fail(whyErrno(errno)),
      });
      signal.addEventListener("abort", onAbort);
    });
  },
};
