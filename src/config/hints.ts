/** What to write instead of a keepalived keyword that is spelled otherwise here, is not needed, or is not there yet. */
import type { Path } from "./problem.ts";

const later = "not supported in this version";

const atTop: Readonly<Record<string, string>> = {
  global_defs: "unknown key: keepalived's global_defs is called global here",
  vrrp_instances: "unknown key, did you mean vrrp_instance?",
  vrrp_sync_group: later,
  vrrp_script: later,
  vrrp_track_process: later,
  track_file: later,
  virtual_server: later,
  virtual_server_group: later,
  health_check: later,
  bfd_instance: later,
  static_ipaddress: later,
  static_routes: later,
  static_rules: later,
};

const inGlobal: Readonly<Record<string, string>> = {
  vrrp_garp_lower_prio_delay:
    "unknown key: there is no second burst after a lesser router; vrrp_garp_lower_prio_repeat is the count of the first",
  vrrp_gna_interval: "unknown key: vrrp_garp_interval counts for gratuitous ARP and neighbour advertisements",
  vrrp_strict:
    "unknown key: rules of the RFC are always kept; what may be relaxed has a key of its own in vrrp_instance",
  vrrp_check_unicast_src: "not needed: advertisements from addresses that are not in unicast_peer are always refused",
  vrrp_skip_check_adv_addr: "unknown key: use check_adv_addr in vrrp_instance, which is off by default",
  v3_checksum_as_v2:
    "unknown key: write v3_checksum: message in vrrp_instance; with the default auto it settles by itself",
  vrrp_owner_ignore_adverts: "unknown key here: use owner_ignore_adverts in vrrp_instance",
  enable_script_security: later,
  vrrp_down_timer_adverts:
    "not supported: the down interval is three advertisements and the skew (RFC 9568 section 6.1)",
  max_auto_priority: "not supported: use vrrp_rt_priority",
};

const inInstance: Readonly<Record<string, string>> = {
  state:
    "not needed: every router starts as backup and the election decides; remove it, and give the preferred router the higher priority",
  vrid: "unknown key, did you mean virtual_router_id?",
  virtual_ip: "unknown key, did you mean virtual_ipaddress?",
  virtual_ips: "unknown key, did you mean virtual_ipaddress?",
  vip: "unknown key, did you mean virtual_ipaddress?",
  vips: "unknown key, did you mean virtual_ipaddress?",
  addresses: "unknown key, did you mean virtual_ipaddress?",
  virtual_ipaddresses: "unknown key, did you mean virtual_ipaddress?",
  use_vmac: later,
  use_ipvlan: later,
  vmac_xmit_base: later,
  track_interface: later,
  track_script: later,
  track_file: later,
  track_process: later,
  track_bfd: later,
  track: later,
  virtual_routes: later,
  virtual_rules: later,
  accept: "not needed: packets to the addresses are accepted while active",
  no_accept: later,
  notify: later,
  notify_master: later,
  notify_backup: later,
  notify_fault: later,
  notify_stop: later,
  smtp_alert: later,
  auth_pass: "belongs inside authentication: write authentication: with auth_type: PASS and auth_pass: below it",
  auth_type: "belongs inside authentication: write authentication: with auth_type: PASS and auth_pass: below it",
  auth_hmac: later,
  garp_lower_prio_delay:
    "unknown key: there is no second burst after a lesser router; garp_lower_prio_repeat is the count of the first",
  gna_interval: "unknown key: garp_interval counts for gratuitous ARP and neighbour advertisements",
  v3_checksum_as_v2: "unknown key: write v3_checksum: message; with the default auto it settles by itself",
  skip_check_adv_addr: "unknown key: use check_adv_addr, which is off by default",
  check_unicast_src: "not needed: advertisements from addresses that are not in unicast_peer are always refused",
  strict_mode: "unknown key: rules of the RFC are always kept; what may be relaxed has a key of its own",
  native_ipv6: "not needed: the family follows from the addresses",
  dont_track_primary: later,
  down_timer_adverts: "not supported: the down interval is three advertisements and the skew (RFC 9568 section 6.1)",
  unicast_fault_no_peer: "not needed: unicast_peer decides between unicast and multicast",
  debug: "not needed: use --log-level debug",
};

const everywhere: Readonly<Record<string, string>> = {
  "<<": "YAML merge keys are not supported: repeat the keys, or use an anchor for each value",
  include: "include stands at the top of a file, not inside a block",
};

export function adviceForKey(key: string, path: Path): string | undefined {
  const block = path[0] === undefined ? atTop : path[0] === "global" ? inGlobal : path.length === 2 ? inInstance : {};
  const word = key.replace(/-/g, "_");
  if (Object.hasOwn(block, word)) return block[word];
  if (Object.hasOwn(everywhere, key)) return everywhere[key];
  if (path.length === 0 && (Object.hasOwn(inInstance, word) || instanceWords.has(word))) {
    return `belongs inside vrrp_instance: write vrrp_instance:, a name below it, and ${key} below the name`;
  }
  if (path[0] === "vrrp_instance" && path.length > 3 && key.endsWith(":")) {
    return `YAML takes the last colon for the end of a key: write "${key}:" in quotes`;
  }
  // "vrrp_instance VI_1:" as in keepalived.
  if (path.length === 0 && /^vrrp_instance\s+\S+$/.test(key)) {
    return "the name goes on a line of its own: write vrrp_instance: and the name with its colon, indented, below it";
  }
  return undefined;
}

const instanceWords = new Set(["interface", "virtual_router_id", "priority", "advert_int", "virtual_ipaddress"]);
