/** The sections `virtual_server` and `virtual_server_group`: keepalived's keywords in snake_case wherever it has one. */
import { z } from "zod";
import { checksOfServer } from "./health-check.ts";
import { required, standard, unset } from "./keys.ts";
import { address, boolean, duration, oneOf, text, whole } from "./kinds.ts";
import {
  addressRange,
  booleanOrName,
  endpoint,
  granularity,
  portRange,
  share,
  single,
  wholeSeconds,
} from "./lvs-kinds.ts";
import { failureText, methodKeys, onFailure, realServerBlock, sorryServerBlock, weight } from "./lvs-server-schema.ts";
import { told, webhooks } from "./notify-schema.ts";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const largestMark = 4_294_967_295;

export const schedulers = [
  "rr",
  "wrr",
  "lc",
  "wlc",
  "lblc",
  "lblcr",
  "sh",
  "mh",
  "dh",
  "fo",
  "ovf",
  "sed",
  "nq",
  "twos",
] as const;

export const lvsName = text("a name of 1 to 64 letters, digits, _, - and ., not beginning with - or .", (value) => {
  const endpoint = /^\[?[0-9a-fA-F.:]*[.:][0-9a-fA-F.:]*\]?(:|\s+)?\d*$/.test(value);
  const [, key, of] = /^(fwmark|group)\s+(\S+)$/.exec(value) ?? [];
  if (/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/.test(value) && value !== "__proto__") return undefined;
  if (key !== undefined) return `choose a name, and write ${key}: ${of} below it`;
  return endpoint ? "choose a name, and write address and port below it" : "";
});

export const dampingOfServers = z.strictObject({
  changes: required(
    whole(2, 1000),
    "Changes between up and down within the time, from which on a server is held down.",
  ),
  within: required(duration(second, day), "The time; it is also how long the server has to be quiet."),
});

const manyAddresses = () => addressRange(", or mark the packets with a firewall rule and use fwmark");

export const groupEntry = z.strictObject({
  address: unset(manyAddresses(), "fwmark", "An address, a range of them or a network, all of whose addresses count."),
  port: unset(
    z.union([portRange().transform((ports) => [ports]), z.array(portRange())]).meta({
      "x-bounds": "a port, a range like 8000-8010, or a list of them",
    }),
    "none",
    "The port, or ports. 0: all ports, with persistence_timeout. Required with address.",
  ),
  fwmark: unset(
    whole(1, largestMark),
    "address",
    "Instead of an address: the mark that a firewall rule gives the packets.",
  ),
  ip_family: unset(oneOf("inet", "inet6"), "that of the real servers", "With fwmark: IPv4 or IPv6."),
});

const groupText = endpoint(
  manyAddresses(),
  portRange().transform((ports) => [ports]),
);

