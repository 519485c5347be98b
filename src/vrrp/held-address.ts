/** What a keeper of addresses is told, and what it knows of each of them. */
import type { AddressEntry } from "../netlink/address.ts";
import type { Milliseconds, VirtualAddress } from "./parameters.ts";
import type { OnRemoval } from "./routing-parameters.ts";

export interface KeeperParameters {
  readonly addresses: readonly VirtualAddress[];
  /** The first so many are advertised. */
  readonly advertised: number;
  readonly lease: Milliseconds | undefined;
  /** A device that is ours to make, and is on its way when it is missing. */
  readonly ownDevice?: string | undefined;
  /** The address owner's addresses are the host's own: one that is there already is neither leased nor removed. */
  readonly owner: boolean;
  readonly onRemoval: OnRemoval;
}

export interface KeeperPorts {
  /** Somebody took an address away and the role is to be given up for it. */
  lost(message: string): void;
  /** Addresses were put back or added late: somebody may have learned something else meanwhile. */
  restored(): void;
  /** The kernel will not have an address, today or tomorrow: a router without it must not be active. */
  refused(message: string): void;
}

export interface Held {
  readonly address: VirtualAddress;
  /** As given to the kernel; undefined until its interface exists. */
  entry: AddressEntry | undefined;
  /** The administrator's own: not ours to renew or remove. */
  readonly foreign: boolean;
  /** False from the moment the kernel reports it gone until it is put back. */
  present: boolean;
  /** Somebody removed it and it is to stay so. */
  left: boolean;
  /** Netlink port of who removed it; 0 = the kernel by itself. */
  port: number | undefined;
}

export const fresh = { present: true, left: false, port: undefined };
/** Refusals that the same request would get again. */
export const permanent = new Set(["EPERM", "EACCES", "EINVAL", "ERANGE", "EOPNOTSUPP", "EAFNOSUPPORT"]);
