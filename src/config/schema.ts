/**
 * Every key of the file with its kind, bounds, default and description: the one place where a key is added.
 * Keys are keepalived's keywords in snake_case wherever it has one. Defaults shown here are what the resolver fills in.
 */
import { z } from "zod";
import { addressEntry } from "./address-entry.ts";
import { address, boolean, duration, interfaceName, oneOf, secret, text, version, whole } from "./kinds.ts";
import { lease } from "./lease.ts";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

const authentication = z.strictObject({
  auth_type: text("PASS", (value) => {
    if (value === "PASS") return undefined;
    if (value === "AH") return "RFC 3768 removed AH in 2004 and viprd does not have it; use PASS or no authentication";
    return value.toUpperCase() === "PASS" ? "write PASS" : "";
  })
    .optional()
    .meta({ description: "PASS, the simple text password of VRRP version 2.", default: "PASS", enum: ["PASS"] }),
  auth_pass: secret("text of 1 to 8 bytes", (value) => {
    const bytes = new TextEncoder().encode(value).length;
    if (bytes === 0) return ", got an empty one";
    if (bytes > 8) return `, got ${bytes} bytes: the packet has room for 8, and a longer password is not cut`;
    return undefined;
  }).meta({
    description: "The password, 1 to 8 bytes. It crosses the network in clear text.",
    minLength: 1,
    maxLength: 8,
  }),
});

const peerMap = z.strictObject({
  address: address().meta({ description: "Address of the peer." }),
  min_ttl: whole(0, 255)
    .optional()
    .meta({ description: "Smallest TTL or hop limit accepted from this peer.", default: 255 }),
  max_ttl: whole(0, 255)
    .optional()
    .meta({ description: "Largest TTL or hop limit accepted from this peer.", default: 255 }),
});
const peer = z.union([address().transform((value) => ({ address: value })), peerMap]);

const sources = z.union([address().transform((value) => [value]), z.array(address())]);

/** Shared by `global` (with the prefix vrrp_) and `vrrp_instance`. */
const announce = {
  garp_master_delay: duration(0, hour).optional().meta({
    description:
      "Time from becoming active to the second burst of gratuitous ARP and neighbour advertisements; 0s = no second burst.",
    default: "5s",
  }),
  garp_master_repeat: whole(1, 100)
    .optional()
    .meta({ description: "Announcements of each address in the first burst, within the first second.", default: 3 }),
  garp_master_delay_repeat: whole(1, 100)
    .optional()
    .meta({ description: "Announcements of each address in the second burst.", default: 1 }),
  garp_master_refresh: duration(0, 24 * hour)
    .optional()
    .meta({ description: "Time between announcements while active; 0s = off.", default: "60s" }),
  garp_master_refresh_repeat: whole(1, 100)
    .optional()
    .meta({ description: "Announcements of each address at each refresh.", default: 1 }),
  garp_lower_prio_repeat: whole(0, 100).optional().meta({
    description: "Announcements of each address after a lesser router was heard claiming to be active.",
    default: 3,
  }),
  garp_interval: duration(0, second)
    .optional()
    .meta({ description: "Smallest gap between two announcements on one interface; 0s = no pause.", default: "0s" }),
};

export const globalBlock = z.strictObject({
  router_id: text("1 to 255 printable characters", (value) => (/^[^\p{Cc}]{1,255}$/u.test(value) ? undefined : ""))
    .optional()
    .meta({ description: "Name of this router in status, events and logs.", default: "host name" }),
  script_user: text("the name of a user", (value) =>
    /^[A-Za-z_][A-Za-z0-9_.-]{0,30}\$?$/.test(value) ? undefined : "",
  )
    .optional()
    .meta({ description: "User that scripts run as.", default: "viprd_script" }),
  vrrp_version: version().optional().meta({ description: "VRRP version of instances that name none.", default: 3 }),
  vrrp_rt_priority: whole(1, 99)
    .optional()
    .meta({ description: "Real-time priority (SCHED_RR) of the VRRP process.", default: "off" }),
  vrrp_priority: whole(-20, 19).optional().meta({ description: "Nice value of the VRRP process.", default: 0 }),
  vrrp_no_swap: boolean()
    .optional()
    .meta({ description: "Lock the memory of the VRRP process, so that it is never swapped out.", default: false }),
  vrrp_garp_master_delay: announce.garp_master_delay,
  vrrp_garp_master_repeat: announce.garp_master_repeat,
  vrrp_garp_master_delay_repeat: announce.garp_master_delay_repeat,
  vrrp_garp_master_refresh: announce.garp_master_refresh,
  vrrp_garp_master_refresh_repeat: announce.garp_master_refresh_repeat,
  vrrp_garp_lower_prio_repeat: announce.garp_lower_prio_repeat,
  vrrp_garp_interval: announce.garp_interval,
});

