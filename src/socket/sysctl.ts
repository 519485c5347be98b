/** Kernel settings of this network namespace under /proc/sys. */
import { readFileSync, writeFileSync } from "node:fs";

/** "net/ipv4/conf/eth0/promote_secondaries" → "0"; undefined when there is no such setting. */
export function readSetting(path: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${path}`, "utf8").trim();
  } catch {
    // Absent with its interface, or hidden from this process: either way there is nothing to compare with.
    return undefined;
  }
}

/** Throws the error of the file system. */
export function writeSetting(path: string, value: string): void {
  writeFileSync(`/proc/sys/${path}`, value);
}
