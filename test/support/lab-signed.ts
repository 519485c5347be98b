/** Signed advertisements in the lab. Written apart from the code under test: offsets are those of the draft. */
import { createHmac } from "node:crypto";
import type { Advert } from "./lab-frames.ts";

const trailer = 28;
const macLength = 16;

/** Whether this secret made the signature of a captured advertisement. */
export function isSignedWith({ signed: packet }: Advert, secret: string): boolean {
  if (packet === undefined) return false;
  const six = (packet[0] ?? 0) >> 4 === 6;
  const pdu = Buffer.from(packet.subarray(six ? 40 : 20));
  const source = packet.subarray(...(six ? ([8, 24] as const) : ([12, 16] as const)));
  const pseudo = Buffer.alloc(20);
  pseudo.set([six ? 6 : 4, (pdu[0] ?? 0) >> 4, pdu[1] ?? 0, 0, ...source]);
  const covered = Buffer.from(pdu);
  covered.fill(0, 6, 8);
  covered.fill(0, covered.length - macLength);
  const code = createHmac("sha256", Buffer.from(secret, "hex")).update(pseudo).update(covered).digest();
  return code.subarray(0, macLength).equals(pdu.subarray(pdu.length - macLength));
}

/** The id of the key that an advertisement names. */
export function keyIdOf({ signed: packet }: Advert): number | undefined {
  return packet?.[packet.length - trailer + 1];
}

/** The frame of a captured advertisement once more, from its sender's MAC address. */
export function replayed({ signed: packet, family, mac }: Advert): Uint8Array {
  if (packet === undefined) throw new Error("not a signed advertisement");
  const group = family === 4 ? [1, 0, 0x5e, 0, 0, 18] : [0x33, 0x33, 0, 0, 0, 18];
  const from = mac.split(":").map((part) => Number.parseInt(part, 16));
  return Uint8Array.from([...group, ...from, ...(family === 4 ? [8, 0] : [0x86, 0xdd]), ...packet]);
}
