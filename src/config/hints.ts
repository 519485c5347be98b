/** What to write instead of a keepalived keyword that is spelled otherwise here, is not needed, or is not there yet. */
import { parseAddress } from "../wire/address.ts";
import { adviceForBlock, lvsWords } from "./hints-lvs.ts";
import type { Path } from "./problem.ts";

const later = "not supported in this version";
const noMail = "not supported: viprd sends no mail; use notify with a script that does, or notify_webhook";

const asCheck = (type: string) =>
  `unknown key: write health_check:, a name below it, and type: ${type} with its keys below the name`;
const asTrack =
  "unknown key: write track: and below it - check: NAME, a check from health_check:, with priority: for keepalived's weight";

const atTop: Readonly<Record<string, string>> = {
  global_defs: "unknown key: keepalived's global_defs is called global here",
  vrrp_script: asCheck("script"),
  vrrp_track_process: asCheck("process"),
  track_file: asCheck("file"),
  vrrp_track_file: asCheck("file"),
  bfd_instance: later,
  ssl: "unknown key: each check of type http has its own tls_ca, tls_cert and tls_key",
  virtual: "unknown key: write virtual_server:, a name below it, and its keys below the name",
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
  enable_script_security: "not needed: script_security is on unless it is set to false",
  notify_fifo_script: "not supported: run the reader of the FIFO as a service of its own",
  vrrp_notify_fifo_script: "not supported: run the reader of the FIFO as a service of its own",
  vrrp_notify_priority_changes: "not supported: scripts and FIFOs are told of transitions",
  fifo_write_vrrp_states_on_reload: "not supported: a reload is no transition; viprd status tells the states",
  set_supplementary_groups: "not supported: scripts get one group; write script_user: user:group for another one",
  startup_script: "not supported: use ExecStartPre= of the systemd unit",
  shutdown_script: "not supported: use ExecStopPost= of the systemd unit",
  smtp_alert: noMail,
  smtp_alert_vrrp: noMail,
  smtp_server: noMail,
  notification_email: noMail,
  notification_email_from: noMail,
  vrrp_down_timer_adverts:
    "not supported: the down interval is three advertisements and the skew (RFC 9568 section 6.1)",
  max_auto_priority: "not supported: use vrrp_rt_priority",
  lvs_flush: "not needed: what is in the kernel's table is taken over and put right, entry by entry",
  lvs_flush_on_stop: "unknown key: write on_stop: remove in virtual_server; keep is the default",
  lvs_notify_fifo_script: "not supported: run the reader of the FIFO as a service of its own",
  smtp_alert_checker: noMail,
  checker_priority: "not needed: checks have a process of their own, which cannot delay VRRP",
  checker_rt_priority: "not needed: checks have a process of their own, which cannot delay VRRP",
};

const inInstance: Readonly<Record<string, string>> = {
  state:
    "not needed: every router starts as backup and the election decides; remove it, and give the preferred router the higher priority",
  use_ipvlan: later,
  track_interface:
    "unknown key: write track: and below it - interface: NAME, with priority: -60 for keepalived's weight -60",
  track_script: asTrack,
  track_file: asTrack,
  track_process: asTrack,
  track_bfd: later,
  no_accept: "unknown key: write accept: false",
  notify_master:
    "unknown key: keepalived's notify_master is called notify_active here; scripts still get the word MASTER",
  notify_master_rx_lower_pri:
    "not supported: a lesser router that believes it is active is told in the log and by viprd events",
  notify_deleted: "not needed: an instance that a reload removes is told as STOP; use notify_stop",
  notify_priority_changes: "not supported: scripts and FIFOs are told of transitions",
  smtp_alert: noMail,
  auth_pass: "belongs inside authentication: write authentication: with auth_type: PASS and auth_pass: below it",
  auth_type: "belongs inside authentication: write authentication: with auth_type: PASS and auth_pass: below it",
  garp_lower_prio_delay:
    "unknown key: there is no second burst after a lesser router; garp_lower_prio_repeat is the count of the first",
  gna_interval: "unknown key: garp_interval counts for gratuitous ARP and neighbour advertisements",
  v3_checksum_as_v2: "unknown key: write v3_checksum: message; with the default auto it settles by itself",
  skip_check_adv_addr: "unknown key: use check_adv_addr, which is off by default",
  check_unicast_src: "not needed: advertisements from addresses that are not in unicast_peer are always refused",
  strict_mode: "unknown key: rules of the RFC are always kept; what may be relaxed has a key of its own",
  native_ipv6: "not needed: the family follows from the addresses",
  dont_track_primary: "not supported: an instance cannot run without its interface",
  down_timer_adverts: "not supported: the down interval is three advertisements and the skew (RFC 9568 section 6.1)",
  unicast_fault_no_peer: "not needed: unicast_peer decides between unicast and multicast",
  debug: "not needed: use --log-level debug",
};

