/**
 * What the load balancer is told to do: the shape the configuration fills in and the checks process obeys.
 * Plain values that survive JSON; every field is resolved, defaults included. Durations are milliseconds.
 */
import type { Family } from "../wire/address.ts";

/** Milliseconds, fractions allowed. */
export type Milliseconds = number;

export type Protocol = "tcp" | "udp" | "sctp";

/** What identifies a service in the kernel: an address with protocol and port, or a mark that a packet filter set. */
export type ServiceAddress =
  | {
      readonly kind: "address";
      readonly family: Family;
      readonly protocol: Protocol;
      /** Text in canonical form. */
      readonly address: string;
      /** 0: all ports, only with persistence. */
      readonly port: number;
    }
  | { readonly kind: "mark"; readonly family: Family /** 1..2^32-1 */; readonly mark: number };

/** How a packet gets to a server. */
export type Forwarding =
  | { readonly method: "nat" }
  | { readonly method: "dr" }
  | { readonly method: "tun"; readonly tunnel: Tunnel };

export type Tunnel =
  | { readonly type: "ipip" }
  | { readonly type: "gre"; readonly checksum: TunnelChecksum }
  | { readonly type: "gue"; readonly port: number; readonly checksum: TunnelChecksum };

/** "remcsum" for gue only. */
export type TunnelChecksum = "nocsum" | "csum" | "remcsum";

export interface SchedulerParameters {
  /** The kernel's name, e.g. "wlc"; the module ip_vs_NAME has it. */
  readonly name: string;
  /** mh and sh: a server of weight 0 is passed over instead of refusing the client. */
  readonly fallback: boolean;
  /** mh and sh: the client's port counts as well. */
  readonly port: boolean;
  /** The scheduler's flags 1 to 3 as the kernel knows them, when they are set by number. */
  readonly flags: readonly (1 | 2 | 3)[];
}

export interface Persistence {
  readonly timeout: Milliseconds;
  /** Clients of one network count as one: IPv4 0..32, IPv6 1..128. */
  readonly prefixLength: number;
  /** Persistence by content instead of the client's address. */
  readonly engine?: "sip";
}

/** What happens to a server whose checks fail. */
export type FailurePolicy =
  /** Weight 0: its connections go on. */
  | { readonly action: "quiesce" }
  /** Taken out: its connections end. */
  | { readonly action: "remove" }
  /** Weight 0 first; taken out after that time, or when it has no connection left. */
  | { readonly action: "quiesce_then_remove"; readonly after: Milliseconds };

export interface RealServerParameters {
  /** "192.0.2.21:443", "[2001:db8::21]:443", with port 0 or none "192.0.2.21": unique within its virtual server. */
  readonly name: string;
  readonly family: Family;
  /** Text in canonical form. */
  readonly address: string;
  /** 0 for services by mark, and for services of all ports. Without one: that of the service, where those differ. */
  readonly port?: number;
  readonly forwarding: Forwarding;
  /** 0: it takes part, and gets nothing new. */
  readonly weight: number;
  /** Connections above which it gets nothing new; 0: no limit. */
  readonly upperThreshold: number;
  /** Connections below which it gets new ones again. */
  readonly lowerThreshold: number;
  /** Names of the checks it is up by: all of them have to be. Without any it is always up. */
  readonly checks: readonly string[];
  readonly onFailure: FailurePolicy;
  /** Down until its checks say otherwise; without it, up until they do. */
  readonly alpha: boolean;
}

export interface SorryServerParameters {
  readonly name: string;
  readonly family: Family;
  readonly address: string;
  /** As with a real server. */
  readonly port?: number;
  readonly forwarding: Forwarding;
  /** While it stands in, the real servers that are up stay in the table with weight 0. */
  readonly inhibit: boolean;
}

