/** How long the certificate of a server is good for. Pure but for the reading of it. */
import type { TLSSocket } from "node:tls";
import type { Milliseconds } from "./parameters.ts";

const day = 24 * 3_600_000;

export interface Validity {
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
}

/** Undefined for a connection that has none. */
export function validityOf(stream: Pick<TLSSocket, "getPeerX509Certificate">): Validity | undefined {
  const certificate = stream.getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  return { from: Date.parse(certificate.validFrom), to: Date.parse(certificate.validTo) };
}

/** One that is made for a short time is not warned of all its life: the last third of it counts. */
export function expiryWarning(
  what: string,
  { from, to }: Validity,
  before: Milliseconds,
  now: number,
): string | undefined {
  const left = to - now;
  if (!(left < Math.min(before, (to - from) / 3))) return undefined;
  const certificate = `the certificate of ${what}`;
  if (left < 0) return `${certificate} expired ${-left < day ? "less than a day" : days(-left)} ago`;
  return `${certificate} expires in ${left < day ? "less than a day" : days(left)}`;
}

function days(time: Milliseconds): string {
  const count = Math.floor(time / day);
  return count === 1 ? "1 day" : `${count} days`;
}
