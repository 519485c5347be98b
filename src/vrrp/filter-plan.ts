/**
 * The packet filter behind `accept: false` (RFC 9568 section 6.1, Accept_Mode): packets to the addresses are dropped
 * where the host would take them in. What is routed through the virtual router does not pass there, ARP is no IP, and
 * neighbour discovery is let through, always.
 */
import {
  deleteTable,
  type Expression,
  type NftMessage,
  newBaseChain,
  newElements,
  newRule,
  newSet,
  newTable,
} from "../netlink/nftables.ts";
import * as n from "../netlink/nftables-constants.ts";
import { isLinkLocal, parseAddress } from "../wire/address.ts";
import type { InstanceParameters, VirtualAddress } from "./parameters.ts";

export const filterTable = "viprd";
const chain = "input";
/** Before the filter of the administrator: there is nothing to be decided about these packets. */
const priority = -1;
const IPPROTO_ICMPV6 = 58;
/** Router and neighbour solicitations and advertisements, redirects (RFC 4861 section 4). */
const firstDiscovery = 133;
const lastDiscovery = 137;
const ifNameSize = 16;

// The numbers are nft's own for ipv4_addr, ipv6_addr and ifname.
const addresses4 = { name: "addresses4", id: 1, keyType: 7, keyLength: 4 };
const addresses6 = { name: "addresses6", id: 2, keyType: 8, keyLength: 16 };
/** A link-local address is one for each interface. */
const linkLocals = { name: "link_locals", id: 3, keyType: (8 << 6) | 41, keyLength: 32 };

/** Whose addresses are not the host's to answer for: not those of the address owner. */
export function isFiltered(parameters: InstanceParameters): boolean {
  return !parameters.accept && parameters.priority !== 255;
}

export interface FilterEntry {
  readonly address: string;
  /** Of the interface that the address is on; matters for link-local ones. */
  readonly device: string;
}

/** `nameOf` gives an interface's name of today: it may have been renamed. */
export function filterEntries(
  instances: Iterable<InstanceParameters>,
  nameOf: (device: string) => string,
): readonly FilterEntry[] {
  const of = ({ address, device }: VirtualAddress) => ({ address, device: nameOf(device) });
  return [...instances]
    .filter(isFiltered)
    .flatMap(({ virtualAddresses, excludedAddresses }) => [...virtualAddresses, ...excludedAddresses].map(of));
}

/** Takes the place of whatever is in the table, in one step; without entries there is no table. */
export function filterMessages(entries: readonly FilterEntry[]): readonly NftMessage[] {
  // Made first, so that deleting it succeeds in any case.
  const cleared = [newTable(filterTable), deleteTable(filterTable)];
  if (entries.length === 0) return cleared;
  const keys4: Uint8Array[] = [];
  const keys6: Uint8Array[] = [];
  const keysLocal: Uint8Array[] = [];
  for (const { address, device } of entries) {
    const bytes = parseAddress(address);
    if (bytes === undefined) continue;
    if (bytes.length === 4) keys4.push(bytes);
    else if (isLinkLocal(bytes)) keysLocal.push(withInterface(bytes, device));
    else keys6.push(bytes);
  }
  const drop: Expression = { type: "verdict", verdict: n.NF_DROP };
  const lookup = (set: typeof addresses4): Expression => ({ type: "lookup", set, register: n.NFT_REG_1 });
  const interfaceName: Expression = { type: "meta", key: n.NFT_META_IIFNAME, register: n.NFT_REG_2 };
  return [
    ...cleared,
    newTable(filterTable),
    ...[addresses4, addresses6, linkLocals].map((set) => newSet(filterTable, set)),
    newBaseChain(filterTable, chain, n.NF_INET_LOCAL_IN, priority),
    newRule(filterTable, chain, [...family(n.NFPROTO_IPV4), destination(16, 4), lookup(addresses4), drop]),
    newRule(filterTable, chain, neighborDiscovery()),
    newRule(filterTable, chain, [...family(n.NFPROTO_IPV6), destination(24, 16), lookup(addresses6), drop]),
    newRule(filterTable, chain, [
      ...family(n.NFPROTO_IPV6),
      destination(24, 16),
      interfaceName,
      lookup(linkLocals),
      drop,
    ]),
    ...newElements(filterTable, addresses4, keys4),
    ...newElements(filterTable, addresses6, keys6),
    ...newElements(filterTable, linkLocals, keysLocal),
  ];
}

function family(protocol: number): Expression[] {
  return metaIs(n.NFT_META_NFPROTO, protocol);
}

function metaIs(key: number, value: number): Expression[] {
  return [
    { type: "meta", key, register: n.NFT_REG_1 },
    { type: "cmp", operator: n.NFT_CMP_EQ, register: n.NFT_REG_1, value: Uint8Array.of(value) },
  ];
}

function destination(offset: number, length: number): Expression {
  return { type: "payload", base: n.NFT_PAYLOAD_NETWORK_HEADER, offset, length, register: n.NFT_REG_1 };
}

function neighborDiscovery(): Expression[] {
  const compare = (operator: number, value: number): Expression => ({
    type: "cmp",
    operator,
    register: n.NFT_REG_1,
    value: Uint8Array.of(value),
  });
  return [
    ...family(n.NFPROTO_IPV6),
    ...metaIs(n.NFT_META_L4PROTO, IPPROTO_ICMPV6),
    { type: "payload", base: n.NFT_PAYLOAD_TRANSPORT_HEADER, offset: 0, length: 1, register: n.NFT_REG_1 },
    compare(n.NFT_CMP_GTE, firstDiscovery),
    compare(n.NFT_CMP_LTE, lastDiscovery),
    { type: "verdict", verdict: n.NF_ACCEPT },
  ];
}

function withInterface(address: Uint8Array, name: string): Uint8Array {
  const key = new Uint8Array(address.length + ifNameSize);
  key.set(address);
  key.set(new TextEncoder().encode(name).subarray(0, ifNameSize - 1), address.length);
  return key;
}
