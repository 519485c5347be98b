/**
 * The kernel's address structures as bytes: struct sockaddr_in, _in6, _ll, _nl, _un and the membership requests.
 * Families and indexes are in host order, which is little-endian on both supported architectures.
 */
import type { IpAddress } from "../wire/address.ts";
import { AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_UNIX } from "./constants.ts";

const PATH_SIZE = 108;

export function sockaddrIn(address: IpAddress, port = 0): Uint8Array {
  expectLength(address, 4);
  const { bytes, view } = struct(16, AF_INET);
  view.setUint16(2, port);
  bytes.set(address, 4);
  return bytes;
}

/** `scopeId`: the interface index, needed for link-local addresses. On raw sockets the port must be 0. */
export function sockaddrIn6(address: IpAddress, scopeId = 0, port = 0): Uint8Array {
  expectLength(address, 16);
  const { bytes, view } = struct(28, AF_INET6);
  view.setUint16(2, port);
  bytes.set(address, 8);
  view.setUint32(24, scopeId, true);
  return bytes;
}

/** `protocol`: an EtherType in host order (ETH_P_ARP). */
export function sockaddrLinkLayer(interfaceIndex: number, protocol: number, mac?: Uint8Array): Uint8Array {
  const { bytes, view } = struct(20, AF_PACKET);
  view.setUint16(2, protocol);
  view.setInt32(4, interfaceIndex, true);
  if (mac !== undefined) {
    expectLength(mac, 6);
    bytes[11] = mac.length;
    bytes.set(mac, 12);
  }
  return bytes;
}

/** `pid` 0: the kernel, or for bind "choose one". */
export function sockaddrNetlink(pid: number, groupsMask: number): Uint8Array {
  const { bytes, view } = struct(12, AF_NETLINK);
  view.setUint32(4, pid, true);
  view.setUint32(8, groupsMask, true);
  return bytes;
}

/** A path, or a name in the abstract namespace written with a leading @. */
export function sockaddrUnix(path: string): Uint8Array {
  const name = new TextEncoder().encode(path.startsWith("@") ? `\0${path.slice(1)}` : path);
  // An abstract name ends with the structure, a path with a zero byte.
  const size = path.startsWith("@") ? name.length : name.length + 1;
  if (path === "" || size > PATH_SIZE)
    throw new RangeError(`socket path ${JSON.stringify(path)}: at most ${PATH_SIZE - 1} bytes`);
  const { bytes } = struct(2 + size, AF_UNIX);
  bytes.set(name, 2);
  return bytes;
}

/** A copy of the address in a sockaddr_in or sockaddr_in6; undefined for any other. */
export function addressOf(sockaddr: Uint8Array): IpAddress | undefined {
  const family = familyOf(sockaddr);
  if (family === AF_INET && sockaddr.length >= 8) return sockaddr.slice(4, 8);
  if (family === AF_INET6 && sockaddr.length >= 24) return sockaddr.slice(8, 24);
  return undefined;
}

/** The port of a sockaddr_in or sockaddr_in6, the port id of a sockaddr_nl; 0 for any other. */
export function portOf(sockaddr: Uint8Array): number {
  const view = new DataView(sockaddr.buffer, sockaddr.byteOffset, sockaddr.length);
  switch (familyOf(sockaddr)) {
    case AF_INET:
    case AF_INET6:
      return view.getUint16(2);
    case AF_NETLINK:
      return view.getUint32(4, true);
    default:
      return 0;
  }
}

/** The packet type (PACKET_HOST, PACKET_OUTGOING…) of a sockaddr_ll; undefined for any other. */
export function packetTypeOf(sockaddr: Uint8Array): number | undefined {
  return familyOf(sockaddr) === AF_PACKET ? sockaddr[10] : undefined;
}

/** struct ip_mreqn, for IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP and IP_MULTICAST_IF. */
export function membership4(group: IpAddress, interfaceIndex: number, local?: IpAddress): Uint8Array {
  expectLength(group, 4);
  const bytes = new Uint8Array(12);
  bytes.set(group);
  if (local !== undefined) bytes.set(local, 4);
  new DataView(bytes.buffer).setInt32(8, interfaceIndex, true);
  return bytes;
}

/** struct ipv6_mreq, for IPV6_ADD_MEMBERSHIP and IPV6_DROP_MEMBERSHIP. */
export function membership6(group: IpAddress, interfaceIndex: number): Uint8Array {
  expectLength(group, 16);
  const bytes = new Uint8Array(20);
  bytes.set(group);
  new DataView(bytes.buffer).setInt32(16, interfaceIndex, true);
  return bytes;
}

function familyOf(sockaddr: Uint8Array): number {
  return sockaddr.length < 2 ? 0 : (sockaddr[0] ?? 0) | ((sockaddr[1] ?? 0) << 8);
}

function struct(size: number, family: number): { bytes: Uint8Array; view: DataView } {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, family, true);
  return { bytes, view };
}

function expectLength(address: Uint8Array, length: number): void {
  if (address.length !== length) throw new RangeError(`expected an address of ${length} bytes, got ${address.length}`);
}
