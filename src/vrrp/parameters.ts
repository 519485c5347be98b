/**
 * What one VRRP instance is told to do: the shape the configuration fills in and the VRRP process obeys.
 * Plain values that survive JSON; every field is resolved, defaults included. Durations are milliseconds.
 */
import type { Family } from "../wire/address.ts";
import type { OnRemoval, RouteParameters, RuleParameters } from "./routing-parameters.ts";

/** Milliseconds, fractions allowed. */
export type Milliseconds = number;
/** A point on a clock that nobody sets and that goes on in suspend, in milliseconds. */
export type Instant = number;

export type VrrpVersion = 2 | 3;
export type ChecksumForm = "message" | "pseudo_header";
export type ChecksumSend = ChecksumForm | "auto";
export type ChecksumReceive = ChecksumForm | "either";

export interface VirtualAddress {
  /** Text in canonical form, e.g. "192.0.2.10" or "2001:db8::10". */
  readonly address: string;
  readonly prefixLength: number;
  /** The interface the address is put on. */
  readonly device: string;
  /** IPv4 only. */
  readonly label?: string;
  /** Kernel scope number: 0 global, 200 site, 253 link, 254 host. */
  readonly scope: number;
  /** IPv4 only, text. */
  readonly broadcast?: string;
  readonly noprefixroute: boolean;
  /** Of the route to its prefix; without it the kernel's own. */
  readonly routeMetric?: number;
  /** IPv6 only: skip duplicate address detection. */
  readonly nodad: boolean;
}

export interface UnicastPeer {
  readonly address: string;
  /** Accepted TTL or hop limit of packets from this peer, both ends included. */
  readonly minTtl: number;
  readonly maxTtl: number;
}

/** Authentication by a trailer behind each advertisement. */
export interface AuthHmacParameters {
  /** Never empty; by ascending id. */
  readonly keys: readonly AuthKeyParameters[];
  /** The id of the key that advertisements are signed with. */
  readonly activeKey: number;
  /** enforce: sign, and accept nothing unsigned. permissive: sign, accept both. receive_only: sign nothing, accept both. */
  readonly mode: "enforce" | "permissive" | "receive_only";
  /** time: a stamp has to be close to the clock. monotonic: it has to grow. */
  readonly antiReplay: "time" | "monotonic";
  /** How far a stamp may be away from the clock. */
  readonly timeWindow: Milliseconds;
}

export interface AuthKeyParameters {
  /** 1..255 */
  readonly id: number;
  /** 32..64 bytes, in hex. */
  readonly secret: string;
  /** Where it was read from; not for the VRRP process. */
  readonly file?: string;
}

/** Gratuitous ARP and unsolicited neighbour advertisement: how often, how far apart. */
export interface AnnounceParameters {
  /** Rounds in the first burst, spread over the first second. */
  readonly repeat: number;
  /** Time from becoming active to the second burst; 0 = none. */
  readonly delay: Milliseconds;
  /** Rounds in the second burst. */
  readonly delayRepeat: number;
  /** Time between refreshes while active; 0 = none. */
  readonly refresh: Milliseconds;
  readonly refreshRepeat: number;
  /** Smallest gap between two frames on one interface; 0 = unpaced up to a fixed batch. */
  readonly interval: Milliseconds;
  /** Rounds after an advertisement of a foreign, lesser active router was heard. */
  readonly lowerPriorityRepeat: number;
}

/** RFC 9568 section 7.3: devices that have the virtual router MAC address. */
export interface VirtualMacParameters {
  /** Their names, for each family of the instance. */
  readonly device4?: string;
  readonly device6?: string;
  /** Advertisements leave with the MAC address of the interface. */
  readonly sendFromBase: boolean;
}

/** Something outside whose state counts for an instance or a group. */
export interface Track {
  readonly what: "interface" | "check";
  readonly name: string;
  /** Added while it fails when negative, while it does not fail when positive. Without it a failure is a fault. */
  readonly priority?: number;
  /** It fails while it is up. */
  readonly reverse: boolean;
}

