/** Who is at the other end of a Unix socket, as the kernel knows it. */
import { addon } from "./addon.ts";

export interface Peer {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

const SOL_SOCKET = 1;
const SO_PEERCRED = 17;

/** As it was when the peer connected; undefined when the kernel does not say. */
export function peerOf(descriptor: number): Peer | undefined {
  const credentials = new Uint8Array(12);
  if (addon().getOption(descriptor, SOL_SOCKET, SO_PEERCRED, credentials) < 0) return undefined;
  const view = new DataView(credentials.buffer);
  // struct ucred, in the order of this machine: x64 and arm64 have the same.
  return { pid: view.getInt32(0, true), uid: view.getUint32(4, true), gid: view.getUint32(8, true) };
}
