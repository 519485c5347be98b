/**
 * Every key of the file with its kind, bounds, default and description: the one place where a key is added.
 * Keys are keepalived's keywords in snake_case wherever it has one. The JSON Schema and the tables of the manual come from here;
 * the defaults shown are the ones the resolver fills in, which a test holds true.
 */
import { z } from "zod";
import { addressEntry } from "./address-entry.ts";
import { authHmacBlock } from "./auth-hmac.ts";
import { scriptUser } from "./command.ts";
import { healthCheckBlock } from "./health-check.ts";
import { required, standard, unset } from "./keys.ts";
import { address, boolean, duration, interfaceName, oneOf, secret, text, version, whole } from "./kinds.ts";
import { lease } from "./lease.ts";
import { lvsGlobalKeys } from "./lvs-global-schema.ts";
import { lvsSections } from "./lvs-schema.ts";
import { fifoPath, notifyKeys } from "./notify-schema.ts";
import { fileRouting, instanceRouting } from "./routing-schema.ts";
import { syncGroupBlock } from "./sync-group.ts";
import { trackKeys } from "./tracking-schema.ts";
import { virtualMacKind } from "./virtual-mac.ts";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

const authenticationType = text("PASS", (value) => {
  if (value === "PASS") return undefined;
  if (value === "AH") return "RFC 3768 removed AH in 2004 and viprd does not have it; use PASS or no authentication";
  return value.toUpperCase() === "PASS" ? "write PASS" : "";
});

const password = secret("text of 1 to 8 bytes", (value) => {
  const bytes = new TextEncoder().encode(value).length;
  if (bytes === 0) return ", got an empty one";
  if (bytes > 8) return `, got ${bytes} bytes: the packet has room for 8, and a longer password is not cut`;
  // The packet pads with zeros, so zeros inside would make two passwords equal.
  return /\p{Cc}/u.test(value) ? ", got control characters" : undefined;
});

export const authenticationBlock = z
  .strictObject({
    auth_type: standard(authenticationType, "PASS", "The simple text password of VRRP version 2."),
    auth_pass: required(password, "The password. It crosses the network in clear text."),
  })
  .meta({ "x-bounds": "a map, see below" });

export const peerBlock = z.strictObject({
  address: required(address(), "Address of the peer."),
  min_ttl: standard(whole(0, 255), 255, "Smallest TTL or hop limit accepted from this peer; not above max_ttl."),
  max_ttl: standard(whole(0, 255), 255, "Largest TTL or hop limit accepted from this peer."),
});
const peer = z.union([address().transform((value) => ({ address: value })), peerBlock]);
const peers = z.array(peer).meta({ "x-bounds": "a list of addresses, or of maps, see below" });

const sources = z
  .union([address().transform((value) => [value]), z.array(address())])
  .meta({ "x-bounds": "an address, or a list with one of each family" });

const addresses = z.array(addressEntry).min(1).meta({ "x-bounds": "1 to 255 IPv4 and 90 IPv6 addresses, see below" });
const excluded = z.array(addressEntry).meta({ "x-bounds": "a list of addresses, see below" });

/** Gratuitous ARP and neighbour advertisements: in `global` under the same names with vrrp_ before them. */
const announce = {
  garp_master_delay: standard(
    duration(0, hour),
    "5s",
    "Time from becoming active to the second burst of announcements (gratuitous ARP, unsolicited neighbour advertisements); 0s = no second burst.",
  ),
  garp_master_repeat: standard(
    whole(1, 100),
    3,
    "Announcements of each address in the first burst, within the first second.",
  ),
  garp_master_delay_repeat: standard(whole(1, 100), 1, "Announcements of each address in the second burst."),
  garp_master_refresh: standard(duration(0, 24 * hour), "60s", "Time between announcements while active; 0s = off."),
  garp_master_refresh_repeat: standard(whole(1, 100), 1, "Announcements of each address at each refresh."),
  garp_lower_prio_repeat: standard(
    whole(0, 100),
    3,
    "Announcements of each address after a lesser router was heard claiming to be active; 0 = none.",
  ),
  garp_interval: standard(
    duration(0, second),
    "0s",
    "Smallest gap between two announcements on one interface; 0s = no pause.",
  ),
};

