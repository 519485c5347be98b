/** The end of a connection of Node's own: by a reset, so that no port is left waiting. */

import type { ClientHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

/** `stream` is what is spoken through: the socket itself, or TLS on it. */
export function resetConnection(socket: Socket, stream: Duplex = socket): void {
  if (socket.connecting) {
    stream.destroy();
    socket.destroy();
  } else if (stream === socket) socket.resetAndDestroy();
  else {
    // Only what is below TLS can be reset; and not from within an event of TLS, which Node does not survive.
    setImmediate(() => {
      socket.resetAndDestroy();
      stream.destroy();
    });
  }
}

/** The session comes last: ended first it closes the connection in the orderly way, or lets go of it and never closes it. */
export function resetSession(session: ClientHttp2Session, socket: Socket, stream?: Duplex): void {
  resetConnection(socket, stream);
  setImmediate(() => session.destroy());
}
