/** Why an advertisement was not authentic, with what was found beside what was expected. Never a word about a secret. */
import { type Rejection, trailerLength } from "./advertisement.ts";
import { decodeTrailer } from "./hmac-trailer.ts";
import type { AuthHmacParameters, Milliseconds } from "./parameters.ts";
import type { Datagram } from "./reception.ts";
import type { Sequence } from "./sequence.ts";
import { formatUtc } from "./utc.ts";

export interface AuthContext extends AuthHmacParameters {
  /** By the wall clock of this host. */
  readonly arrival: Milliseconds;
  /** The newest number heard from the sender. */
  readonly mark: Sequence | undefined;
}

const both = "both nodes will be active";

export function describeUnauthentic(name: Rejection, { pdu }: Datagram, own: AuthContext): string | undefined {
  const { type, reserved, keyId, sequence } = decodeTrailer(pdu.subarray(Math.max(0, pdu.length - trailerLength)));
  const stamped = `stamped ${formatSequence(sequence)}`;
  switch (name) {
    case "hmac_missing":
      return `it is not signed, and auth_hmac is in mode enforce here: ${both}`;
    case "hmac_malformed":
      return `its trailer has type ${type} and ${reserved} in the reserved bits, this router knows type 1 and 0: ${both}`;
    case "hmac_unknown_key":
      return `signed with key ${keyId}, this router has ${own.keys.map(({ id }) => id).join(", ")}: ${both}`;
    case "hmac_stale": {
      const clocks = `${stamped}, this router's clock says ${formatUtc(own.arrival)}, and ${own.timeWindow / 1000} s is allowed`;
      return `${clocks}: recorded and sent again, or the clocks differ, and then ${both}`;
    }
    case "hmac_invalid":
      return `key ${keyId} of this router did not sign it: a forgery, or another secret has that id there, and then ${both}`;
    case "hmac_replay": {
      const newest = own.mark === undefined ? "a newer one was heard" : `one ${formatSequence(own.mark)} was heard`;
      return `${stamped}, ${newest}: recorded and sent again, or its clock was set back, and then it is refused until it has caught up`;
    }
    default:
      return undefined;
  }
}

/** The stamp, and the counter where one is used. */
export function formatSequence({ seconds, fraction }: Sequence): string {
  const counter = fraction % 0x10000;
  const time = formatUtc(seconds * 1000 + Math.floor(fraction / 0x10000) / 65.536);
  return counter === 0 ? time : `${time} + ${counter}`;
}
