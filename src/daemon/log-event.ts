/** Each event of the VRRP process as one log line, in the words the status and the scripts use. */
import type { VrrpEvent } from "../vrrp/status.ts";
import type { Log } from "./log.ts";

export function logEvent(log: Log, event: VrrpEvent): void {
  const about = "instance" in event ? { instance: event.instance } : "group" in event ? { group: event.group } : {};
  if (event.type === "transition" || event.type === "group_transition" || event.type === "priority")
    log.info(describeEvent(event), about);
  else log.warn(describeEvent(event), about);
}

/** "backup → active: no advertisement from 192.0.2.11 for 3.61 s" */
export function describeEvent(event: VrrpEvent): string {
  if (event.type === "group_transition") return `${event.from} → ${event.to}: ${event.reason}`;
  if (event.type !== "transition") return event.message;
  const family = event.family === undefined ? "" : `ipv${event.family} `;
  return `${family}${event.from} → ${event.to}: ${event.reason}`;
}
