/** Neighbours: which link-layer address an IP address has on a link (rtnetlink(7), linux/neighbour.h). */
import { type Family, familyOf, formatAddress, type IpAddress } from "../wire/address.ts";
import { AttributeReader, BodyWriter } from "./attributes.ts";
import type { Connection } from "./connection.ts";
import * as k from "./constants.ts";
import { addressLength, familyFrom, familyNumber } from "./family.ts";
import { readI32, readU16 } from "./host-order.ts";

export interface Neighbor {
  readonly family: Family;
  /** Index of the link. */
  readonly index: number;
  readonly address: IpAddress;
  /** NUD_…, one bit. */
  readonly state: number;
  /** NTF_… */
  readonly flags: number;
  /** Not known while the kernel is asking, or in vain. */
  readonly mac?: Uint8Array;
}

/** struct ndmsg: u8 family, u8 and u16 padding, i32 index, u16 state, u8 flags, u8 type */
const NDMSG = 12;

/** Undefined for other families, the bridge's forwarding table among them. */
export function decodeNeighbor(payload: Uint8Array): Neighbor | undefined {
  const family = familyFrom(payload[0] ?? 0);
  if (payload.length < NDMSG || family === undefined) return undefined;
  let address: IpAddress | undefined;
  let mac: Uint8Array | undefined;
  const reader = new AttributeReader(payload, NDMSG);
  while (reader.next()) {
    if (reader.type === k.NDA_DST) address = reader.bytes(addressLength(family));
    else if (reader.type === k.NDA_LLADDR) mac = reader.bytes();
  }
  if (reader.bad || address === undefined) return undefined;
  return {
    family,
    index: readI32(payload, 4),
    address,
    state: readU16(payload, 8),
    flags: payload[10] ?? 0,
    ...(mac !== undefined && { mac }),
  };
}

export type NewNeighbor = Pick<Neighbor, "index" | "address"> & Partial<Neighbor>;

/** The body of RTM_NEWNEIGH and RTM_DELNEIGH. Without a state the entry is permanent. */
export function encodeNeighbor(neighbor: NewNeighbor): Uint8Array {
  const writer = new BodyWriter(NDMSG);
  writer.setU8(0, familyNumber(familyOf(neighbor.address)));
  writer.setU32(4, neighbor.index);
  writer.setU16(8, neighbor.state ?? k.NUD_PERMANENT);
  writer.setU8(10, neighbor.flags ?? 0);
  writer.bytes(k.NDA_DST, neighbor.address);
  if (neighbor.mac !== undefined) writer.bytes(k.NDA_LLADDR, neighbor.mac);
  return writer.finish();
}

/** Strict checking allows the family only. */
export function encodeListNeighbors(family?: Family): Uint8Array {
  const writer = new BodyWriter(NDMSG);
  writer.setU8(0, familyNumber(family));
  return writer.finish();
}

export function listNeighbors(connection: Connection, family?: Family, index?: number): Promise<Neighbor[]> {
  const decode = (payload: Uint8Array): Neighbor | undefined => {
    const neighbor = decodeNeighbor(payload);
    if (family !== undefined && neighbor?.family !== family) return undefined;
    return index !== undefined && neighbor?.index !== index ? undefined : neighbor;
  };
  return connection.dumpWith("list neighbours", k.RTM_GETNEIGH, encodeListNeighbors(family), decode);
}

/** An entry that is there already takes the new state and link-layer address with `replace`. */
export function addNeighbor(connection: Connection, neighbor: NewNeighbor, { replace = false } = {}): Promise<void> {
  const operation = () => `add neighbour ${formatAddress(neighbor.address)} on link ${neighbor.index}`;
  const flags = k.NLM_F_CREATE | (replace ? k.NLM_F_REPLACE : k.NLM_F_EXCL);
  return connection.request(operation, k.RTM_NEWNEIGH, flags, encodeNeighbor(neighbor));
}

export function deleteNeighbor(connection: Connection, neighbor: NewNeighbor): Promise<void> {
  const operation = () => `delete neighbour ${formatAddress(neighbor.address)} on link ${neighbor.index}`;
  return connection.request(operation, k.RTM_DELNEIGH, 0, encodeNeighbor(neighbor));
}
