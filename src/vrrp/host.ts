/** What the VRRP process offers its instances. One implementation runs on the kernel; tests bring a simulated one. */

import type { AddressEntry } from "../netlink/address.ts";
import type { Link } from "../netlink/link.ts";
import type { Family, IpAddress } from "../wire/address.ts";
import type { Entry } from "./deadlines.ts";
import type { Setting } from "./mac-settings.ts";
import type { InstanceParameters, Instant, Milliseconds } from "./parameters.ts";
import type { Datagram } from "./reception.ts";
import type { Routing } from "./routing.ts";
import type { VrrpEvent } from "./status.ts";
import type { Verdicts } from "./verdicts.ts";
import type { MacDevice } from "./virtual-mac.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";

/** Packets of one virtual router on one interface. */
export interface Channel {
  /** The kernel has taken it, or the negative errno. */
  send(datagram: Uint8Array, destination: IpAddress): number;
  /** As send(), a whole Ethernet frame: for a source MAC address that is not the interface's. */
  sendFrame(frame: Uint8Array): number;
  /** Hands over everything that has arrived, so that no timer is believed before the queue was read. */
  drain(): void;
  close(): void;
}

export interface Receiver {
  readonly vrid: number;
  /** Views, valid during the call. `at` is the arrival. */
  receive(datagram: Datagram, at: Instant): void;
}

/** A refusal by the kernel; `code` is the errno's name. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
}

/** Adds or deletes addresses before it returns; refusals of the kernel come later. */
export interface AddressRequests {
  add(entry: AddressEntry, done: (error?: Refusal) => void): void;
  /** Gives an address that is there its lifetime again. */
  renew(entries: readonly AddressEntry[], failed: (entry: AddressEntry, error: Refusal) => void): void;
  delete(entry: AddressEntry, done: (error?: Refusal) => void): void;
}

/** Something a router needs. `problem` keeps it from running, `pending` only one that does not run yet. */
export interface Preparation {
  readonly problem?: string;
  readonly pending?: string;
}

/** Macvlan devices. Going up is done on return, the other requests are under way; their end is told later. */
export interface LinkRequests {
  /** Down, and without IPv6 addresses of the kernel's making. */
  create(device: MacDevice, parent: Link, done: (error?: Refusal) => void): void;
  delete(link: Link, done: (error?: Refusal) => void): void;
  /** It is being deleted or was just now: another instance had it. */
  isLeaving(link: Link): boolean;
  raise(link: Link, done: (error?: Refusal) => void): void;
  lower(link: Link, done: (error?: Refusal) => void): void;
  correct(link: Link, changes: LinkChanges, done: (error?: Refusal) => void): void;
}

export interface LinkChanges {
  readonly mac?: Uint8Array;
  readonly mtu: number;
}

/** Kernel settings. What could not be set and is needed is answered in words. */
export interface SettingRequests {
  read(path: string): string | undefined;
  /** Of devices that are our own. */
  set(settings: readonly Setting[]): readonly string[];
  /** Of an interface of the host, until the last holder has released it; then it has its former value again. */
  hold(holder: string, settings: readonly Setting[]): readonly string[];
  release(holder: string): void;
}

/** A host with this MAC, which is none of ours, says that the address is its own. Views, valid during the call. */
export type Claimed = (address: IpAddress, mac: Uint8Array) => void;

export interface ClaimRequests {
  /**
   * Who else claims these addresses on the link, until the result is called; in force before work that is given to `soon`
   * afterwards. Throws when the kernel refuses the sockets.
   */
  watch(link: Link, addresses: readonly IpAddress[], claimed: Claimed): () => void;
}

export interface Host {
  now(): Instant;
  /** ISO 8601 wall-clock time, so many milliseconds ago; for people only. */
  wallClock(ago?: Milliseconds): string;
  /** Wall-clock time in milliseconds since 1970, for stamps that other hosts compare with theirs. Can be set at any time. */
  timeOfDay(): Milliseconds;
  /** An interface that was renamed is still found under the name it had when it was first asked for. */
  linkByName(name: string): Link | undefined;
  /** What the health checks say. */
  readonly verdicts: Verdicts;
  addressesOn(index: number): readonly AddressEntry[];
  /** Whether VRRP on this host put the address there or is configured to. */
  isVirtual(entry: AddressEntry): boolean;
  /** Whether another instance than the named one has this address in the kernel now. */
  isHeldElsewhere(entry: AddressEntry, instance: string): boolean;
  readonly addresses: AddressRequests;
  readonly addressClaims: ClaimRequests;
  readonly links: LinkRequests;
  readonly settings: SettingRequests;
  readonly routing: Routing;
  /** Whether packets are kept from the addresses of an instance, if they have to be. */
  readonly filter: { state(parameters: InstanceParameters): Preparation };
  /** Throws when the kernel refuses the sockets. */
  openChannel(link: Link, family: Family, receiver: Receiver): Channel;
  /** A frame as it is to appear on the wire; the negative errno when it could not be sent. */
  sendFrame(link: Link, frame: Uint8Array): number;
  errnoName(errno: number): string;
  /** A router was run this much later than it had to be; told and counted once for the process. */
  stalled(late: Milliseconds): void;
  /** Protocol deadlines: they come before everything else. */
  schedule(entry: Entry, at: Instant | undefined): void;
  /** Renewals and announcements: they wait until no protocol deadline is due. */
  scheduleBackground(entry: Entry, at: Instant | undefined): void;
  /** Runs `work` as soon as no protocol deadline is due. */
  soon(work: () => void): void;
  log(level: LogLevel, instance: string | undefined, message: string, fields?: Readonly<Record<string, unknown>>): void;
  event(event: VrrpEvent): void;
}
