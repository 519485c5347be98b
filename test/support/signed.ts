/** Signed advertisements for tests, and parameters of routers that understand them. */
import { type AdvertisementFields, encodeAdvertisement, trailerLength } from "../../src/vrrp/advertisement.ts";
import { newKey, sign } from "../../src/vrrp/hmac-trailer.ts";
import type { AuthHmacParameters } from "../../src/vrrp/parameters.ts";
import { type Sequence, sequenceAt } from "../../src/vrrp/sequence.ts";
import { resummed } from "./packets.ts";

/** By their ids. */
export const secrets: Readonly<Record<number, string>> = {
  1: "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
  2: "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
  3: "404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f",
};

export function authHmac(changes: Partial<AuthHmacParameters> & { readonly ids?: readonly number[] } = {}) {
  const { ids = [1, 2], ...rest } = changes;
  return {
    keys: ids.map((id) => ({ id, secret: secrets[id] ?? "" })),
    activeKey: 1,
    mode: "enforce",
    antiReplay: "time",
    timeWindow: 5000,
    ...rest,
  } satisfies AuthHmacParameters;
}

export function keyOf(id: number, secret = id) {
  return newKey(id, Uint8Array.from(Buffer.from(secrets[secret] ?? "", "hex")));
}

/** `secret` is another key's when somebody only claims to have it. */
export function signed(
  fields: AdvertisementFields,
  stamp: number | Sequence,
  { id = 1, secret = id }: { readonly id?: number; readonly secret?: number } = {},
): Uint8Array {
  const message = encodeAdvertisement(fields);
  const pdu = new Uint8Array(message.length + trailerLength);
  pdu.set(message);
  sign(pdu, fields.source, keyOf(id, secret), typeof stamp === "number" ? sequenceAt(stamp) : stamp);
  // The checksum of IPv6 covers the trailer.
  return fields.family === 6 ? resummed(pdu, fields) : pdu;
}
