/** From a captured frame to the IP packet in it, by the link type of the capture (tcpdump.org's LINKTYPE_ numbers). */
import { readUint8, readUint16, readUint32 } from "./bytes.ts";
import { decodeEthernet, ETH_P_IP, ETH_P_IPV6, type Frame, skipTags } from "./ethernet.ts";

export const LINKTYPE_NULL = 0;
export const LINKTYPE_ETHERNET = 1;
export const LINKTYPE_RAW = 101;
export const LINKTYPE_LOOP = 108;
export const LINKTYPE_LINUX_SLL = 113;
export const LINKTYPE_IPV4 = 228;
export const LINKTYPE_IPV6 = 229;
export const LINKTYPE_LINUX_SLL2 = 276;
/** Raw IP under the numbers that BSD systems wrote into files. */
const rawIpElsewhere = [12, 14];

/** AF_INET6 differs between the systems that write captures: Linux, NetBSD, FreeBSD, Darwin. */
const inet6Numbers = [10, 24, 28, 30];
const inetNumber = 2;
const cookedLength = 16;
const cooked2Length = 20;

/**
 * "other": no IP. "malformed": the frame ends before it says what it carries. "unsupported": a link type not known here.
 * The family is what the link layer claims; undefined where it leaves that to the IP version field.
 */
export type Carried =
  | { readonly family: 4 | 6 | undefined; readonly bytes: Uint8Array }
  | "other"
  | "malformed"
  | "unsupported";

export function carriedPacket(linkType: number, frame: Uint8Array): Carried {
  switch (linkType) {
    case LINKTYPE_ETHERNET:
      return byEtherType(decodeEthernet(frame));
    case LINKTYPE_LINUX_SLL:
      return byEtherType(frame.length < cookedLength ? undefined : skipTags(frame, cookedLength - 2));
    case LINKTYPE_LINUX_SLL2:
      return cooked2(frame);
    case LINKTYPE_NULL:
    case LINKTYPE_LOOP:
      return loopback(frame);
    case LINKTYPE_IPV4:
      return { family: 4, bytes: frame };
    case LINKTYPE_IPV6:
      return { family: 6, bytes: frame };
    case LINKTYPE_RAW:
      return { family: undefined, bytes: frame };
    default:
      return rawIpElsewhere.includes(linkType) ? { family: undefined, bytes: frame } : "unsupported";
  }
}

function byEtherType(frame: Pick<Frame, "etherType" | "payload"> | undefined): Carried {
  if (frame === undefined) return "malformed";
  if (frame.etherType === ETH_P_IP) return { family: 4, bytes: frame.payload };
  if (frame.etherType === ETH_P_IPV6) return { family: 6, bytes: frame.payload };
  return "other";
}

/** The protocol stands first in this one; a VLAN tag it announces follows at the end of the header. */
function cooked2(frame: Uint8Array): Carried {
  if (frame.length < cooked2Length) return "malformed";
  const etherType = readUint16(frame, 0);
  const payload = frame.subarray(cooked2Length);
  const untagged = byEtherType({ etherType, payload });
  if (untagged !== "other") return untagged;
  const isTag = skipTags(frame.subarray(0, 2), 0) === undefined;
  return isTag ? byEtherType(skipTags(payload, 2)) : "other";
}

/** The address family in the byte order of the capturing host: a small number, whichever end it stands at. */
function loopback(frame: Uint8Array): Carried {
  if (frame.length < 4) return "malformed";
  const number =
    readUint32(frame, 0) <= 0xffff ? readUint32(frame, 0) : readUint8(frame, 1) * 256 + readUint8(frame, 0);
  const bytes = frame.subarray(4);
  if (number === inetNumber) return { family: 4, bytes };
  return inet6Numbers.includes(number) ? { family: 6, bytes } : "other";
}
