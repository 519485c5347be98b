/**
 * Which sync daemons of the kernel run when (docs/decisions/0019): a backup always, so that nothing that another
 * director sends is missed, and beside it a master while the instance is active. The kernel throws away what a master
 * has not sent when it is stopped, so one whose role is over stays until that has gone out.
 */
import type { SyncDaemonParameters } from "./parameters.ts";
import type { KernelSyncDaemon, SyncRole } from "./table.ts";

/** A master keeps changes for up to two seconds and looks each second whether they are due. */
export const flushTime = 3200;

export interface SyncView {
  readonly wanted: SyncDaemonParameters | undefined;
  /** Why what is not wanted ends. */
  readonly unwanted: string;
  /** Role of the instance that it goes with; undefined until that is known. */
  readonly active: boolean | undefined;
  /** A master whose role is over has until then to send what it keeps. */
  readonly flushUntil: number;
  readonly running: readonly KernelSyncDaemon[];
  /** By viprd, this run or one before: what others started is left alone unless it is wanted here. */
  readonly started: ReadonlySet<SyncRole>;
  /**
   * `backup_only`: with it the kernel balances nothing while a backup runs, so an active director must not have one.
   */
  readonly backupOnly: boolean;
  /** Roles that run with something that a running one does not take over: another interface of the same name, ports. */
  readonly outdated: ReadonlySet<SyncRole>;
}

/** In this order. */
export type SyncStep =
  | { readonly type: "stop"; readonly role: SyncRole; readonly reason: string }
  | { readonly type: "start"; readonly daemon: KernelSyncDaemon; readonly reason: string };

export function syncSteps(view: SyncView, now: number): readonly SyncStep[] {
  const { wanted, unwanted, running, started, outdated } = view;
  if (wanted === undefined) {
    return running
      .filter(({ role }) => started.has(role))
      .map(({ role }) => ({ type: "stop", role, reason: unwanted }));
  }
  const roles = desiredRoles(view, wanted, now);
  const stops: SyncStep[] = [];
  const staying = new Set<SyncRole>();
  for (const daemon of running) {
    const { role } = daemon;
    const change = difference(daemon, wanted);
    if (!roles.includes(role)) stops.push({ type: "stop", role, reason: reasonFor(view, wanted) });
    else if (change !== undefined) stops.push({ type: "stop", role, reason: `it ran with ${change}` });
    else if (outdated.has(role)) stops.push({ type: "stop", role, reason: "it has to start anew" });
    else staying.add(role);
  }
  const starts = roles
    .filter((role) => !staying.has(role))
    .map((role): SyncStep => ({ type: "start", daemon: daemonOf(role, wanted), reason: reasonFor(view, wanted) }));
  return [...stops, ...starts];
}

/** When there is something to do without anything having happened. */
export function syncDeadline({ wanted, active, flushUntil, running }: SyncView, now: number): number | undefined {
  const flushing = wanted?.instance !== undefined && active === false && running.some(({ role }) => role === "master");
  return flushing && flushUntil > now ? flushUntil : undefined;
}

function desiredRoles(view: SyncView, wanted: SyncDaemonParameters, now: number): readonly SyncRole[] {
  const running = view.running.map(({ role }) => role);
  if (wanted.instance === undefined) return ["backup", "master"];
  switch (view.active) {
    case undefined:
      return running;
    case true:
      return view.backupOnly ? ["master"] : ["master", "backup"];
    case false:
      return running.includes("master") && now < view.flushUntil ? ["backup", "master"] : ["backup"];
  }
}

function reasonFor({ active }: SyncView, { instance }: SyncDaemonParameters): string {
  if (instance === undefined) return "it goes with no instance";
  return `${instance} is ${active === true ? "active" : "not active"}`;
}

export function daemonOf(role: SyncRole, { instance: _, ...parameters }: SyncDaemonParameters): KernelSyncDaemon {
  return { role, parameters };
}

/** What a running daemon has that is not as wanted. The kernel bends lengths to what it can use. */
export function difference({ role, parameters }: KernelSyncDaemon, wanted: SyncDaemonParameters): string | undefined {
  if (parameters.interface !== wanted.interface) return `interface ${parameters.interface}`;
  if (parameters.syncId !== wanted.syncId) return `sync id ${parameters.syncId}`;
  if (parameters.group !== wanted.group) return `group ${parameters.group}`;
  if (parameters.port !== wanted.port) return `port ${parameters.port}`;
  // Nothing is sent by a backup.
  if (role === "master" && parameters.ttl !== wanted.ttl) return `TTL ${parameters.ttl}`;
  if (wanted.maximumLength === undefined) return undefined;
  const headers = wanted.group.includes(":") ? 48 : 28;
  const length = Math.min(Math.max(wanted.maximumLength, role === "backup" ? 1024 : 1), 65535 - headers);
  return parameters.maximumLength === length ? undefined : `messages of ${parameters.maximumLength ?? "unknown"} bytes`;
}
