/** What `viprd decode` says about the trailer of a signed advertisement. Clocks and replays are left out: a capture is old. */
import { type Rejection, trailerLength } from "../vrrp/advertisement.ts";
import { decodeTrailer, isSignedBy, isWellFormed, type Key } from "../vrrp/hmac-trailer.ts";
import { formatUtc } from "../vrrp/utc.ts";
import type { IpAddress } from "../wire/address.ts";

export interface HmacAnswer {
  readonly key_id: number;
  readonly stamped: string;
  readonly seconds: number;
  /** 1/65536 s */
  readonly subseconds: number;
  readonly counter: number;
  /** Null when it was not tried: no key was given for it. */
  readonly verified: boolean | null;
}

/** `pdu` ends with the trailer. */
export function describeTrailer(pdu: Uint8Array, verified: boolean | null): HmacAnswer {
  const { keyId, sequence } = decodeTrailer(pdu.subarray(pdu.length - trailerLength));
  const subseconds = Math.floor(sequence.fraction / 0x10000);
  return {
    key_id: keyId,
    stamped: formatUtc(sequence.seconds * 1000 + subseconds / 65.536),
    seconds: sequence.seconds,
    subseconds,
    counter: sequence.fraction % 0x10000,
    verified,
  };
}

/** As a receiver in mode enforce: the first thing wrong, or undefined. */
export function judgeTrailer(
  pdu: Uint8Array,
  trailer: Uint8Array | undefined,
  source: IpAddress | undefined,
  keys: readonly Key[],
): Rejection | undefined {
  if (trailer === undefined) return "hmac_missing";
  const decoded = decodeTrailer(trailer);
  if (!isWellFormed(decoded)) return "hmac_malformed";
  const key = keys.find(({ id }) => id === decoded.keyId);
  if (key === undefined) return "hmac_unknown_key";
  // The source is signed too: without it nothing can be verified.
  return source !== undefined && isSignedBy(pdu, source, key) ? undefined : "hmac_invalid";
}
