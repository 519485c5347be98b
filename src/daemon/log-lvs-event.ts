/** Each event of the load balancer as one log line, in the words the status and `viprd events` use. */
import type { LvsEvent } from "../lvs/status.ts";
import type { Log } from "./log.ts";

export function logLvsEvent(log: Log, event: LvsEvent): void {
  const { virtual_server: virtualServer } = event;
  const about = {
    ...(virtualServer === undefined ? {} : { virtual_server: virtualServer }),
    ...(event.type === "server" ? { server: event.server } : {}),
  };
  const text = virtualServer === undefined ? describeLvsEvent(event) : `${virtualServer}: ${describeLvsEvent(event)}`;
  log[isTrouble(event) ? "warn" : "info"](text, about);
}

/** "server 192.0.2.21:443 up → down: connect 192.0.2.21:443: refused", without its virtual server. */
export function describeLvsEvent(event: LvsEvent): string {
  switch (event.type) {
    case "server":
      return `server ${event.server} ${event.from} → ${event.to}: ${event.reason}`;
    case "quorum":
      return `quorum ${event.up ? "reached" : "lost"}: ${event.reason}`;
    case "sorry_server":
      return `the sorry server ${event.standing_in ? "stands in" : "goes"}: ${event.reason}`;
    case "drift":
      return `changed by others: ${event.message}; ${event.repaired ? "put right" : "left so"}`;
    case "lvs_warning":
      return event.message;
  }
}

function isTrouble(event: LvsEvent): boolean {
  switch (event.type) {
    case "server":
      return event.to === "down";
    case "quorum":
      return !event.up;
    case "sorry_server":
      return event.standing_in;
    case "drift":
    case "lvs_warning":
      return true;
  }
}
