/** What the supervisor and its children say to each other over Node's IPC channel. Each message is small. */
import type { Verdict } from "../healthchecks/health.ts";
import type { NamedVerdict } from "../healthchecks/health-checks.ts";
import type { CheckParameters } from "../healthchecks/parameters.ts";
import type { CheckStatus } from "../healthchecks/status.ts";
import type { AdminEntry, LvsParameters } from "../lvs/parameters.ts";
import type { LvsEvent, LvsStatus, RealServerStatus, VirtualServerStatus } from "../lvs/status.ts";
import type { LatenessStatus } from "../socket/lateness.ts";
import type { GroupStatus } from "../vrrp/group-status.ts";
import type { InstanceParameters, ProcessParameters, SyncGroupParameters } from "../vrrp/parameters.ts";
import type { StaticParameters } from "../vrrp/routing-parameters.ts";
import type {
  InstanceStatus,
  InterfaceStatus,
  SettingStatus,
  StallStatus,
  StateName,
  StaticStatus,
  VrrpEvent,
} from "../vrrp/status.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";

export type ToVrrp =
  | { readonly type: "process"; readonly parameters: ProcessParameters }
  /** Adds the instance, or changes the running one of that name without leaving its state where that is possible. */
  | { readonly type: "configure"; readonly parameters: InstanceParameters }
  /** What is held whatever the roles are, whole; without parameters, nothing. */
  | { readonly type: "statics"; readonly parameters?: StaticParameters }
  /** All sync groups there are from now on. Members may come later. */
  | { readonly type: "groups"; readonly groups: readonly SyncGroupParameters[] }
  /** Gives up the role and forgets the instance. */
  | { readonly type: "remove"; readonly name: string; readonly why: string }
  /** All of the first configuration has been sent: sweep left-overs of an earlier run, then start. */
  | { readonly type: "start" }
  /** A check found something else than before, or is new; for all of them after "configure" and before "start". */
  | { readonly type: "verdict"; readonly check: string; readonly up: boolean | null; readonly reason: string }
  /** Asks for one status message per instance, then a "status-end". */
  | { readonly type: "status"; readonly id: number; readonly instance?: string }
  /** Give up every role, remove what is ours, say "stopped" and exit. */
  | { readonly type: "stop" };

/** What every child says, whatever its role. */
export type FromChild =
  /** Message handlers are installed; configuration may come. */
  | { readonly type: "ready" }
  /** It obeyed "start": what it was told to run runs, or has told a reason why not. */
  | { readonly type: "started" }
  | {
      readonly type: "log";
      readonly level: LogLevel;
      readonly instance?: string;
      readonly message: string;
      readonly fields?: Readonly<Record<string, unknown>>;
    }
  | { readonly type: "stopped" };

/** What came up in one turn of the loop: one write instead of many. In order. */
export interface Batch<Message> {
  readonly type: "batch";
  readonly messages: readonly Message[];
}

export type FromVrrp =
  | { readonly type: "event"; readonly event: VrrpEvent }
  | { readonly type: "status"; readonly id: number; readonly instance: InstanceStatus }
  | {
      readonly type: "status-end";
      readonly id: number;
      readonly interfaces: readonly InterfaceStatus[];
      readonly settings: readonly SettingStatus[];
      readonly statics: StaticStatus;
      readonly groups: readonly GroupStatus[];
      readonly dropped: number;
      readonly lateness: Lateness;
    };

/** How late timers of the VRRP process fired since it started, in milliseconds. */
export interface Lateness extends LatenessStatus {
  /** Times the process was not run for longer than two advertisement intervals, and for how long together. */
  readonly stalls: number;
  readonly stalled_ms: number;
  readonly last_stall: StallStatus | null;
}

export type ToChecks =
  /**
   * Adds the check, or changes the running one of that name. `known` is the verdict in force from before a restart of
   * the process.
   */
  | { readonly type: "configure"; readonly parameters: CheckParameters; readonly known?: Verdict }
  | { readonly type: "remove"; readonly name: string }
  /** The whole of what the load balancer is to do from now on. `tracked`: checks that instances and groups go by as well. */
  | { readonly type: "lvs"; readonly parameters: LvsParameters; readonly tracked: readonly string[] }
  /** The file was read again, and says the same of the load balancer. */
  | { readonly type: "lvs-again" }
  /** All that the operator says about servers from now on. */
  | { readonly type: "admin"; readonly entries: readonly AdminEntry[] }
  /** The state of an instance of ours; before "start" for all that are known, then whenever one changes. */
  | { readonly type: "instance"; readonly name: string; readonly state: StateName }
  /** All of the first configuration has been sent. */
  | { readonly type: "start" }
  /** Asks for any number of status messages, then a "status-end". Without `about` it is asked whether anybody listens. */
  | { readonly type: "status"; readonly id: number; readonly about?: ChecksQuestion }
  /** End every run, leave the table of the load balancer as it is wanted when viprd stops, say "stopped" and exit. */
  | { readonly type: "stop" };

export interface ChecksQuestion {
  readonly checks: boolean;
  /** Of one virtual server, of all, or of none and nothing else of the load balancer. */
  readonly virtualServers: "all" | "none" | { readonly name: string };
}

export type FromChecks =
  | ({ readonly type: "verdict" } & NamedVerdict)
  | { readonly type: "lvs-event"; readonly event: LvsEvent }
  | { readonly type: "status"; readonly id: number; readonly part: ChecksPart }
  /** How late runs began since the process was started. */
  | { readonly type: "status-end"; readonly id: number; readonly lateness: LatenessStatus };

/** A piece of the status: none is large, however many checks and servers there are. */
export type ChecksPart =
  | { readonly of: "check"; readonly check: CheckStatus }
  | { readonly of: "lvs"; readonly lvs: Omit<LvsStatus, "virtual_servers"> }
  | { readonly of: "virtual_server"; readonly virtual_server: Omit<VirtualServerStatus, "servers"> }
  /** Of the virtual server that was told last. */
  | { readonly of: "server"; readonly server: RealServerStatus };
