/** The checked configuration: what the daemon is given. Every value is resolved, defaults included. */
import type { CheckParameters } from "../healthchecks/parameters.ts";
import type { LvsParameters } from "../lvs/parameters.ts";
import type { InstanceParameters, ProcessParameters, SyncGroupParameters } from "../vrrp/parameters.ts";
import type { StaticParameters } from "../vrrp/routing-parameters.ts";
import type { VirtualServerNotify } from "./lvs-notify.ts";
import type { NotifyConfig } from "./notify.ts";

export interface GlobalConfig {
  readonly routerId: string;
  /** `user` or `user:group`. */
  readonly scriptUser?: string;
  /** Scripts that others could have changed are not run. */
  readonly scriptSecurity: boolean;
  readonly process: ProcessParameters;
}

export interface Config {
  readonly global: GlobalConfig;
  /** In file order. */
  readonly instances: readonly InstanceParameters[];
  /** Those of the file in its order, then those that virtual servers brought. */
  readonly checks: readonly CheckParameters[];
  /** In file order; absent without any. */
  readonly groups?: readonly SyncGroupParameters[];
  /** Held whatever the roles are. */
  readonly statics?: StaticParameters;
  /** Nobody is told when it is missing. */
  readonly notify?: NotifyConfig;
  /** What the kernel balances; absent when there is nothing of it. */
  readonly lvs?: LvsParameters;
  /** Who is told of real servers and of a quorum, in file order; absent without any. */
  readonly lvsNotify?: readonly VirtualServerNotify[];
}
