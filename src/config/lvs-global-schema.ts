/** What `global` says about load balancing: the kernel's own settings, which all virtual servers share. */
import { z } from "zod";
import { required, standard, unset } from "./keys.ts";
import { address, duration, interfaceName, oneOf, text, whole } from "./kinds.ts";
import { settingValue, wholeSeconds } from "./lvs-kinds.ts";
import { nearest } from "./suggest.ts";

const second = 1000;
const day = 24 * 3600 * second;
/** The kernel counts in its ticks, at most 1000 a second, in 31 bits. */
const longest = 24 * day;

export const timeoutsBlock = z.strictObject({
  tcp: unset(
    wholeSeconds(second, longest),
    "left as it is",
    "How long an idle TCP connection is remembered. Linux: 15 minutes.",
  ),
  tcpfin: unset(wholeSeconds(second, longest), "left as it is", "The same after a FIN. Linux: 2 minutes."),
  udp: unset(
    wholeSeconds(second, longest),
    "left as it is",
    "How long after its last packet a UDP flow is remembered. Linux: 5 minutes.",
  ),
});

export const syncDaemonBlock = z.strictObject({
  interface: required(interfaceName(), "Interface that the other directors are on."),
  instance: unset(
    text("the name of a vrrp_instance", (value) => (value === "" ? "" : undefined)),
    "none: it sends and receives at once",
    "Sends while this instance is active, and receives always; with backup_only, either the one or the other.",
  ),
  syncid: unset(whole(0, 255), "the VRID of instance, else 0", "The same on all directors that belong together."),
  maxlen: unset(whole(1, 65_507), "the kernel's choice", "Bytes of one message; not smaller where they are received."),
  group: standard(address(), "224.0.0.81", "Multicast group."),
  port: standard(whole(1, 65_535), 8848, "UDP port."),
  ttl: standard(whole(1, 255), 1, "TTL or hop limit."),
});

/** Below net.ipv4.vs; newer kernels have more, which can be written in full. */
const ipvsSettings = [
  "am_droprate",
  "amemthresh",
  "backup_only",
  "cache_bypass",
  "conn_reuse_mode",
  "conntrack",
  "drop_entry",
  "drop_packet",
  "est_cpulist",
  "est_nice",
  "expire_nodest_conn",
  "expire_quiescent_template",
  "ignore_tunneled",
  "nat_icmp_send",
  "pmtu_disc",
  "run_estimation",
  "schedule_icmp",
  "secure_tcp",
  "sloppy_sctp",
  "sloppy_tcp",
  "snat_reroute",
  "sync_persist_mode",
  "sync_ports",
  "sync_qlen_max",
  "sync_refresh_period",
  "sync_retries",
  "sync_sock_size",
  "sync_threshold",
  "sync_version",
];

// As sysctl(8) has it, a dot in the name of an interface is written as a slash.
const fullName = /^net(\.[A-Za-z0-9_:-]+(\/[A-Za-z0-9_:-]+)*){2,}$/;
const settingName = text("a setting of IPVS by its name, or one from net. on", (value) => {
  if (ipvsSettings.includes(value) || fullName.test(value)) return undefined;
  if (value === "profile") return undefined;
  const near = nearest(value, ipvsSettings);
  if (near !== undefined) return `did you mean ${near}?`;
  return /^[a-z_]+$/.test(value) ? `write net.ipv4.vs.${value} if the kernel has it` : "";
});

export const sysctlProfiles = ["recommended", "ecmp"] as const;
export type SysctlProfile = (typeof sysctlProfiles)[number];
export const sysctlProfile = oneOf(...sysctlProfiles);

export const lvsGlobalKeys = {
  lvs_timeouts: unset(
    timeoutsBlock.meta({ "x-bounds": "a map, see below" }),
    "left as they are",
    "How long the kernel remembers idle connections. Put back at the end.",
  ),
  lvs_sync_daemon: unset(
    syncDaemonBlock.meta({ "x-bounds": "a map, see below" }),
    "none",
    "Connections are told to the other directors, which go on with them after a failover.",
  ),
  lvs_reconcile_interval: standard(
    duration(second, 3600 * second),
    "10s",
    "Time between two looks at the kernel's table, for what others have changed in it.",
  ),
  lvs_sysctl: unset(
    z
      .union([sysctlProfile, z.record(settingName, settingValue())])
      .meta({ "x-bounds": "recommended, ecmp, or a map of names and values" }),
    "none",
    "Settings of the kernel that are made while viprd runs, and put back: what fits the file (recommended; ecmp for directors that share flows by routing), or a map: those of IPVS by name, others from net. on, and profile: with one of the two words.",
  ),
};
