/** Requests that may take their time: sent by another thread, so that this one goes on meanwhile. */
import { NETLINK_ROUTE } from "../socket/constants.ts";
import type { Socket } from "../socket/socket.ts";
import { Connection } from "./connection.ts";
import { openTransport, type Transport } from "./transport.ts";

/** In order, but the kernel has not acted when post() returns. `what` names the socket in errors. */
export function openAside(what: string): Connection {
  return new Connection(
    sendingAside(openTransport(what, { protocol: NETLINK_ROUTE, receiveBuffer: 256 * 1024, batchSize: 4 })),
  );
}

/**
 * A transport whose sends run on another thread, one after the other: for requests that the kernel sleeps over, as
 * taking a macvlan down, or that wait for others. A send that fails is reported as an error of the socket, like a failure to receive the answer.
 */
export function sendingAside(socket: Socket): Transport {
  const waiting: Uint8Array[] = [];
  let failed: (errno: number) => void = () => {};
  const next = (): void => {
    const bytes = waiting[0];
    if (bytes === undefined) return;
    socket.sendAside(bytes, (result) => {
      waiting.shift();
      if (socket.closed) return;
      if (result < 0) failed(-result);
      next();
    });
  };
  return {
    send: (bytes) => {
      if (waiting.push(bytes.slice()) === 1) next();
      return bytes.length;
    },
    receive: () => socket.receive(),
    watch: (onReadable, onError = () => {}) => {
      failed = onError;
      socket.watch(onReadable, onError);
    },
    close: () => {
      waiting.length = 0;
      socket.close();
    },
  };
}
