/**
 * The raw socket that all virtual routers of one interface and one address family share, and the packet socket that
 * announcements leave by. RFC 9568 sections 5.1.1 and 5.1.2; no VRRP packet is ever forwarded.
 */
import type { Link } from "../netlink/link.ts";
import { now } from "../socket/clock.ts";
import {
  AF_INET,
  AF_INET6,
  AF_PACKET,
  IP_ADD_MEMBERSHIP,
  IP_HDRINCL,
  IP_MULTICAST_ALL,
  IP_MULTICAST_LOOP,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_VRRP,
  IPV6_ADD_MEMBERSHIP,
  IPV6_HDRINCL,
  IPV6_MULTICAST_ALL,
  IPV6_MULTICAST_LOOP,
  IPV6_RECVHOPLIMIT,
  IPV6_RECVPKTINFO,
  SO_PRIORITY,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_TIMESTAMPNS,
  SOCK_RAW,
  SOL_SOCKET,
} from "../socket/constants.ts";
import { SystemError } from "../socket/errno.ts";
import { acceptAll, dropAll } from "../socket/filter.ts";
import { addressOf, membership4, membership6, sockaddrIn, sockaddrIn6, sockaddrLinkLayer } from "../socket/sockaddr.ts";
import { type Batch, Socket } from "../socket/socket.ts";
import { allVrrpRouters4, allVrrpRouters6, type Family, type IpAddress } from "../wire/address.ts";
import { decodeIpv4 } from "../wire/ip.ts";
import type { Rejection } from "./advertisement.ts";
import { countRejection } from "./counters.ts";
import type { Receiver } from "./host.ts";
import type { Instant } from "./parameters.ts";
import { type Datagram, refuseUnknown } from "./reception.ts";
import type { InterfaceStatus } from "./status.ts";

/** Room for a burst of one advertisement from each of 255 routers, and for a flood beside it. */
const receiveBuffer = 1024 * 1024;
/** TC_PRIO_CONTROL */
const controlPriority = 7;
/** A flood must not keep the timers waiting: so many batches are read before a deadline is looked at. */
const drainBatches = 16;

export class Transport {
  readonly link: Link;
  readonly family: Family;
  readonly #socket: Socket;
  readonly #receivers = new Map<number, Receiver>();
  readonly #rejected: Partial<Record<Rejection, number>> = {};
  readonly #failed: (errno: number) => void;
  #received = 0;
  #emptyAt: Instant = now();
  #lastDestination: IpAddress;
  #lastSockaddr: Uint8Array;