const routerId = text("1 to 255 printable characters", (value) => (/^[^\p{Cc}]{1,255}$/u.test(value) ? undefined : ""));

export const globalBlock = z.strictObject({
  router_id: unset(routerId, "the host name", "Name of this router in status, events and logs."),
  script_user: unset(
    scriptUser,
    "viprd_script if that user exists, else the user of the daemon",
    "User, or user:group, that scripts run as.",
  ),
  script_security: standard(
    boolean(),
    true,
    "Do not run a script that somebody else than root and the user it runs as could have changed.",
  ),
  notify_fifo: unset(
    fifoPath,
    "none",
    "FIFO that every transition of instances, sync groups, virtual servers and servers is written to, one line each.",
  ),
  vrrp_notify_fifo: unset(fifoPath, "none", "A second FIFO, for transitions of instances and sync groups only."),
  lvs_notify_fifo: unset(fifoPath, "none", "A FIFO for what becomes of virtual servers and their servers only."),
  vrrp_version: standard(version(), 3, "VRRP version of instances that do not name one."),
  vrrp_rt_priority: unset(whole(1, 99), "off", "Real-time priority (SCHED_RR) of the VRRP process."),
  vrrp_priority: standard(
    whole(-20, 19),
    -20,
    "Nice value of the VRRP process, and of its session where the kernel groups by session.",
  ),
  vrrp_no_swap: standard(boolean(), false, "Lock the memory of the VRRP process, so that it is never swapped out."),
  vrrp_garp_master_delay: announce.garp_master_delay,
  vrrp_garp_master_repeat: announce.garp_master_repeat,
  vrrp_garp_master_delay_repeat: announce.garp_master_delay_repeat,
  vrrp_garp_master_refresh: announce.garp_master_refresh,
  vrrp_garp_master_refresh_repeat: announce.garp_master_refresh_repeat,
  vrrp_garp_lower_prio_repeat: announce.garp_lower_prio_repeat,
  vrrp_garp_interval: announce.garp_interval,
  ...lvsGlobalKeys,
});

const advertisementInterval = duration(
  10,
  255 * second,
  "10ms to 40.95s in version 3, 1s to 255s in version 2",
  "version 3: 10ms to 40.95s in steps of 10ms; version 2: 1s to 255s in whole seconds",
);

