/** The sections `virtual_server` and `virtual_server_group`: keepalived's keywords in snake_case wherever it has one. */
import { z } from "zod";
import { checksOfServer } from "./health-check.ts";
import { required, standard, unset } from "./keys.ts";
import { address, boolean, duration, oneOf, text, whole } from "./kinds.ts";
import { addressRange, granularity, portRange, share, wholeSeconds } from "./lvs-kinds.ts";
import { told } from "./notify-schema.ts";

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

export const lvsName = text("a name of 1 to 64 letters, digits, _, - and ., not beginning with - or .", (value) =>
  /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/.test(value) && value !== "__proto__" ? undefined : "",
);

export const tunnelBlock = z.strictObject({
  type: standard(oneOf("ipip", "gue", "gre"), "ipip", "How packets to the server are wrapped."),
  port: unset(whole(1, 65_535), "none", "With type gue: UDP port that the server takes them on. Required there."),
  checksum: unset(
    oneOf("nocsum", "csum", "remcsum"),
    "nocsum",
    "With type gue or gre: the checksum of the wrapping; remcsum with gue only.",
  ),
});

/** Of a virtual server for all its servers, and of a server for itself. */
const methodKeys = (method: string) => ({
  lvs_method: method === "nat" ? standard(methods(), "nat", methodText) : unset(methods(), method, methodText),
  tunnel: unset(
    tunnelBlock.meta({ "x-bounds": "a map, see below" }),
    method === "nat" ? "type ipip" : "that of the virtual server",
    "With lvs_method: tun, the kind of tunnel.",
  ),
});

const methodText =
  "How packets get to the server: nat (answers come back through this host), dr (the server has the address of the service itself, and answers the client), tun (the same through a tunnel).";

function methods() {
  return oneOf("nat", "dr", "tun");
}

const failureBlock = z.strictObject({
  quiesce_then_remove: required(duration(0, day), "Weight 0 at first; taken out after this time."),
});
const onFailure = z
  .union([oneOf("quiesce", "remove"), failureBlock])
  .meta({ "x-bounds": "quiesce, remove or { quiesce_then_remove: 30s }" });

const failureText =
  "What becomes of a server that is down. remove: it is taken out, and its connections end. quiesce: weight 0, its connections go on.";

const weight = () => whole(0, 65_535);
const threshold = () => whole(0, 65_535);

export const realServerBlock = z.strictObject({
  address: required(addressRange(), "Address of the server; a range or a network stands for a server each."),
  port: unset(
    whole(0, 65_535),
    "that of the service",
    "Port of the server. Another one than the service's with nat only.",
  ),
  weight: unset(weight(), "that of the virtual server", "Its share. 0: it gets nothing new, and keeps what it has."),
  ...methodKeys("that of the virtual server"),
  uthreshold: standard(
    threshold(),
    0,
    "Connections, inactive ones included, above which it gets nothing new; 0 = no limit.",
  ),
  lthreshold: standard(
    threshold(),
    0,
    "Connections below which it gets new ones again; 0 = three quarters of uthreshold.",
  ),
  check: unset(
    checksOfServer,
    "that of the virtual server",
    "By what it is up: all of them have to be. [] = always up.",
  ),
  alpha: unset(boolean(), "that of the virtual server", "Down until its checks say otherwise."),
  inhibit_on_failure: unset(boolean(), "that of the virtual server", "keepalived's word for on_failure: quiesce."),
  on_failure: unset(onFailure, "that of the virtual server", failureText),
  notify_up: unset(told, "that of the virtual server", "Run when it has come up."),
  notify_down: unset(told, "that of the virtual server", "Run when it has gone down."),
});

export const sorryServerBlock = z.strictObject({
  address: required(address(), "Address of the server that stands in."),
  port: unset(whole(0, 65_535), "that of the service", "Its port. Another one than the service's with nat only."),
  ...methodKeys("that of the virtual server"),
  inhibit: standard(
    boolean(),
    false,
    "While it stands in, real servers that are up stay in the table with weight 0, so that their connections go on.",
  ),
});

export const dampingOfServers = z.strictObject({
  changes: required(
    whole(2, 1000),
    "Changes between up and down within the time, from which on a server is held down.",
  ),
  within: required(duration(second, day), "The time; it is also how long the server has to be quiet."),
});

export const groupEntry = z.strictObject({
  address: unset(addressRange(), "fwmark", "An address, a range of them or a network, all of whose addresses count."),
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

const virtualServerKeys = {
  address: unset(address(), "fwmark or group", "Address of the service. One of address, fwmark and group."),
  port: unset(whole(0, 65_535), "none", "Its port. 0: all ports, with persistence_timeout. Required with address."),
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
  real_server: required(z.array(realServerBlock).meta({ "x-bounds": "a list of maps, see below" }), "The servers."),
  sorry_server: unset(
    sorryServerBlock.meta({ "x-bounds": "a map, see below" }),
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
  alpha: standard(
    boolean(),
    false,
    "Servers count as down until their checks say otherwise. Without it one that is new waits for its first result, and one that is in the table stays as it is.",
  ),
  omega: standard(boolean(), false, "When viprd stops, quorum_down and notify_down are run for what was up."),
  inhibit_on_failure: standard(boolean(), false, "keepalived's word for on_failure: quiesce."),
  on_failure: unset(
    onFailure,
    "remove; with mh { quiesce_then_remove: 10m } and with sh quiesce, if they fall back",
    failureText,
  ),
  panic_threshold: standard(
    share(),
    "0%",
    "Failures take no more servers out once less than this share of the weights would be left.",
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
    z.union([boolean(), lvsName]).meta({ "x-bounds": "true, false or the name of a vrrp_instance" }),
    false,
    "Checks run only while this instance is active; true: the one that has the address of the service.",
  ),
};

export const virtualServerBlock = z.strictObject(virtualServerKeys);
export const lvsSections = {
  virtual_server_group: unset(
    z
      .record(lvsName, z.array(groupEntry).meta({ "x-bounds": "a list of maps, see below" }))
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
export type RealServerValues = z.output<typeof realServerBlock>;
export type SorryServerValues = z.output<typeof sorryServerBlock>;
export type GroupEntryValues = z.output<typeof groupEntry>;
export type TunnelValues = z.output<typeof tunnelBlock>;
