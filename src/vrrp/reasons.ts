/** Why a router changed its state, as a value and in words: log, status, events and scripts all use these words. */
import { familyOf, formatAddress } from "../wire/address.ts";
import { looksSigned, type Rejection } from "./advertisement.ts";
import type { Milliseconds } from "./parameters.ts";
import type { Datagram } from "./reception.ts";
import type { Peer } from "./router-state.ts";

export type Cause =
  | { readonly type: "startup" }
  | { readonly type: "owner" }
  | { readonly type: "shutdown"; readonly why: string }
  | { readonly type: "nobody"; readonly silent: Milliseconds }
  | { readonly type: "silent"; readonly peer: Peer; readonly silent: Milliseconds }
  | { readonly type: "resigned"; readonly peer: Peer }
  | { readonly type: "preempted"; readonly peer: Peer; readonly own: number }
  | { readonly type: "outranked"; readonly peer: Peer; readonly own: number }
  /** Not run for `silent`, counted from the last advertisement. */
  | { readonly type: "stalled"; readonly silent: Milliseconds }
  | { readonly type: "group"; readonly why?: string };

export function describeCause(cause: Cause): string {
  switch (cause.type) {
    case "startup":
      return "everything it needs is there";
    case "owner":
      return "priority 255: this node owns the address";
    case "shutdown":
      return cause.why;
    case "nobody":
      return `no advertisement from anybody for ${formatDuration(cause.silent)}`;
    case "silent":
      return `no advertisement from ${formatAddress(cause.peer.source)} for ${formatDuration(cause.silent)}`;
    case "resigned":
      return `${formatAddress(cause.peer.source)} gave up the role (priority 0)`;
    case "preempted":
      return `preempting ${formatAddress(cause.peer.source)}: its priority ${cause.peer.priority} is below our ${cause.own}`;
    case "outranked": {
      const peer = formatAddress(cause.peer.source);
      if (cause.peer.priority > cause.own) return `${peer} has priority ${cause.peer.priority}, above our ${cause.own}`;
      return `${peer} has the same priority ${cause.own} and the higher address`;
    }
    case "stalled":
      return `this process was not run and sent nothing for ${formatDuration(cause.silent)}: listening before it goes on`;
    case "group":
      return cause.why ?? "the other address family lost the role";
  }
}

/** Why a packet was refused, with what was found beside what was expected. */
export function describeRefusal(name: Rejection, datagram: Datagram, own: { readonly version: number }): string {
  const from = `refused advertisement from ${formatAddress(datagram.source)}: ${name}`;
  const heard = (datagram.pdu[0] ?? 0) >> 4;
  switch (name) {
    case "version":
      return `${from} (it speaks VRRP ${heard}, this router ${own.version}: both nodes will be active)`;
    case "ttl":
      return `${from} (${datagram.ttl} instead of 255)`;
    case "interval_mismatch":
      return `${from} (it advertises each ${datagram.pdu[5] ?? 0} s, this router does not: both nodes will be active)`;
    case "auth_type":
      return `${from} (${describeType(datagram.pdu[4] ?? 0)}: both nodes will be active)`;
    case "auth_data":
      return `${from} (another password than ours: both nodes will be active)`;
    case "long":
      return looksSigned(datagram.pdu, familyOf(datagram.source))
        ? `${from} (it is signed, and this router has no auth_hmac: both nodes will be active)`
        : from;
    case "destination":
      return `${from} (${formatAddress(datagram.destination)})`;
    default:
      return from;
  }
}

/** Of version 2's authentication (RFC 2338 section 5.3.6), refused because ours is another. */
function describeType(type: number): string {
  if (type === 0) return "it has no password, this router has one";
  return type === 1 ? "it has a password, this router has none" : `type ${type}, this router knows none and a password`;
}

/** RFC 6527 vrrpv3StatisticsNewMasterReason, for entries to active. */
export function newActiveReason(cause: Cause): "priority" | "preempted" | "no_response" {
  if (cause.type === "preempted") return "preempted";
  return cause.type === "silent" || cause.type === "nobody" ? "no_response" : "priority";
}

/** "850 ms", "3.61 s", "2 min 5 s" */
export function formatDuration(duration: Milliseconds): string {
  if (duration < 1) return `${duration.toFixed(2)} ms`;
  if (Math.round(duration) < 1000) return `${Math.round(duration)} ms`;
  if (Math.round(duration / 10) < 6000) return `${(duration / 1000).toFixed(2)} s`;
  const seconds = Math.round(duration / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
