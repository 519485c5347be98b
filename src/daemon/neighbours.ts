/**
 * Other viprd daemons in the same network namespace. Each names itself by an abstract Unix socket, which exists in one
 * network namespace only and goes with its process; /proc/net/unix lists them.
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:net";

const prefix = "viprd/";

/** Makes this process known from now on, and gives the pids of the others. Throws when the system does not let it. */
export async function meetNeighbours(): Promise<number[]> {
  const server = createServer((connection) => connection.destroy()).unref();
  await new Promise<void>((resolve, reject) => {
    server.on("error", reject);
    server.listen(`\0${prefix}${process.pid}`, resolve);
  });
  return otherDaemons(readFileSync("/proc/net/unix", "latin1"), process.pid);
}

/** From the lines of /proc/net/unix. The NUL in front reads @ there; older versions of Node fill the name up with more. */
export function otherDaemons(sockets: string, own: number): number[] {
  const pids = [...sockets.matchAll(/ @viprd\/(\d{1,10})@*$/gm)].map(([, pid]) => Number(pid));
  return [...new Set(pids)].filter((pid) => pid !== own).sort((a, b) => a - b);
}
