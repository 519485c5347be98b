/** The way of a check that goes through the load balancer: to the virtual address, with a mark that leads to one server. */
import { createSocket } from "node:dgram";
import { formatTarget } from "./datagram.ts";
import type { StreamTarget } from "./open-stream.ts";

export interface Via {
  /** Of the virtual server, connected to. */
  readonly host: string;
  readonly port: number;
  /** Of a service in the kernel that has one server only. */
  readonly mark: number;
  /** Address of that server. */
  readonly server: string;
}

/** Where to connect, from an address at which the server can answer. */
export async function targetThrough({ host, port, mark, server }: Via, source?: string): Promise<StreamTarget> {
  return { host, port, mark, source: source ?? (await addressTowards(server)) };
}

export function throughText(via: Via): string {
  return `through ${formatTarget(via)}`;
}

/**
 * By itself the kernel would take the virtual address where this host has it, and a server that has it too takes nothing
 * from there. Nothing is sent.
 */
function addressTowards(server: string): Promise<string> {
  const socket = createSocket(server.includes(":") ? "udp6" : "udp4");
  return new Promise<string>((resolve, reject) => {
    socket.once("error", reject);
    socket.connect(discard, server, () => resolve(socket.address().address));
  }).finally(() => socket.close());
}

/** Any port does. */
const discard = 9;
