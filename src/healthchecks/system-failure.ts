import { errnoName } from "../socket/errno.ts";

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
