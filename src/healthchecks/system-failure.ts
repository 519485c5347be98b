import { errnoName } from "../socket/errno.ts";
import type { Outcome } from "./check-type.ts";

/** Why the system refused something, in words. */
const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: "refused",
  ECONNRESET: "reset",
  EHOSTUNREACH: "no route to the host",
  ENETUNREACH: "the network cannot be reached",
  ETIMEDOUT: "no answer",
  EADDRNOTAVAIL: "the source address is not on this host",
  EACCES: "no permission",
  EPERM: "forbidden on this host",
  EMFILE: "too many open files",
  ENFILE: "too many open files on this host",
  EINVAL: "the address cannot be used",
  ENOENT: "it does not exist",
  ENOTDIR: "a part of the path is no folder",
  ELOOP: "its symbolic links go round in a circle",
};

/** What this host has run out of. All checks would fail by it together, and all servers be taken out. */
const exhausted: ReadonlySet<unknown> = new Set(["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"]);

/** This host is at fault: that says nothing about what is checked. */
export class OwnFault extends Error {}

/** For an outcome that ended with `error`. */
export function undecidedBy(error: unknown): Pick<Outcome, "undecided"> {
  const own = error instanceof OwnFault || (error instanceof Error && "code" in error && exhausted.has(error.code));
  return own ? { undecided: true } : {};
}

/** An error with the words `why` for what `error` has ended. */
export function failedBy(error: unknown, why: string): Error {
  return undecidedBy(error).undecided ? new OwnFault(why) : new Error(why);
}

export function errorOf(errno: number): Error {
  return exhausted.has(errnoName(errno)) ? new OwnFault(whyErrno(errno)) : new Error(whyErrno(errno));
}

export function whyErrno(errno: number): string {
  const code = errnoName(errno);
  const told = words[code];
  return told === undefined ? code : `${told} (${code})`;
}

export function whySystem(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  if (code === undefined) return error.message;
  const told = words[code];
  return told === undefined ? code : `${told} (${code})`;
}
