/** Where the daemon's files are. */
import { join } from "node:path";

export function pidFile(runtimeDirectory: string): string {
  return join(runtimeDirectory, "viprd.pid");
}

export function controlSocket(runtimeDirectory: string): string {
  return join(runtimeDirectory, "control.sock");
}
