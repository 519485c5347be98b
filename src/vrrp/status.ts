/** What an instance tells about itself: the snapshot behind `viprd status` and the events behind `viprd events`. */
import type { Family } from "../wire/address.ts";

export type StateName = "active" | "backup" | "initialize";

/** RFC 9568 words; "fault" is initialize with reasons. */
export interface InstanceStatus {
  readonly name: string;
  readonly interface: string;
  /** Name of its sync group. */
  readonly sync_group: string | null;
  readonly vrid: number;
  readonly version: 2 | 3;
  /** "ipv4", "ipv6" */
  readonly families: readonly ("ipv4" | "ipv6")[];
  readonly state: StateName;
  /** Why it is in initialize, in sentences; empty otherwise. */
  readonly reasons: readonly string[];
  /** ISO 8601 time of the last transition. */
  readonly since: string;
  readonly priority: PriorityStatus;
  readonly advert_int_ms: number;
  readonly preempt: boolean;
  /** Only with auth_hmac. */
  readonly authentication?: AuthenticationStatus;
  /** The active router as this node sees it; itself when active; null when none was heard. */
  readonly active_router: ActiveRouter | null;
  /** What it tracks, its own interface aside. */
  readonly tracking: readonly TrackStatus[];
  readonly addresses: readonly AddressStatus[];
  /** Devices that have the virtual router MAC address; none without `use_vmac`. */
  readonly virtual_macs: readonly MacStatus[];
  readonly routes: readonly RoutingStatus[];
  readonly rules: readonly RoutingStatus[];
  readonly routers: readonly RouterStatus[];
  readonly counters: Counters;
  /** Times in which another router was active as well: newest last, the one that goes on without an end. */
  readonly split_brains: readonly SplitBrainStatus[];
  /** Other hosts that claimed its addresses, at most 16 a family: the one told last stands last. */
  readonly duplicates: readonly DuplicateStatus[];
  /** Newest last, at most 20. */
  readonly transitions: readonly TransitionStatus[];
}

/** No secret is in it: a fingerprint is eight hex digits that differ when keys differ. */
export interface AuthenticationStatus {
  readonly method: "hmac";
  readonly mode: "enforce" | "permissive" | "receive_only";
  /** The key that advertisements are signed with. */
  readonly active_key: number;
  readonly keys: readonly { readonly id: number; readonly fingerprint: string }[];
  readonly anti_replay: "time" | "monotonic";
  readonly time_window_ms: number;
  /** Advertisements without a trailer that the mode let pass. */
  readonly unsigned_accepted: number;
  /** The last refusal that was told; they are told at most once a second and reason. */
  readonly last_refusal: {
    readonly at: string;
    readonly source: string;
    readonly rejection: string;
    readonly reason: string;
  } | null;
}

/** The parts add up to the difference of the two. */
export interface PriorityStatus {
  readonly base: number;
  readonly effective: number;
  readonly parts: readonly PriorityPart[];
}

export interface PriorityPart {
  /** "check gateway", "interface eth1" */
  readonly name: string;
  readonly change: number;
}

export interface TrackStatus {
  /** "check gateway", "interface eth1" */
  readonly name: string;
  /** Null without a result yet. */
  readonly up: boolean | null;
  /** Whether it counts as failing: by its result, by `reverse`, because it flaps, or for want of a result. */
  readonly failing: boolean;
  /** A sentence: "interface eth1 is down", "check gateway failed: connection refused". */
  readonly reason: string;
  /** The change of the priority; null when a failure is a fault. */
  readonly priority: number | null;
  readonly reverse: boolean;
  /** Of flap damping, decaying; 0 without. */
  readonly penalty: number;
  /** Milliseconds until it is believed again; null when it is not held. */
  readonly held_ms: number | null;
}

export interface ActiveRouter {
  readonly address: string;
  readonly priority: number;
  /** Milliseconds since its last advertisement; 0 for this node. */
  readonly last_heard_ms: number;
  readonly self: boolean;
}

/** An active router with what its advertisements say. */
export interface ActiveView {
  readonly address: string;
  readonly priority: number;
}

export interface RivalStatus extends ActiveView {
  /** Heard from it while both were active. */
  readonly adverts: number;
}

export interface SplitBrainStatus {
  /** ISO 8601: when the other one was heard first. Of a tie that was lost at once: when this router became active. */
  readonly began: string;
  readonly ended: string | null;
  /** From the begin to the last advertisement of the other one. */
  readonly duration_ms: number;
  readonly own: ActiveView;
  readonly rivals: readonly RivalStatus[];
  /** Advertisements of further rivals: a list that others can fill has an end. */
  readonly unlisted: number;
  /** `kept`: this router stayed active; `lost`: it gave way; `left`: it left the role for another reason. */
  readonly outcome: "ongoing" | "kept" | "lost" | "left";
}

/** A host that answered for one of the addresses, or said that it has it, while this router was active. */
export interface DuplicateStatus {
  readonly address: string;
  readonly interface: string;
  readonly mac: string;
  /** ISO 8601, both. */
  readonly first: string;
  readonly last: string;
  /** Claims seen; of a flood only a part is looked at. */
  readonly count: number;
  /** It is the router that was relieved, and still has the address. */
  readonly relieved: boolean;
}

export interface AddressStatus {
  /** With prefix length. */
  readonly address: string;
  readonly device: string;
  readonly advertised: boolean;
  readonly present: boolean;
  /** Seconds of kernel lifetime each renewal gives; null when permanent. */
  readonly lease_s: number | null;
}

