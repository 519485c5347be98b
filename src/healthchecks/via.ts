/** The way of a check that goes through the load balancer: to the virtual address, with a mark that leads to one server. */
import { createSocket } from "node:dgram";
import { readdirSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { readSetting } from "../socket/sysctl.ts";
import type { Outcome } from "./check-type.ts";
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
  /** It answers by itself, from the virtual address. */
  readonly direct?: true;
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
    // Node hands the error to whoever waits for the connection, whatever the types say.
    socket.connect(discard, server, (refused?: Error) => {
      if (refused === undefined) resolve(socket.address().address);
      else reject(refused);
    });
  }).finally(() => socket.close());
}

/**
 * What a failure says. Where this host has the virtual address, an answer that comes from it is dropped as forged, unless
 * an interface accepts such ones: then nothing would be known of the servers, and all of them would be taken out just when
 * this host gets the address.
 */
export function failedThrough({ host, direct }: Via, outcome: Outcome, here: Host = thisHost): Outcome {
  if (outcome.ok || direct === undefined || !here.has(host) || here.acceptsLocal()) return outcome;
  const why = `answers from ${host} are dropped here, as no interface has accept_local=1`;
  return { ...outcome, undecided: true, reason: `${outcome.reason}; ${why}` };
}

interface Host {
  /** An IPv4 address. */
  has(address: string): boolean;
  acceptsLocal(): boolean;
}

const thisHost: Host = {
  has(address) {
    const all = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
    return all.some((entry) => entry.family === "IPv4" && entry.address === address);
  },
  acceptsLocal() {
    const folder = "/proc/sys/net/ipv4/conf";
    const names = readdirSync(folder).filter((name) => name !== "default" && name !== "lo");
    return names.some((name) => readSetting(`net/ipv4/conf/${name}/accept_local`) === "1");
  },
};

/** Any port does. */
const discard = 9;
