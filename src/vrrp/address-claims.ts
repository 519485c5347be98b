/**
 * Hosts that say an address is theirs, heard by ARP and neighbour advertisements (RFC 5227 section 2.4, RFC 4861
 * section 7.2.5). Ordinary traffic does not wake this process: the kernel compares, and only what names a watched
 * address on its interface comes in.
 *
 * One socket for each protocol serves all interfaces and stays open once it was needed: closing a packet socket makes
 * the kernel wait for every processor, about ten milliseconds in which no advertisement would leave.
 */
import type { Link } from "../netlink/link.ts";
import {
  AF_INET6,
  AF_PACKET,
  ETH_P_ARP,
  ICMP6_FILTER,
  IPPROTO_ICMPV6,
  IPPROTO_IPV6,
  IPV6_RECVHOPLIMIT,
  IPV6_RECVPKTINFO,
  SO_RCVBUF,
  SOCK_RAW,
  SOL_SOCKET,
} from "../socket/constants.ts";
import { acceptWatched, dropAll, type Watched } from "../socket/filter.ts";
import { sockaddrLinkLayer } from "../socket/sockaddr.ts";
import { type Batch, Socket } from "../socket/socket.ts";
import { type Family, familyOf, formatAddress, type IpAddress } from "../wire/address.ts";
import { decodeArp } from "../wire/arp.ts";
import { readUint32 } from "../wire/bytes.ts";
import { decodeAdvertisementMessage } from "../wire/neighbor.ts";
import { newEntry } from "./deadlines.ts";
import type { Claimed, ClaimRequests, Host } from "./host.ts";
import type { Instant, Milliseconds } from "./parameters.ts";

/** So many claims a second are looked at, however many are sent; then the kernel drops them until the second is over. */
const mostClaims = 64;
const second: Milliseconds = 1000;
const receiveBuffer = 64 * 1024;
/** The sender's address in an ARP frame; the last word of the target in a neighbour advertisement. */
const wordAt = { 4: 28, 6: 20 } as const;
const neighborAdvertisement = 136;

type ClaimHost = Pick<Host, "now" | "scheduleBackground" | "soon">;

export class AddressClaims implements ClaimRequests {
  readonly #listeners = new Map<Family, Listener>();
  readonly #open: (family: Family) => Listener;

  /** Claims by a MAC that an interface of this host has are left out. */
  constructor(host: ClaimHost, isOwnMac: (mac: Uint8Array) => boolean, warn: (message: string) => void) {
    this.#open = (family) => new Listener(family, host, isOwnMac, warn);
  }

  /** Throws when the kernel refuses the socket. The result ends it. */
  watch(link: Link, addresses: readonly IpAddress[], claimed: Claimed): () => void {
    const ends = addresses.map((address) => {
      const family = familyOf(address);
      const listener = this.#listeners.get(family) ?? this.#open(family);
      this.#listeners.set(family, listener);
      return listener.add(link.index, address, claimed);
    });
    return () => {
      for (const end of ends) end();
    };
  }
}

class Listener {
  readonly #family: Family;
  readonly #host: ClaimHost;
  readonly #isOwnMac: (mac: Uint8Array) => boolean;
  readonly #warn: (message: string) => void;
  readonly #socket: Socket;
  /** By interface index, then by the text of the address. */
  readonly #watched = new Map<number, Map<string, { readonly word: number; readonly claimed: Set<Claimed> }>>();
  readonly #rest = newEntry(() => this.#wake());
  #seen = 0;
  #secondBegan: Instant = Number.NEGATIVE_INFINITY;
  #resting = false;
  #changing = false;
  #tooMany = false;

