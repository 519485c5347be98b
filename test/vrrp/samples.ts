/** Routers, states and events for tests of the state machine: priority 100, 1 s, everything else at its default. */
import type { InstanceParameters, VirtualAddress } from "../../src/vrrp/parameters.ts";
import type { Active, Backup, Event, RouterParameters } from "../../src/vrrp/router.ts";
import type { IpAddress } from "../../src/wire/address.ts";
import { address } from "../support/packets.ts";

export type AdvertisementEvent = Event & { readonly type: "advertisement" };

/** One row for each kind of router: what is lower and higher than its own address, and the interval of its peers. */
export interface Variant {
  readonly name: string;
  readonly version: 2 | 3;
  readonly own: IpAddress;
  readonly lower: IpAddress;
  readonly higher: IpAddress;
  /** Peers advertise with it: in version 2 it can only be the local one. */
  readonly interval: number;
  /** Active_Down_Interval at priority 100 after such an advertisement. */
  readonly down: number;
  /** Skew_Time at priority 100 after such an advertisement. */
  readonly skew: number;
}

// The addresses differ in a byte above 0x7f: a signed comparison would decide the other way.
const ipv4 = { own: address("192.0.2.128"), lower: address("192.0.2.12"), higher: address("192.0.2.200") };
const ipv6 = {
  own: address("fe80::8000:0:0:1"),
  lower: address("fe80::7fff:0:0:ff"),
  higher: address("fe80::ff00:0:0:0"),
};

export const version3: Variant = {
  name: "version 3, IPv4",
  version: 3,
  ...ipv4,
  interval: 2000,
  down: 7218.75,
  skew: 1218.75,
};
export const version3Over6: Variant = { ...version3, name: "version 3, IPv6", ...ipv6 };
export const version2: Variant = {
  name: "version 2, IPv4",
  version: 2,
  ...ipv4,
  interval: 1000,
  down: 3609.375,
  skew: 609.375,
};
export const variants: readonly Variant[] = [version3, version3Over6, version2];

export function router(
  variant: Pick<Variant, "version" | "own">,
  changes: Partial<RouterParameters> = {},
): RouterParameters {
  return {
    version: variant.version,
    priority: 100,
    interval: 1000,
    preempt: true,
    preemptDelay: 0,
    address: variant.own,
    coupled: false,
    decidesTies: true,
    yieldOnLowerPriority: false,
    ...changes,
  };
}

/** A backup whose timer was started at 10 000 by a router of priority 150. */
export function backup(variant: Variant, changes: Partial<Backup> = {}): Backup {
  return {
    name: "backup",
    activeAdverInterval: 1000,
    activeDownTimer: 13_609.375,
    timerStart: 10_000,
    resigned: false,
    learned: variant.version === 3,
    active: { source: variant.lower, priority: 150, at: 10_000 },
    willing: false,
    ...changes,
  };
}

export function active(changes: Partial<Active> = {}): Active {
  return { name: "active", adverTimer: 11_000, answerAfter: 10_000, ...changes };
}

export function advertisement(variant: Variant, priority: number, source: IpAddress, at: number): AdvertisementEvent {
  return { type: "advertisement", priority, interval: variant.interval, source, at };
}

export function virtualAddress(text: string, changes: Partial<VirtualAddress> = {}): VirtualAddress {
  return {
    address: text,
    prefixLength: text.includes(":") ? 64 : 24,
    device: "eth0",
    scope: 0,
    noprefixroute: false,
    nodad: text.includes(":"),
    ...changes,
  };
}

export function instance(changes: Partial<InstanceParameters> = {}): InstanceParameters {
  return {
    name: "web",
    interface: "eth0",
    vrid: 51,
    version: 3,
    families: [4],
    priority: 100,
    advertisementInterval: 1000,
    preempt: true,
    preemptDelay: 0,
    virtualAddresses: [virtualAddress("192.0.2.1")],
    excludedAddresses: [],
    accept: true,
    unicastPeers: [],
    unicastTtl: 255,
    checksumSend: "auto",
    checksumReceive: "either",
    firstLinkLocal: "strict",
    ownerConflict: "process",
    checkAddressList: false,
    announce: {
      repeat: 3,
      delay: 5000,
      delayRepeat: 1,
      refresh: 60_000,
      refreshRepeat: 1,
      interval: 0,
      lowerPriorityRepeat: 1,
    },
    lease: 5000,
    track: [],
    yieldOnLowerPriority: false,
    ...changes,
  };
}

/** One instance for both families. */
export function dualStack(changes: Partial<InstanceParameters> = {}): InstanceParameters {
  return instance({
    families: [4, 6],
    virtualAddresses: [virtualAddress("192.0.2.1"), virtualAddress("fe80::51"), virtualAddress("2001:db8::51")],
    ...changes,
  });
}