const virtualServerKeys = {
  address: unset(
    single(address(), { type: "string" }),
    "fwmark or group",
    "Address of the service. One of address, fwmark and group.",
  ),
  port: unset(
    single(whole(0, 65_535), { type: "integer", minimum: 0, maximum: 65_535 }),
    "none",
    "Its port. 0: all ports, with persistence_timeout. Required with address.",
  ),
  protocol: standard(oneOf("tcp", "udp", "sctp"), "tcp", "Its protocol."),
  fwmark: unset(
    whole(1, largestMark),
    "address or group",
    "The mark that a firewall rule gives the packets of the service.",
  ),
  ip_family: unset(oneOf("inet", "inet6"), "that of the real servers", "With fwmark: IPv4 or IPv6."),
  group: unset(lvsName, "address or fwmark", "A virtual_server_group: a service for each of its addresses and ports."),
  lvs_sched: standard(oneOf(...schedulers), "wlc", "How a server is chosen: the scheduler of the kernel."),
  mh_fallback: standard(
    boolean(),
    true,
    "With lvs_sched: mh, clients of a server of weight 0 go to another one. Without it they are refused.",
  ),
  mh_port: standard(boolean(), false, "With lvs_sched: mh, the client's port counts as well as its address."),
  sh_fallback: standard(boolean(), true, "With lvs_sched: sh, what mh_fallback is with mh."),
  sh_port: standard(boolean(), false, "With lvs_sched: sh, what mh_port is with mh."),
  sched_flags: standard(
    z.array(whole(1, 3)).meta({ "x-bounds": "a list of 1, 2 and 3" }),
    [],
    "Flags of other schedulers, by number. Those of mh and sh have keys of their own.",
  ),
  ...methodKeys("nat"),
  persistence_timeout: unset(
    wholeSeconds(second, 31 * day),
    "none",
    "A client comes to the same server again for this time after its last connection.",
  ),
  persistence_granularity: unset(
    granularity(),
    "32; IPv6 128",
    "Clients of one network of this size count as one. A prefix length, or a mask.",
  ),
  persistence_engine: unset(
    oneOf("sip"),
    "the address",
    "sip: calls, not addresses, come to the same server. UDP only.",
  ),
  ops: standard(boolean(), false, "UDP: every packet is scheduled by itself, and no connection is kept."),
  weight: standard(weight(), 1, "Weight of the servers that do not say."),
  check: unset(checksOfServer, "none", "Checks of the servers that have none of their own."),
  real_server: required(
    z
      .array(z.union([endpoint(addressRange(), whole(0, 65_535)), realServerBlock]))
      .meta({ "x-bounds": "a list of maps, see below" }),
    "The servers.",
  ),
  sorry_server: unset(
    z
      .union([endpoint(address(), whole(0, 65_535)), sorryServerBlock])
      .meta({ "x-bounds": "a map, see below, or ADDRESS PORT" }),
    "none",
    "The server that stands in while the quorum is lost.",
  ),
  quorum: standard(whole(1, 4_294_967_295), 1, "Sum of the weights of servers that are up, for the service to be up."),
  hysteresis: standard(
    whole(0, 4_294_967_295),
    0,
    "It is lost below quorum - hysteresis, or at 0, and regained at quorum + hysteresis. Smaller than quorum.",
  ),
  quorum_up: unset(told, "none", "Run when the quorum is regained."),
  quorum_down: unset(told, "none", "Run when the quorum is lost."),
  notify_up: unset(told, "none", "Run when a server has come up."),
  notify_down: unset(told, "none", "Run when a server has gone down."),
  notify_webhook: unset(webhooks, "none", "Told of the quorum and of each server by an HTTP POST of a JSON document."),
  alpha: standard(
    boolean(),
    true,
    "A server gets clients only after its first result, unless it is in the kernel's table already. false: at once.",
  ),
  omega: standard(boolean(), false, "When viprd stops, quorum_down is run for a service that is up."),
  inhibit_on_failure: standard(boolean(), false, "keepalived's word for on_failure: quiesce."),
  on_failure: unset(
    onFailure,
    "remove; with mh { quiesce_then_remove: 10m } and with sh quiesce, if they fall back",
    failureText,
  ),
  panic_threshold: standard(
    share(),
    "0%",
    "Failures take no more servers out when less than this share of them would be left.",
  ),
  slow_start: standard(
    duration(0, hour),
    "0s",
    "A server that has come up reaches its weight in steps over this time. Not with mh, sh and dh.",
  ),
  drain_timeout: standard(
    duration(0, 7 * day),
    "5m",
    "How long a server that has left the file keeps its connections, at weight 0. 0s = it is taken out at once.",
  ),
  flap_damping: unset(
    dampingOfServers.meta({ "x-bounds": "a map, see below" }),
    "none",
    "A server that goes up and down again and again is held down until it was quiet.",
  ),
  on_drift: standard(
    oneOf("repair", "report", "ignore"),
    "repair",
    "When somebody else changes what is in the kernel's table for it: put it right and tell, only tell, or neither.",
  ),
  on_stop: standard(
    oneOf("keep", "drain", "remove"),
    "keep",
    "What viprd leaves in the kernel's table when it stops: all of it; servers at weight 0; nothing.",
  ),
  ha_suspend: standard(
    booleanOrName("true, false or the name of a vrrp_instance"),
    false,
    "Checks run only while this instance is active; true: the one that has the address of the service.",
  ),
};

export const virtualServerBlock = z.strictObject(virtualServerKeys);
export const lvsSections = {
  virtual_server_group: unset(
    z
      .record(lvsName, z.array(z.union([groupText, groupEntry])).meta({ "x-bounds": "a list of maps, see below" }))
      .meta({ "x-bounds": "a map of names, see below" }),
    "none",
    "Addresses, ports and marks that virtual servers have in common, by name.",
  ),
  virtual_server: unset(
    z.record(lvsName, virtualServerBlock).meta({ "x-bounds": "a map of names, see below" }),
    "none",
    "Services that the kernel balances over servers, by name.",
  ),
};

export type VirtualServerValues = z.output<typeof virtualServerBlock>;
export type GroupEntryValues = z.output<typeof groupEntry>;