export interface VirtualServerParameters {
  /** Unique. */
  readonly name: string;
  /** One service of the kernel each, all with the same servers; in canonical order. */
  readonly services: readonly ServiceAddress[];
  readonly scheduler: SchedulerParameters;
  readonly persistence?: Persistence;
  /** UDP: every packet is scheduled by itself. */
  readonly onePacket: boolean;
  /** In canonical order, by address and port: all directors add them in the same one. */
  readonly servers: readonly RealServerParameters[];
  readonly sorryServer?: SorryServerParameters;
  /** Sum of the weights of the servers that are up. */
  readonly quorum: number;
  readonly hysteresis: number;
  /** The scripts of a quorum that is lost are run when viprd stops. */
  readonly omega: boolean;
  /** Failures take no more servers out once fewer than this share would be left, 0..100 per cent; 0: no such limit. */
  readonly panicThreshold: number;
  /** A server that comes back reaches its weight in steps over this time; 0: at once. */
  readonly slowStart: Milliseconds;
  /** How long a server that left the file keeps its connections. */
  readonly drainTimeout: Milliseconds;
  /** What is done about changes that somebody else made to its table. */
  readonly onDrift: "repair" | "report" | "ignore";
  /** What is left in the table when viprd stops. */
  readonly onStop: "keep" | "drain" | "remove";
  /** Its checks run only while this instance is active. */
  readonly suspendUnless?: string;
  /** More changes of a server than this within the time: it stays down until it was quiet for as long. */
  readonly flapDamping?: { readonly changes: number; readonly within: Milliseconds };
  /** It is there for these checks only, which run once it is in the table; it is neither shown nor drained. */
  readonly probedBy?: readonly string[];
}

export interface SyncDaemonParameters {
  readonly interface: string;
  /** Master while this instance is active, otherwise backup; without one, both at once. */
  readonly instance?: string;
  /** 0..255 */
  readonly syncId: number;
  /** Bytes of one message; without it the kernel's own choice. */
  readonly maximumLength?: number;
  /** Text, IPv4 or IPv6. */
  readonly group: string;
  readonly port: number;
  readonly ttl: number;
}

/** Seconds in the kernel; what is missing is left as it is. */
export interface TimeoutParameters {
  readonly tcp?: Milliseconds;
  readonly tcpFin?: Milliseconds;
  readonly udp?: Milliseconds;
}

export interface LvsParameters {
  /** In file order. */
  readonly virtualServers: readonly VirtualServerParameters[];
  /** Services by mark of one server each, through which checks go. */
  readonly probes?: readonly VirtualServerParameters[];
  readonly syncDaemon?: SyncDaemonParameters;
  readonly timeouts: TimeoutParameters;
  /** Kernel settings to make, by their path below /proc/sys with dots, e.g. "net.ipv4.vs.conn_reuse_mode". */
  readonly settings: Readonly<Record<string, string>>;
  /** Besides, those that fit what is configured; "ecmp": and those of directors that share flows. `settings` go before. */
  readonly settingsProfile?: "recommended" | "ecmp";
  /** Between two looks at the table of the kernel. */
  readonly reconcileInterval: Milliseconds;
}

/** What an operator said about a server; in force until it is taken back or its time is over. */
export interface AdminEntry {
  /** Text in canonical form. */
  readonly address: string;
  /** Without one: all ports of the address. */
  readonly port?: number;
  /** Name of a virtual server; without one: all that have it. */
  readonly service?: string;
  readonly what: /** Nothing new; connections go on. */
    | { readonly type: "drain" }
    /** Drained, and its checks do not count. */
    | { readonly type: "maintenance" }
    | { readonly type: "weight"; readonly weight: number }
    /** Of the weight in the file. */
    | { readonly type: "weight_percent"; readonly percent: number };
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly until?: number;
  /** "root (uid 0)", as far as it is known. */
  readonly by: string;
  readonly reason?: string;
}

/** What a check says about a server beyond up and down. */
export interface Advice {
  /** Of the weight in the file. */
  readonly weightPercent?: number;
  /** In place of the weight in the file. */
  readonly weight?: number;
  /** Added to the weight, which does not fall below 0 by it. */
  readonly weightOffset?: number;
  readonly mode?: "ready" | "drain" | "maint";
  /** In place of the upper threshold in the file. */
  readonly maxConnections?: number;
}
