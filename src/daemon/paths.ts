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

export function controlSocket(runtimeDirectory: string): string {
  return join(runtimeDirectory, "control.sock");
}
