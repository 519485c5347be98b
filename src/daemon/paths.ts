/** Where the daemon's files are. */
import { join } from "node:path";

export function pidFile(runtimeDirectory: string): string {
  return join(runtimeDirectory, "viprd.pid");
}

/** Kernel settings that were changed, for the run after a kill. */
export function settingsNote(runtimeDirectory: string): string {
  return join(runtimeDirectory, "settings.json");
}

/** Instances that are out of service, for the next run. */
export function maintenanceNote(runtimeDirectory: string): string {
  return join(runtimeDirectory, "maintenance.json");
}

/** What was said about servers of the load balancer, for the next run. */
export function serversNote(runtimeDirectory: string): string {
  return join(runtimeDirectory, "servers.json");
}

/** What was changed for the load balancer and is to be put back, for the run after a kill. */
export function lvsNote(runtimeDirectory: string): string {
  return join(runtimeDirectory, "lvs.json");
}

/** What of the table of the load balancer is ours, for a checks process that is started again. */
export function tableNote(runtimeDirectory: string): string {
  return join(runtimeDirectory, "lvs-table.json");
}

export function controlSocket(runtimeDirectory: string): string {
  return join(runtimeDirectory, "control.sock");
}