const everywhere: Readonly<Record<string, string>> = {
  "<<": "YAML merge keys are not supported: repeat the keys, or use an anchor for each value",
  via_vip:
    "only in a check of type tcp or http that stands in a virtual_server or real_server: there it is known which service leads to the server",
  include: "include stands at the top of a file, not inside a block",
};

/** Names that other programs, or people in a hurry, use for keys of ours. */
const synonyms: Readonly<Record<string, string>> = {
  vrrp_instances: "vrrp_instance",
  instances: "vrrp_instance",
  instance: "vrrp_instance",
  vrid: "virtual_router_id",
  id: "virtual_router_id",
  router: "virtual_router_id",
  prio: "priority",
  interval: "advert_int",
  advertisement_interval: "advert_int",
  iface: "interface",
  device: "interface",
  dev: "interface",
  addresses: "virtual_ipaddress",
  virtual_addresses: "virtual_ipaddress",
  virtual_ipaddresses: "virtual_ipaddress",
  virtual_ip: "virtual_ipaddress",
  virtual_ips: "virtual_ipaddress",
  vip: "virtual_ipaddress",
  vips: "virtual_ipaddress",
  peers: "unicast_peer",
  key: "keys",
  window: "time_window",
  unicast_peers: "unicast_peer",
  weight: "priority",
  scheduler: "lvs_sched",
  method: "lvs_method",
  real: "real_server",
  real_servers: "real_server",
  servers: "real_server",
  checks: "check",
  virtual_servers: "virtual_server",
  persistence: "persistence_timeout",
  members: "group",
  vrrp_sync_groups: "vrrp_sync_group",
  sync_group: "vrrp_sync_group",
  user: "username",
  login: "username",
  bind_dn: "username",
  passwd: "password",
  pass: "password",
  sql: "query",
  db: "database",
  helo: "helo_name",
  ehlo: "helo_name",
  ip: "address",
  addr: "address",
  uri: "path",
  status: "status_code",
};

export interface Advice {
  readonly message: string;
  /** The known key that was meant. */
  readonly meant?: string;
}

export function adviceForKey(key: string, known: readonly string[], path: Path): Advice | undefined {
  const word = key.toLowerCase().replace(/-/g, "_");
  const message = own(wordsAt(path), word) ?? own(everywhere, key) ?? adviceForBlock(key, path);
  if (message !== undefined) return { message };
  const candidates = [own(synonyms, word) ?? "", `vrrp_${word}`, word.replace(/^vrrp_/, "")];
  const meant = candidates.find((candidate) => known.includes(candidate));
  if (meant !== undefined) return { message: `unknown key, did you mean ${meant}?`, meant };
  if (path.length === 0 && (Object.hasOwn(inInstance, word) || instanceWords.has(word))) {
    return {
      message: `belongs inside vrrp_instance: write vrrp_instance:, a name below it, and ${key} below the name`,
    };
  }
  // "vrrp_instance VI_1:" as in keepalived.
  if (path.length === 0 && /^vrrp_instance\s+\S+$/.test(key)) {
    return { message: "write vrrp_instance: alone, and the name with its colon on the next line, indented" };
  }
  if (known.includes("address") && parseAddress(key) !== undefined) {
    return { message: `an address is no key: write address: ${key}`, meant: "address" };
  }
  if (known.includes("address") && key.endsWith(":")) {
    return { message: `YAML takes the last colon for the end of a key: write "${key}:" in quotes`, meant: "address" };
  }
  return undefined;
}

function wordsAt(path: Path): Readonly<Record<string, string>> {
  if (path[0] === undefined) return atTop;
  if (path[0] === "global" && path.length === 1) return inGlobal;
  return path[0].toString().startsWith("vrrp_") && path.length === 2 ? inInstance : lvsWords(path);
}

function own(table: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

const instanceWords = new Set([
  "interface",
  "virtual_router_id",
  "priority",
  "advert_int",
  "virtual_ipaddress",
  "authentication",
  "auth_hmac",
]);
