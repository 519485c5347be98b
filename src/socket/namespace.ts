/** Sockets belong to the network namespace they were opened in, so one process can serve several. */
import { closeSync, openSync } from "node:fs";
import { addon } from "./addon.ts";
import { SystemError } from "./errno.ts";

/**
 * Runs `action` in the namespace of this path (/run/netns/NAME, /proc/PID/ns/net) and returns to the former one.
 * Synchronous only: whatever is opened meanwhile stays there. Needs CAP_SYS_ADMIN.
 */
export function inNetworkNamespace<T>(path: string, action: () => T): T {
  const former = openSync("/proc/thread-self/ns/net", "r");
  try {
    const wanted = openSync(path, "r");
    try {
      enter(path, wanted);
    } finally {
      closeSync(wanted);
    }
    try {
      return action();
    } finally {
      enter("of before", former);
    }
  } finally {
    closeSync(former);
  }
}

function enter(name: string, descriptor: number): void {
  const result = addon().setNetworkNamespace(descriptor);
  if (result < 0) throw new SystemError(`enter network namespace ${name}`, -result, "needs CAP_SYS_ADMIN");
}
