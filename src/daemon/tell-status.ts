/** Asks whoever knows for the status, and makes one document of it. */
import { usersOfChecks } from "../config/check-users.ts";
import type { Config } from "../config/config.ts";
import type { Bulletin } from "./bulletin.ts";
import type { ChecksProcess } from "./checks-process.ts";
import { assembleStatus, type ConfigStatus, type StatusDocument } from "./status.ts";
import { NoAnswer } from "./status-requests.ts";
import type { VrrpProcess } from "./vrrp-process.ts";

export interface StatusSources {
  readonly version: string;
  readonly started: Date;
  readonly inForce: { readonly config: Config; status(): ConfigStatus };
  readonly vrrp: Pick<VrrpProcess, "describe" | "status">;
  readonly checks: Pick<ChecksProcess, "describe" | "status">;
  readonly bulletin: Pick<Bulletin, "notify">;
}

export async function tellStatus(sources: StatusSources, instance: string | undefined): Promise<StatusDocument> {
  const { vrrp, checks, inForce, bulletin } = sources;
  const { config } = inForce;
  const users = usersOfChecks(config);
  const told = await checks.status();
  const supervisor = {
    viprd: sources.version,
    routerId: config.global.routerId,
    pid: process.pid,
    started: sources.started.toISOString(),
    config: inForce.status(),
    process: vrrp.describe(),
    checksProcess: checks.describe(),
    instances: config.instances,
    checks: told.checks.map((check) => ({ ...check, used_by: users.get(check.name) ?? [] })),
    checksLateness: told.lateness,
    ...(config.statics === undefined ? {} : { statics: config.statics }),
    notify: bulletin.notify.status(),
  };
  try {
    return assembleStatus(supervisor, await vrrp.status(instance), instance);
  } catch (error) {
    const process = vrrp.describe();
    // One that runs and does not answer is a failure; one that does not run is what the status has to tell.
    if (process.state === "running" || !(error instanceof NoAnswer)) throw error;
    return assembleStatus({ ...supervisor, process }, `the vrrp process is ${process.state}`, instance);
  }
}
