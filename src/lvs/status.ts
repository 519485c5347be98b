/** What the load balancer tells about itself: the snapshot behind `viprd status` and the events behind `viprd events`. */
import type { Traffic } from "./table.ts";

/** What is so of a server, by its checks and by what was said about it. */
export type ServerState =
  /** No check has a result yet: it stays as it is found. */
  | "unknown"
  | "up"
  | "down"
  /** Gets nothing new, keeps what it has. */
  | "draining"
  | "maintenance"
  /** No longer in the file; goes when its connections have ended or its time is over. */
  | "leaving";

export interface VirtualServerStatus {
  readonly name: string;
  /** "tcp 192.0.2.10:443", "fwmark 7 ipv4" */
  readonly services: readonly ServiceStatus[];
  readonly scheduler: string;
  /** "unknown" while nobody can tell. */
  readonly state: "up" | "quorum_lost" | "down" | "unknown";
  /** Why, in words. */
  readonly reason: string;
  /** ISO 8601 time of the last change of the state. */
  readonly since: string;
  readonly quorum: { readonly required: number; readonly hysteresis: number; readonly weight_up: number };
  readonly sorry_server: SorryServerStatus | null;
  /** Failures are not acted upon: too few servers would be left. */
  readonly panic: boolean;
  readonly suspended: boolean;
  readonly servers: readonly RealServerStatus[];
  /** Destinations in its services that nobody declared and that are left alone, as text. */
  readonly foreign: readonly string[];
}

export interface SorryServerStatus {
  readonly name: string;
  readonly standing_in: boolean;
  /** As it was read from the table; null when it is not there. */
  readonly kernel_weight: number | null;
  readonly active_connections: number;
  readonly inactive_connections: number;
  /** No longer needed, it keeps its connections until then at most; ISO 8601, null when it is not leaving. */
  readonly until: string | null;
}

export interface ServiceStatus {
  readonly address: string;
  /** It is in the kernel's table. */
  readonly present: boolean;
  readonly traffic: TrafficStatus;
}

export interface RealServerStatus {
  /** "192.0.2.21:443" */
  readonly name: string;
  readonly state: ServerState;
  readonly reason: string;
  readonly since: string;
  readonly method: string;
  /** In the file. */
  readonly configured_weight: number;
  /** As it should be in the table now; null when it should not be there. */
  readonly desired_weight: number | null;
  /** As it was read from the table; null when it is not there. */
  readonly kernel_weight: number | null;
  /** What its checks say of the weight of a server that is up, and how it grows after a failure; null when it is that of the file. */
  readonly weight_reason: string | null;
  /** Over all services of its virtual server. */
  readonly active_connections: number;
  readonly inactive_connections: number;
  readonly persistent_connections: number;
  readonly traffic: TrafficStatus;
  readonly checks: readonly { readonly name: string; readonly up: boolean | null; readonly reason: string }[];
  /** What an operator said about it. */
  readonly admin: readonly AdminStatus[];
  /** The last changes, the newest at the end. */
  readonly changes: readonly { readonly at: string; readonly state: ServerState; readonly reason: string }[];
  /** What the counters of the kernel suggest, in words; nothing follows from them. */
  readonly hints: readonly string[];
}

export interface AdminStatus {
  /** "drain", "maintenance", "weight 5", "weight 50%" */
  readonly what: string;
  readonly by: string;
  readonly reason: string | null;
  readonly since: string;
  readonly until: string | null;
}

export interface TrafficStatus {
  readonly connections: number;
  readonly packets_in: number;
  readonly packets_out: number;
  readonly bytes_in: number;
  readonly bytes_out: number;
  readonly connections_per_second: number;
  readonly packets_in_per_second: number;
  readonly packets_out_per_second: number;
  readonly bytes_in_per_second: number;
  readonly bytes_out_per_second: number;
}

/** What the balancer knows: the table and what is wanted in it. */
export interface TableStatus {
  readonly virtual_servers: readonly VirtualServerStatus[];
  /** Services in the table that nobody declared here, as text: never touched. */
  readonly unmanaged: readonly string[];
  readonly drift: { readonly found: number; readonly repaired: number; readonly last: string | null };
  /** Requests that the kernel refused since the start, by name of the error. */
  readonly errors: Readonly<Record<string, number>>;
  /** Why the table cannot be reached or kept, in words; null when all is well. */
  readonly trouble: string | null;
}

export interface SyncDaemonStatus {
  readonly role: "master" | "backup";
  readonly interface: string;
  readonly sync_id: number;
  /** "viprd": ends with it; "found": ran before, with these parameters, and is left when viprd ends; "other": nobody declared it here. */
  readonly from: "viprd" | "found" | "other";
}

/** What is around the table: `LvsHost`. */
export interface LvsHostStatus {
  /** Null when the kernel cannot be asked. */
  readonly kernel: {
    readonly release: string;
    readonly ipvs_version: string;
    /** Buckets of the connection table. */
    readonly connection_table_size: number;
  } | null;
  readonly sync_daemons: readonly SyncDaemonStatus[];
  readonly timeouts_s: { readonly tcp: number; readonly tcp_fin: number; readonly udp: number } | null;
  /** Kernel settings that viprd made, timeouts among them, and what they were before. */
  readonly settings: readonly { readonly name: string; readonly value: string; readonly before: string }[];
  /** What of this host does not go with the configuration: what breaks, and what mends it. */
  readonly findings: readonly LvsFindingStatus[];
  /** What was wanted and could not be done, in words. */
  readonly problems: readonly string[];
  /** By virtual server: the same on all directors that are to balance in the same way. */
  readonly digests: Readonly<Record<string, string>>;
}

export interface LvsFindingStatus {
  /** "warning": something breaks; "note": worth knowing. */
  readonly level: "warning" | "note";
  readonly message: string;
}

export type LvsStatus = TableStatus & LvsHostStatus;

/** All in the words of the status. */
export type LvsEvent = { readonly at: string } & (
  | {
      readonly type: "server";
      readonly virtual_server: string;
      readonly server: string;
      readonly from: ServerState;
      readonly to: ServerState;
      readonly reason: string;
    }
  | { readonly type: "quorum"; readonly virtual_server: string; readonly up: boolean; readonly reason: string }
  | {
      readonly type: "sorry_server";
      readonly virtual_server: string;
      readonly standing_in: boolean;
      readonly reason: string;
    }
  /** Somebody else changed the table. */
  | { readonly type: "drift"; readonly virtual_server: string; readonly repaired: boolean; readonly message: string }
  | { readonly type: "lvs_warning"; readonly virtual_server?: string; readonly message: string }
);

export function trafficStatus(traffic: Traffic): TrafficStatus {
  return {
    connections: traffic.connections,
    packets_in: traffic.packetsIn,
    packets_out: traffic.packetsOut,
    bytes_in: traffic.bytesIn,
    bytes_out: traffic.bytesOut,
    connections_per_second: traffic.connectionsPerSecond,
    packets_in_per_second: traffic.packetsInPerSecond,
    packets_out_per_second: traffic.packetsOutPerSecond,
    bytes_in_per_second: traffic.bytesInPerSecond,
    bytes_out_per_second: traffic.bytesOutPerSecond,
  };
}