  /** Throws SystemError. `failed` hears of errors of the socket while it is open. */
  static open(link: Link, family: Family, failed: (errno: number) => void): Transport {
    const what = `raw socket for VRRP over IPv${family} on ${link.name}`;
    const socket = Socket.open(family === 4 ? AF_INET : AF_INET6, SOCK_RAW, IPPROTO_VRRP, what);
    try {
      prepare(socket, link, family);
      return new Transport(link, family, socket, failed);
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  /** On a socket that is prepared; the transport closes it. */
  constructor(link: Link, family: Family, socket: Socket, failed: (errno: number) => void) {
    this.link = link;
    this.family = family;
    this.#socket = socket;
    this.#failed = failed;
    const group = family === 4 ? allVrrpRouters4 : allVrrpRouters6;
    this.#lastDestination = group;
    this.#lastSockaddr = this.#sockaddrOf(group);
    this.#socket.watch(
      () => this.#readOnce(),
      (errno) => this.#failed(errno),
    );
  }

  get idle(): boolean {
    return this.#receivers.size === 0;
  }

  /** Throws when the VRID is taken: one of the two would be deaf. */
  add(receiver: Receiver): void {
    if (this.#receivers.has(receiver.vrid)) {
      throw new Error(`virtual router ${receiver.vrid} over IPv${this.family} runs on ${this.link.name} already`);
    }
    this.#receivers.set(receiver.vrid, receiver);
  }

  remove(receiver: Receiver): void {
    if (this.#receivers.get(receiver.vrid) === receiver) this.#receivers.delete(receiver.vrid);
  }

  send(datagram: Uint8Array, destination: IpAddress): number {
    if (this.#lastDestination !== destination) {
      this.#lastDestination = destination;
      this.#lastSockaddr = this.#sockaddrOf(destination);
    }
    return this.#socket.send(datagram, this.#lastSockaddr);
  }

  drain(): void {
    for (let i = 0; i < drainBatches; i++) if (!this.#readOnce()) return;
  }

  close(): void {
    this.#socket.close();
  }

  status(): InterfaceStatus {
    return {
      interface: this.link.name,
      family: this.family === 4 ? "ipv4" : "ipv6",
      received: this.#received,
      rejected: { ...this.#rejected },
    };
  }

  #sockaddrOf(destination: IpAddress): Uint8Array {
    return this.family === 4 ? sockaddrIn(destination) : sockaddrIn6(destination, this.link.index);
  }

  /** True when more may be waiting. */
  #readOnce(): boolean {
    const before = now();
    const batch = this.#socket.receive();
    if (typeof batch === "number") {
      this.#failed(-batch);
      return false;
    }
    for (let i = 0; i < batch.count; i++) this.#deliver(batch, i);
    const more = batch.count === 64;
    if (!more) this.#emptyAt = before;
    return more;
  }

  #deliver(batch: Batch, i: number): void {
    this.#received++;
    const datagram = this.family === 4 ? fromIpv4(batch, i) : fromIpv6(batch, i);
    if (datagram === undefined) {
      countRejection(this.#rejected, "ip");
      return;
    }
    // The VRID is looked at before anything is checked: the checks depend on what that router expects.
    const receiver = this.#receivers.get(datagram.pdu[1] ?? -1);
    if (receiver === undefined) countRejection(this.#rejected, refuseUnknown(datagram, this.family));
    // Stamps are in real time, which can be set: nothing arrived before the queue was last found empty.
    else receiver.receive(datagram, Math.max(batch.at(i), this.#emptyAt));
  }
}

/** Between socket() and binding packets of every interface come in; the filter keeps them out. */
function prepare(socket: Socket, link: Link, family: Family): void {
  socket.attachFilter(dropAll());
  socket.bindToDevice(link.name);
  setReceiveBuffer(socket);
  socket.setOption(SOL_SOCKET, SO_TIMESTAMPNS, 1);
  socket.setOption(SOL_SOCKET, SO_PRIORITY, controlPriority);
  if (family === 4) {
    socket.setOption(IPPROTO_IP, IP_HDRINCL, 1);
    socket.setOption(IPPROTO_IP, IP_MULTICAST_LOOP, 0);
    socket.setOption(IPPROTO_IP, IP_MULTICAST_ALL, 0);
    socket.setOption(IPPROTO_IP, IP_ADD_MEMBERSHIP, membership4(allVrrpRouters4, link.index));
  } else {
    socket.setOption(IPPROTO_IPV6, IPV6_HDRINCL, 1);
    socket.setOption(IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0);
    socket.setOption(IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
    socket.setOption(IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
    socket.setOption(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    socket.setOption(IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, membership6(allVrrpRouters6, link.index));
  }
  for (let i = 0; i < drainBatches; i++) {
    const batch = socket.receive();
    if (typeof batch === "number" || batch.count === 0) break;
  }
  socket.attachFilter(acceptAll());
}

/** Raw IPv4 sockets hand over the IP header. */
function fromIpv4(batch: Batch, i: number): Datagram | undefined {
  const packet = batch.truncated(i) ? undefined : decodeIpv4(batch.bytes(i));
  if (packet === undefined) return undefined;
  return { source: packet.source, destination: packet.destination, ttl: packet.ttl, pdu: packet.payload };
}

/** Raw IPv6 sockets hand over the payload; the header's fields come as ancillary data. */
function fromIpv6(batch: Batch, i: number): Datagram | undefined {
  const source = addressOf(batch.source(i));
  const destination = batch.destination(i);
  if (source === undefined || destination === undefined || batch.truncated(i)) return undefined;
  return { source, destination, ttl: batch.ttl(i), pdu: batch.bytes(i) };
}

function setReceiveBuffer(socket: Socket): void {
  try {
    socket.setOption(SOL_SOCKET, SO_RCVBUFFORCE, receiveBuffer);
  } catch (error) {
    // Without CAP_NET_ADMIN the system's limit applies.
    if (!(error instanceof SystemError) || error.code !== "EPERM") throw error;
    socket.setOption(SOL_SOCKET, SO_RCVBUF, receiveBuffer);
  }
}

/** Sends whole frames; receives nothing. One for all interfaces. */
export class FrameSender {
  readonly #socket: Socket;
  readonly #sockaddrs = new Map<number, Uint8Array>();

  static open(): FrameSender {
    return new FrameSender(Socket.open(AF_PACKET, SOCK_RAW, 0, "packet socket for announcements"));
  }

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  send(link: Link, frame: Uint8Array): number {
    let sockaddr = this.#sockaddrs.get(link.index);
    if (sockaddr === undefined) {
      sockaddr = sockaddrLinkLayer(link.index, 0);
      this.#sockaddrs.set(link.index, sockaddr);
    }
    return this.#socket.send(frame, sockaddr);
  }

  close(): void {
    this.#socket.close();
  }
}