export const instanceBlock = z.strictObject({
  interface: required(interfaceName(), "Interface that VRRP runs on."),
  virtual_router_id: required(
    whole(1, 255),
    "Virtual router identifier (VRID), the same on every router of the group.",
  ),
  version: unset(version(), "global.vrrp_version", "VRRP version. IPv6 needs 3, passwords need 2."),
  priority: standard(whole(1, 255), 100, "The highest wins. 255 is the owner of the addresses and never backs up."),
  advert_int: standard(advertisementInterval, "1s", "Time between advertisements."),
  preempt: standard(boolean(), true, "Take over from a living router of lower priority."),
  nopreempt: standard(boolean(), false, "keepalived's word for preempt: false. Only one of the two may be given."),
  preempt_delay: standard(
    duration(0, 1000 * second),
    "0s",
    "How long a lesser router is left active before this one takes over from it. Never delays a takeover from a dead one.",
  ),
  virtual_ipaddress: required(
    addresses,
    "Addresses held while active, in the order in which they are advertised. The first IPv6 address is a link-local one.",
  ),
  virtual_ipaddress_excluded: standard(excluded, [], "Addresses held while active but not advertised."),
  ...instanceRouting,
  mcast_src_ip: unset(sources, "taken from the interface", "Source of multicast advertisements."),
  unicast_src_ip: unset(sources, "taken from the interface", "Source of unicast advertisements."),
  unicast_peer: unset(
    peers,
    "none: multicast",
    "Advertise to these addresses instead of the multicast group, and listen to no others.",
  ),
  unicast_ttl: standard(whole(1, 255), 255, "TTL or hop limit of unicast advertisements."),
  authentication: unset(authenticationBlock, "none", "Password, VRRP version 2 only."),
  auth_hmac: unset(
    authHmacBlock,
    "none",
    "Signs advertisements and refuses forged and replayed ones, in both versions. Takes the place of authentication.",
  ),
  accept: standard(
    boolean(),
    true,
    "While active, take in packets to the addresses. false drops them, except for ARP and neighbour discovery, and goes on forwarding what is routed through the virtual router (Accept_Mode, RFC 9568 section 6.1).",
  ),
  use_vmac: standard(
    virtualMacKind(),
    false,
    "Addresses answer with the virtual router MAC address (RFC 9568 section 7.3) and live on a device of their own: vrrp.VRID for IPv4 and vrrp6.VRID for IPv6, or the name given here.",
  ),
  vmac_xmit_base: standard(
    boolean(),
    false,
    "With use_vmac: advertisements leave with the MAC address of the interface, for switches that want it so.",
  ),
  check_adv_addr: standard(
    boolean(),
    false,
    "Version 2: refuse advertisements whose addresses are not those of virtual_ipaddress.",
  ),
  v3_checksum: standard(
    oneOf("auto", "message", "pseudo_header"),
    "auto",
    "Version 3 over IPv4: what the checksum of sent advertisements covers. message = RFC 9568; pseudo_header = keepalived, FRR; auto = the form last heard from a peer.",
  ),
  v3_checksum_receive: standard(
    oneOf("either", "message", "pseudo_header"),
    "either",
    "Version 3 over IPv4: checksum forms accepted.",
  ),
  first_link_local: standard(
    oneOf("strict", "lenient"),
    "strict",
    "IPv6: whether the first address must be link-local, here and in received advertisements (RFC 9568 section 5.2.9).",
  ),
  owner_ignore_adverts: unset(
    boolean(),
    "true in version 2, false in version 3",
    "With priority 255: discard received advertisements instead of processing them.",
  ),
  max_learned_interval: unset(
    duration(10, 40.95 * second),
    "no limit",
    "Version 3: longest interval believed from another router's advertisement; at least advert_int.",
  ),
  ...trackKeys,
  yield_on_lower_priority: standard(
    boolean(),
    false,
    "When the own priority falls while active, tell better backups to take over at once instead of after the down interval.",
  ),
  ...notifyKeys,
  ...announce,
  lease: standard(
    lease(),
    true,
    "Lifetime of the addresses in the kernel, renewed at half time: a dead agent holds nothing. true = the longer of 5s and the time a takeover takes, in whole seconds; false = addresses stay until they are removed.",
  ),
});

export const instanceName = text("a name of 1 to 64 letters, digits, _, - and ., not beginning with - or .", (value) =>
  /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/.test(value) && value !== "__proto__" ? undefined : "",
);

const pattern = text("the name of a file, or a pattern with * and ?", (value) => (value === "" ? "" : undefined));
const patterns = z
  .union([pattern.transform((value) => [value]), z.array(pattern)])
  .meta({ "x-bounds": "a file name or pattern, or a list of them" });

export const fileBlock = z.strictObject({
  include: unset(
    patterns,
    "none",
    "Files read as if they stood here, relative to this file. * and ? match within a name.",
  ),
  global: unset(globalBlock.meta({ "x-bounds": "a map, see below" }), "defaults", "Settings of the agent as a whole."),
  vrrp_instance: unset(
    z.record(instanceName, instanceBlock).meta({ "x-bounds": "a map of names, see below" }),
    "none",
    "VRRP instances by name.",
  ),
  vrrp_sync_group: unset(
    z.record(instanceName, syncGroupBlock).meta({ "x-bounds": "a map of names, see below" }),
    "none",
    "Groups of instances that are active together or not at all, by name.",
  ),
  health_check: unset(
    healthCheckBlock.meta({ "x-bounds": "a map of names, see below" }),
    "none",
    "Health checks by name.",
  ),
  ...lvsSections,
  ...fileRouting,
});

export type GlobalValues = z.output<typeof globalBlock>;
export type InstanceValues = z.output<typeof instanceBlock>;
export type FileValues = z.output<typeof fileBlock>;