export interface FlapDamping {
  /** Held when the penalty is above this; each failure adds 1. */
  readonly suppress: number;
  /** No longer held when the penalty has decayed to this. */
  readonly reuse: number;
  readonly halfLife: Milliseconds;
}

/** Instances that are active together or not at all. */
export interface SyncGroupParameters {
  readonly name: string;
  /** Names of instances, each in one group only. The first decides ties for all. */
  readonly members: readonly string[];
  /** Counts for every member. */
  readonly track: readonly Track[];
  readonly flapDamping?: FlapDamping;
  /** Members may have changes of their priority of their own. */
  readonly memberWeights: boolean;
}

export interface InstanceParameters {
  readonly name: string;
  /** Why the operator has taken it out of service; without it, it runs. */
  readonly disabled?: string;
  readonly interface: string;
  readonly vrid: number;
  readonly version: VrrpVersion;
  /** One VRRP router runs for each; never empty. */
  readonly families: readonly Family[];
  /** 1..255; 255 is the address owner. */
  readonly priority: number;
  readonly advertisementInterval: Milliseconds;
  readonly preempt: boolean;
  readonly preemptDelay: Milliseconds;
  /** In advertised order, both families. */
  readonly virtualAddresses: readonly VirtualAddress[];
  /** Held and announced, but not advertised. */
  readonly excludedAddresses: readonly VirtualAddress[];
  /** Held while active; without them, none. */
  readonly routes?: readonly RouteParameters[];
  readonly rules?: readonly RuleParameters[];
  /** Of addresses, routes and rules; without it they are put back. */
  readonly onRemoval?: OnRemoval;
  /** VRRPv2 simple text password, 1..8 bytes. */
  readonly password?: string;
  readonly authHmac?: AuthHmacParameters;
  /** Source of our advertisements; without it the interface's primary address (IPv4) or link-local address (IPv6). */
  readonly source4?: string;
  readonly source6?: string;
  /** Not empty: adverts go to these, and multicast ones are refused (no RFC). */
  readonly unicastPeers: readonly UnicastPeer[];
  readonly unicastTtl: number;
  readonly checksumSend: ChecksumSend;
  readonly checksumReceive: ChecksumReceive;
  readonly firstLinkLocal: "strict" | "lenient";
  /** What an address owner does with adverts it hears: RFC 3768 discards, RFC 9568 erratum 8298 processes. */
  readonly ownerConflict: "discard" | "process";
  /** v2: refuse adverts whose address list differs and whose sender is no owner. v3 only warns, always. */
  readonly checkAddressList: boolean;
  /** Cap on the interval learned from a peer; without it, none. */
  readonly maxLearnedInterval?: Milliseconds;
  readonly announce: AnnounceParameters;
  /** Accept_Mode (RFC 9568 section 6.1): while active, packets to the addresses are taken in. Always, for their owner. */
  readonly accept: boolean;
  /** Without it addresses answer with the MAC address of the interface they are on. */
  readonly virtualMac?: VirtualMacParameters;
  /** Lifetime given to addresses in the kernel, renewed at half time; without it they are permanent. */
  readonly lease?: Milliseconds;
  /** Each object once. The instance's own interface is a fault without an entry. */
  readonly track: readonly Track[];
  /** Tells the backups to take over at once when the own priority falls, as a resigning router would. */
  readonly yieldOnLowerPriority: boolean;
  /** Of tracked objects and of the own interface; without it, none. */
  readonly flapDamping?: FlapDamping;
}

/** Settings of the VRRP process as a whole. */
export interface ProcessParameters {
  /** SCHED_RR priority 1..99 for all threads; without it the normal class. */
  readonly realtimePriority?: number;
  /** Nice value in the normal class. */
  readonly nice: number;
  readonly lockMemory: boolean;
}
