/** Netlink sockets as the connection and the watch use them. */
import {
  AF_NETLINK,
  NETLINK_CAP_ACK,
  NETLINK_EXT_ACK,
  NETLINK_GET_STRICT_CHK,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SOCK_RAW,
  SOL_NETLINK,
  SOL_SOCKET,
} from "../socket/constants.ts";
import { SystemError } from "../socket/errno.ts";
import { sockaddrNetlink } from "../socket/sockaddr.ts";
import { type Batch, Socket } from "../socket/socket.ts";
import { readU32 } from "./host-order.ts";

/** The part of a netlink socket that is used; tests put a fake kernel here. */
export interface Transport {
  send(bytes: Uint8Array): number;
  receive(): Pick<Batch, "count" | "bytes" | "truncated" | "source"> | number;
  watch(onReadable: () => void, onError?: (errno: number) => void): void;
  close(): void;
}

// A part of a dump is at most 32 KiB; the kernel sizes the parts after the room it is given.
const slotSize = 32 * 1024;

export interface TransportOptions {
  readonly protocol: number;
  /** Bytes that may wait in the kernel. */
  readonly receiveBuffer: number;
  /** Messages taken by one receive(). */
  readonly batchSize: number;
}

/** A bound netlink socket with extended acknowledgements and strict checking. */
export function openTransport(what: string, { protocol, receiveBuffer, batchSize }: TransportOptions): Socket {
  const socket = Socket.open(AF_NETLINK, SOCK_RAW, protocol, what, { batchSize, slotSize });
  try {
    setReceiveBuffer(socket, receiveBuffer);
    // Before Linux 4.20 there is no strict checking; such a kernel ignores filters, and the callers filter again.
    for (const option of [NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK]) {
      try {
        socket.setOption(SOL_NETLINK, option, 1);
      } catch (error) {
        if (!(error instanceof SystemError) || error.code !== "ENOPROTOOPT") throw error;
      }
    }
    socket.bind(sockaddrNetlink(0, 0));
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}

/** The limit counts only what waits, so a large one is cheap. Beyond net.core.rmem_max it takes CAP_NET_ADMIN. */
function setReceiveBuffer(socket: Socket, bytes: number): void {
  try {
    socket.setOption(SOL_SOCKET, SO_RCVBUFFORCE, bytes);
  } catch (error) {
    if (!(error instanceof SystemError) || error.code !== "EPERM") throw error;
    socket.setOption(SOL_SOCKET, SO_RCVBUF, bytes);
  }
}

/** Other processes may write to a netlink socket; sockaddr_nl says who did. */
export function isFromKernel(source: Uint8Array): boolean {
  return source.length < 8 || readU32(source, 4) === 0;
}