  constructor(
    family: Family,
    host: ClaimHost,
    isOwnMac: (mac: Uint8Array) => boolean,
    warn: (message: string) => void,
  ) {
    this.#family = family;
    this.#host = host;
    this.#isOwnMac = isOwnMac;
    this.#warn = warn;
    this.#socket = family === 4 ? openArp() : openNeighbor();
    this.#socket.watch(
      () => this.#read(),
      // An interface went down, or a neighbour is unreachable: nothing that concerns who claims what.
      () => {},
    );
  }

  add(index: number, address: IpAddress, claimed: Claimed): () => void {
    const known = this.#watched.get(index) ?? new Map();
    this.#watched.set(index, known);
    const text = formatAddress(address);
    const entry = known.get(text) ?? { word: readUint32(address, address.length - 4), claimed: new Set<Claimed>() };
    known.set(text, entry);
    entry.claimed.add(claimed);
    this.#change();
    return () => {
      entry.claimed.delete(claimed);
      if (entry.claimed.size > 0 || known.get(text) !== entry) return;
      known.delete(text);
      if (known.size === 0) this.#watched.delete(index);
      this.#change();
    };
  }

  /** A thousand routers that become active together change the filter once. */
  #change(): void {
    if (this.#changing) return;
    this.#changing = true;
    this.#host.soon(() => {
      this.#changing = false;
      if (!this.#resting) this.#filter();
    });
  }

  #filter(): void {
    const watched: Watched[] = [...this.#watched].map(([interfaceIndex, addresses]) => ({
      interfaceIndex,
      words: [...new Set([...addresses.values()].map(({ word }) => word))],
    }));
    const program = watched.length === 0 ? dropAll() : acceptWatched(wordAt[this.#family], watched);
    if (program === undefined && !this.#tooMany) {
      this.#warn(`too many IPv${this.#family} addresses to watch for duplicates: none is watched`);
    }
    this.#tooMany = program === undefined;
    this.#attach(program ?? dropAll());
  }

  #attach(program: Uint8Array): void {
    try {
      this.#socket.attachFilter(program);
    } catch (error) {
      this.#warn(error instanceof Error ? error.message : String(error));
    }
  }

  #read(): void {
    const batch = this.#socket.receive();
    if (typeof batch === "number") return;
    const now = this.#host.now();
    if (now - this.#secondBegan >= second) {
      this.#secondBegan = now;
      this.#seen = 0;
    }
    for (let i = 0; i < batch.count; i++) if (this.#seen++ < mostClaims) this.#deliver(batch, i);
    if (this.#seen < mostClaims || this.#resting) return;
    this.#resting = true;
    this.#attach(dropAll());
    this.#host.scheduleBackground(this.#rest, this.#secondBegan + second);
  }

  #wake(): void {
    this.#resting = false;
    this.#filter();
  }

  #deliver(batch: Batch, i: number): void {
    const claim = this.#family === 4 ? fromArp(batch, i) : fromNeighbor(batch, i);
    if (claim === undefined || this.#isOwnMac(claim.mac)) return;
    const entry = this.#watched.get(batch.interfaceIndex(i))?.get(formatAddress(claim.address));
    for (const claimed of entry?.claimed ?? []) claimed(claim.address, claim.mac);
  }
}

interface Claim {
  readonly address: IpAddress;
  readonly mac: Uint8Array;
}

function fromArp(batch: Batch, i: number): Claim | undefined {
  const arp = decodeArp(batch.bytes(i));
  return arp && { address: arp.senderAddress, mac: arp.senderMac };
}

/** RFC 4861 section 7.1.2: only from the link itself. Without a MAC it tells nothing that could be acted upon. */
function fromNeighbor(batch: Batch, i: number): Claim | undefined {
  const message = batch.ttl(i) === 255 ? decodeAdvertisementMessage(batch.bytes(i)) : undefined;
  return message?.mac && { address: message.target, mac: message.mac };
}

function openArp(): Socket {
  const socket = Socket.open(AF_PACKET, SOCK_RAW, 0, "packet socket for ARP", { batchSize: 32, slotSize: 128 });
  return prepared(socket, () => socket.bind(sockaddrLinkLayer(0, ETH_P_ARP)));
}

function openNeighbor(): Socket {
  const options = { batchSize: 32, slotSize: 256 };
  const socket = Socket.open(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6, "raw socket for neighbour advertisements", options);
  return prepared(socket, () => {
    const blocked = new Uint8Array(32).fill(0xff);
    const word = neighborAdvertisement >> 5;
    new DataView(blocked.buffer).setUint32(word * 4, ~(1 << (neighborAdvertisement & 31)) >>> 0, true);
    socket.setOption(IPPROTO_ICMPV6, ICMP6_FILTER, blocked);
    socket.setOption(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    socket.setOption(IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
  });
}

/** Nothing comes in before it is known what for. */
function prepared(socket: Socket, prepare: () => void): Socket {
  try {
    socket.attachFilter(dropAll());
    socket.setOption(SOL_SOCKET, SO_RCVBUF, receiveBuffer);
    prepare();
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}
