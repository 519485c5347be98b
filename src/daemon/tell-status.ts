/** Asks whoever knows for the status, and makes one document of it. */
import { usersOfChecks } from "../config/check-users.ts";
import type { Config } from "../config/config.ts";
import type { CheckStatus } from "../healthchecks/status.ts";
import type { Bulletin } from "./bulletin.ts";
import type { ChecksProcess } from "./checks-process.ts";
import type { ChecksQuestion } from "./messages.ts";
import {
  assembleStatus,
  type CheckReport,
  type ConfigStatus,
  isAbout,
  type StatusDocument,
  type StatusScope,
} from "./status.ts";
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

export async function tellStatus(sources: StatusSources, scope: StatusScope): Promise<StatusDocument> {
  const { vrrp, checks, inForce, bulletin } = sources;
  const { config } = inForce;
  const told = await checks.status(questionAbout(scope));
  const supervisor = {
    viprd: sources.version,
    routerId: config.global.routerId,
    pid: process.pid,
    started: sources.started.toISOString(),
    config: inForce.status(),
    process: vrrp.describe(),
    checksProcess: checks.describe(),
    instances: config.instances,
    checks: reports(told.checks, config),
    checksLateness: told.lateness,
    lvs: told.lvs,
    ...(config.statics === undefined ? {} : { statics: config.statics }),
    notify: bulletin.notify.status(),
  };
  try {
    // No instance has an empty name.
    const reply = await vrrp.status(isAbout(scope) ? (scope.instance ?? "") : undefined);
    return assembleStatus(supervisor, reply, scope);
  } catch (error) {
    const process = vrrp.describe();
    // One that runs and does not answer is a failure; one that does not run is what the status has to tell.
    if (process.state === "running" || !(error instanceof NoAnswer)) throw error;
    return assembleStatus({ ...supervisor, process }, `the vrrp process is ${process.state}`, scope);
  }
}

function questionAbout(scope: StatusScope): ChecksQuestion {
  if (!isAbout(scope)) return { checks: true, virtualServers: "all" };
  const { virtualServer: name } = scope;
  return { checks: true, virtualServers: name === undefined ? "none" : { name } };
}

function reports(checks: readonly CheckStatus[], config: Config): CheckReport[] {
  if (checks.length === 0) return [];
  const users = usersOfChecks(config);
  return checks.map((check) => ({ ...check, used_by: users.get(check.name) ?? [] }));
}