export interface MacStatus {
  readonly family: "ipv4" | "ipv6";
  /** "00:00:5e:00:01:33" */
  readonly address: string;
  readonly device: string;
  readonly present: boolean;
  /** Up while active; a device that is down sends and receives nothing. */
  readonly up: boolean;
}

/** One per address family. */
export interface RouterStatus {
  readonly family: "ipv4" | "ipv6";
  readonly state: StateName;
  readonly source: string | null;
  readonly active_advert_int_ms: number;
  readonly active_down_interval_ms: number;
  readonly skew_time_ms: number;
  /** Time to the next advert (active) or to takeover (backup); null in initialize. */
  readonly timer_ms: number | null;
  /** Its time to take over has come, and it waits for the others of its instance or sync group. */
  readonly willing: boolean;
  /** The form of the IPv4 version 3 checksum being sent. */
  readonly checksum_form: "message" | "pseudo_header";
  /** RFC 6527 vrrpv3StatisticsNewMasterReason of the last entry to active. */
  readonly new_active_reason: "not_active" | "priority" | "preempted" | "no_response";
  /** Name of the last refusal of a packet. */
  readonly last_error: string | null;
  /** ISO 8601 time of leaving initialize. */
  readonly up_since: string | null;
  readonly counters: Counters;
}

/** Monotonic since start; RFC 2787, 6527 and 8347 names in snake_case where they have one. */
export interface Counters {
  readonly became_active: number;
  readonly released_active: number;
  readonly adverts_sent: number;
  readonly adverts_received: number;
  readonly priority_zero_sent: number;
  readonly priority_zero_received: number;
  readonly send_errors: number;
  /** Interval other than ours: v2 discards, v3 only counts. */
  readonly interval_errors: number;
  readonly address_list_errors: number;
  /** Accepted, in a checksum form other than the one we send. */
  readonly other_checksum_form: number;
  /** Own packets heard again (loop or cloned router). */
  readonly own_packets: number;
  readonly late_timers: number;
  /** Discards by the rejection names of the decoder; only names seen. */
  readonly rejected: Readonly<Record<string, number>>;
}

export interface TransitionStatus {
  readonly at: string;
  readonly from: StateName;
  readonly to: StateName;
  readonly reason: string;
}

/** A kernel setting of the host that viprd changed and will put back. */
export interface SettingStatus {
  /** As sysctl(8) names it. */
  readonly name: string;
  readonly value: string;
  readonly before: string;
}

/** Counters of packets that belong to no instance, per interface and family. */
export interface InterfaceStatus {
  readonly interface: string;
  readonly family: "ipv4" | "ipv6";
  readonly received: number;
  readonly rejected: Readonly<Record<string, number>>;
}

/** A time in which the process was not run, as far as its timers tell: it can have begun an interval earlier. */
export interface StallStatus {
  /** ISO 8601, both. */
  readonly began: string;
  readonly ended: string;
  readonly duration_ms: number;
  /** The part of it in which the machine was suspended; 0 when it was not. */
  readonly suspended_ms: number;
}

/** Of the whole process. */
export type StallEvent = StallStatus & { readonly at: string; readonly type: "stall"; readonly message: string };

/** A route or a rule. */
export interface RoutingStatus {
  /** In the words of ip. */
  readonly text: string;
  readonly present: boolean;
  /** Present, but put there by somebody else, and not touched. */
  readonly foreign: boolean;
  /** Why it is not there although it should be; null when it is, or need not be. */
  readonly error: string | null;
}

/** What is held whatever the roles are. */
export interface StaticStatus {
  readonly addresses: readonly Omit<AddressStatus, "advertised">[];
  readonly routes: readonly RoutingStatus[];
  readonly rules: readonly RoutingStatus[];
}

/** Everything worth telling as it happens. `type` decides which fields are there. */
export type VrrpEvent =
  | StallEvent
  | InstanceEvent
  | ({ readonly type: "group_transition"; readonly group: string } & TransitionStatus)
  /** About what is held whatever the roles are. */
  | { readonly at: string; readonly type: "static_repair" | "static_warning"; readonly message: string };

export type InstanceEvent = { readonly at: string; readonly instance: string } & (
  | {
      readonly type: "transition";
      readonly from: StateName;
      readonly to: StateName;
      readonly reason: string;
      /** The effective one. */
      readonly priority: number;
      /** It gave the role up for good: the instance was removed or becomes another one, or the process ends. */
      readonly ended?: true;
      readonly family?: Family;
    }
  /** "priority 150 → 90: check gateway failed: timeout" */
  | { readonly type: "priority"; readonly message: string }
  | { readonly type: "repair"; readonly message: string }
  /** Two routers are active for a minute more, or another host has one of the addresses. */
  | {
      readonly type: "conflict";
      readonly message: string;
      readonly duplicate?: Pick<DuplicateStatus, "address" | "interface" | "mac">;
    }
  | {
      readonly type: "split_brain_start";
      readonly began: string;
      readonly own: ActiveView;
      readonly rival: ActiveView;
      readonly message: string;
    }
  | ({ readonly type: "split_brain_end"; readonly message: string } & SplitBrainStatus)
  /** `fault`: it is in initialize and cannot leave it for this reason. No transition tells so when it never left it. */
  | { readonly type: "warning"; readonly message: string; readonly fault?: string }
);
