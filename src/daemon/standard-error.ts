/** Standard error without waiting: a write that blocks, in whatever thread, would also keep the process from exiting. */
import { constants, fstatSync, openSync } from "node:fs";
import { Socket } from "node:net";

/** Holds the descriptor open and non-blocking for as long as the process lives. */
const held: Socket[] = [];

export function openStandardError(): number {
  // systemd's journal. It cannot be opened anew; wrapping it makes it non-blocking, for all who share it.
  if (fstatSync(2).isSocket()) {
    held.push(new Socket({ fd: 2, readable: false, writable: true }).unref());
    return 2;
  }
  try {
    // A description of our own: those who share the pipe or the terminal keep theirs as it is.
    return openSync("/proc/self/fd/2", constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK);
  } catch {
    // Not ours to open, or no /proc: then as it is.
    return 2;
  }
}