export const instanceBlock = z.strictObject({
  interface: interfaceName().meta({ description: "Interface that VRRP runs on." }),
  virtual_router_id: whole(1, 255).meta({
    description: "Virtual router identifier (VRID), the same on every router of the group.",
  }),
  version: version()
    .optional()
    .meta({ description: "VRRP version. IPv6 needs 3, passwords need 2.", default: "global.vrrp_version" }),
  priority: whole(1, 255)
    .optional()
    .meta({ description: "The highest wins. 255 is the owner of the addresses.", default: 100 }),
  advert_int: duration(10, 255 * second, "10ms to 40.95s in version 3, 1s to 255s in version 2")
    .optional()
    .meta({
      description:
        "Time between advertisements. Version 3: 10ms to 40.95s in steps of 10ms. Version 2: whole seconds, 1s to 255s.",
      default: "1s",
    }),
  preempt: boolean()
    .optional()
    .meta({ description: "Take over from a living router of lower priority.", default: true }),
  nopreempt: boolean()
    .optional()
    .meta({ description: "keepalived's word for preempt: false. Only one of the two may be given.", default: false }),
  preempt_delay: duration(0, 1000 * second)
    .optional()
    .meta({ description: "How long a lesser router is left active before this one takes over.", default: "0s" }),
  virtual_ipaddress: z
    .array(addressEntry)
    .min(1)
    .meta({ description: "Addresses held while active, in the order in which they are advertised." }),
  virtual_ipaddress_excluded: z
    .array(addressEntry)
    .optional()
    .meta({ description: "Addresses held while active but not advertised.", default: [] }),
  mcast_src_ip: sources
    .optional()
    .meta({ description: "Source of multicast advertisements, one for each family.", default: "from the interface" }),
  unicast_src_ip: sources
    .optional()
    .meta({ description: "Source of unicast advertisements, one for each family.", default: "from the interface" }),
  unicast_peer: z.array(peer).optional().meta({
    description: "Advertise to these addresses instead of the multicast group, and listen to no others.",
    default: [],
  }),
  unicast_ttl: whole(1, 255)
    .optional()
    .meta({ description: "TTL or hop limit of unicast advertisements.", default: 255 }),
  authentication: authentication.optional().meta({ description: "Password, VRRP version 2 only." }),
  check_adv_addr: boolean().optional().meta({
    description: "Version 2: refuse advertisements whose address list differs from virtual_ipaddress.",
    default: false,
  }),
  v3_checksum: oneOf("auto", "message", "pseudo_header").optional().meta({
    description:
      "Version 3 over IPv4: what the checksum of sent advertisements covers. auto = as last heard from a peer.",
    default: "auto",
  }),
  v3_checksum_receive: oneOf("either", "message", "pseudo_header")
    .optional()
    .meta({ description: "Version 3 over IPv4: checksum forms accepted.", default: "either" }),
  first_link_local: oneOf("strict", "lenient").optional().meta({
    description: "IPv6: whether the first address must be link-local, here and in received advertisements.",
    default: "strict",
  }),
  owner_ignore_adverts: boolean().optional().meta({
    description: "With priority 255: discard received advertisements instead of processing them.",
    default: "true in version 2, false in version 3",
  }),
  max_learned_interval: duration(10, 40.95 * second)
    .optional()
    .meta({
      description: "Version 3: longest interval believed from another router's advertisement.",
      default: "none",
    }),
  ...announce,
  lease: lease().optional().meta({
    description:
      "Lifetime of the addresses in the kernel, renewed at half time: a dead agent holds nothing. true = the longer of 5s and the time a takeover takes, in whole seconds; false = the addresses stay until removed.",
    default: true,
  }),
});

export const instanceName = text("a name of 1 to 64 letters, digits, _, - and ., not beginning with - or .", (value) =>
  /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/.test(value) && value !== "__proto__" ? undefined : "",
);

const includePattern = text("the name of a file, or a pattern with * and ?", (value) =>
  value === "" ? "" : undefined,
);

export const fileBlock = z.strictObject({
  include: z
    .union([includePattern.transform((value) => [value]), z.array(includePattern)])
    .optional()
    .meta({ description: "Files read as if they stood here: names or patterns with * and ?, relative to this file." }),
  global: globalBlock.optional().meta({ description: "Settings of the whole agent." }),
  vrrp_instance: z.record(instanceName, instanceBlock).optional().meta({ description: "VRRP instances by name." }),
});

export type GlobalValues = z.output<typeof globalBlock>;
export type InstanceValues = z.output<typeof instanceBlock>;
