/**
 * The end of connections of Node's own: by a reset, so that no port is left waiting. Node's resetAndDestroy() is not for
 * that: it waits until all is sent, and never closes the descriptor of a connection whose shutdown is under way, as it
 * may be under TLS and HTTP/2.
 */
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { addon } from "../socket/addon.ts";
import { SO_LINGER, SOL_SOCKET } from "../socket/constants.ts";

/** Whoever closes it then, we or TLS or HTTP/2: it is a reset. */
export function resetAtClose(socket: Socket): void {
  socket.once("connect", () => linger(socket, true));
}

/** It is the other side that has ended it, and in order. */
export function closeOrderly(socket: Socket): void {
  linger(socket, false);
  socket.destroy();
}

/** `stream` is what is spoken through: the socket itself, or TLS on it. */
export function resetConnection(socket: Socket, stream: Duplex = socket): void {
  // The kernel may have connected it without Node's having heard of it.
  linger(socket, true);
  stream.destroy();
  socket.destroy();
}

/** SO_LINGER with no time: what is closed is reset (socket(7)). */
function linger(socket: Socket, reset: boolean): void {
  // Not told by the types, and -1 or nothing once it is closed.
  const { _handle: handle } = socket as Socket & { readonly _handle?: { readonly fd?: number } | null };
  const descriptor = handle?.fd ?? -1;
  if (descriptor < 0) return;
  addon().setOption(descriptor, SOL_SOCKET, SO_LINGER, new Uint8Array(new Int32Array([reset ? 1 : 0, 0]).buffer));
}
