/** What the supervisor and its children say to each other over Node's IPC channel. Each message is small. */
import type { Verdict } from "../healthchecks/health.ts";
import type { NamedVerdict } from "../healthchecks/health-checks.ts";
import type { CheckParameters } from "../healthchecks/parameters.ts";
import type { CheckStatus } from "../healthchecks/status.ts";
import type { LatenessStatus } from "../socket/lateness.ts";
import type { GroupStatus } from "../vrrp/group-status.ts";
import type { InstanceParameters, ProcessParameters, SyncGroupParameters } from "../vrrp/parameters.ts";
import type { StaticParameters } from "../vrrp/routing-parameters.ts";
import type {
  InstanceStatus,
  InterfaceStatus,
  SettingStatus,
  StallStatus,
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
  /** All of the first configuration has been sent. */
  | { readonly type: "start" }
  /** Asks for one status message per check, then a "status-end". Without checks it is asked whether anybody listens. */
  | { readonly type: "status"; readonly id: number; readonly checks: boolean }
  /** End every run, say "stopped" and exit. */
  | { readonly type: "stop" };

export type FromChecks =
  | ({ readonly type: "verdict" } & NamedVerdict)
  | { readonly type: "status"; readonly id: number; readonly check: CheckStatus }
  /** How late runs began since the process was started. */
  | { readonly type: "status-end"; readonly id: number; readonly lateness: LatenessStatus };
