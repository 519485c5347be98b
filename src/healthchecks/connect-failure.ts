/** Why a connection failed, in words. */
const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: "refused",
  ECONNRESET: "reset",
  EHOSTUNREACH: "no route to the host",
  ENETUNREACH: "the network cannot be reached",
  ETIMEDOUT: "no answer",
  EADDRNOTAVAIL: "the source address is not on this host",
  EACCES: "forbidden on this host",
  EPERM: "forbidden on this host",
  EMFILE: "too many open files",
  EINVAL: "the address cannot be used",
};

export function whyRefused(error: Error): string {
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  if (code === undefined) return error.message;
  const told = words[code];
  return told === undefined ? code : `${told} (${code})`;
}
