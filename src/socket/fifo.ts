/** FIFOs: Node can open them, but not make them. */
import { addon } from "./addon.ts";
import { SystemError } from "./errno.ts";

/** Less the bits of the process's umask. Throws when there is something of that name. */
export function makeFifo(path: string, mode: number): void {
  const result = addon().makeFifo(path, mode);
  if (result < 0) throw new SystemError(`make the FIFO ${path}`, -result);
}
