/**
 * A simulated switch. It carries bytes: what a router sends is encoded, and everybody gets a copy of its own, so that
 * two routers cannot share anything but what is on the wire. Faults are set for each direction of each pair of ports.
 */
import { type Advertisement, decodeAdvertisement } from "../../src/vrrp/advertisement.ts";
import type { Instant, Milliseconds } from "../../src/vrrp/parameters.ts";
import {
  allVrrpRouters4,
  allVrrpRouters6,
  equalAddresses,
  type Family,
  formatAddress,
  formatMac,
  type IpAddress,
} from "../../src/wire/address.ts";
import { decodeArp } from "../../src/wire/arp.ts";
import { decodeIpv4, decodeIpv6 } from "../../src/wire/ip.ts";
import { decodeNeighbor } from "../../src/wire/neighbor.ts";
import type { SimulatedTime } from "./simulated-time.ts";

export interface Port {
  readonly name: string;
  readonly mac: Uint8Array;
  /** The cable is plugged in at this end. */
  readonly connected: boolean;
  owns(address: IpAddress): boolean;
  deliver(family: Family, bytes: Uint8Array): void;
  /** A host says that it has the address. */
  claim(address: IpAddress, mac: Uint8Array): void;
}

export interface Probe {
  readonly at: Instant;
  readonly node: string;
  readonly address: string;
}

export interface Advert {
  readonly at: Instant;
  /** The port it came in by. */
  readonly node: string;
  readonly family: Family;
  readonly source: string;
  readonly destination: string;
  readonly ttl: number;
  readonly vrid: number;
  readonly version: 2 | 3;
  readonly priority: number;
  readonly interval: Milliseconds;
  readonly checksumForm: Advertisement["checksumForm"];
  readonly count: number;
  readonly signed: boolean;
}

export interface Announcement {
  readonly at: Instant;
  readonly node: string;
  readonly address: string;
  readonly mac: string;
}

export interface Quality {
  /** Probabilities. */
  readonly loss: number;
  readonly duplicate: number;
  readonly reorder: number;
  readonly least: Milliseconds;
  readonly most: Milliseconds;
}

export const goodLink: Quality = { loss: 0, duplicate: 0, reorder: 0, least: 0.05, most: 0.1 };

/** How much later a packet comes that is overtaken by others. */
const overtaken: Milliseconds = 20;

export class SimulatedLan {
  readonly time: SimulatedTime;
  /** Everything that entered the switch, in order. */
  readonly adverts: Advert[] = [];
  readonly announcements: Announcement[] = [];
  readonly probes: Probe[] = [];
  /** The bytes of both, as they were sent. */
  readonly datagrams: Uint8Array[] = [];
  readonly frames: Uint8Array[] = [];
  /** What a host on the switch believes: the MAC that was announced last for each address. */
  readonly neighbors = new Map<string, string>();
  readonly #ports = new Map<string, Port>();
  readonly #quality = new Map<string, Quality>();
  readonly #cut = new Set<string>();
  readonly #last = new Map<string, Instant>();
  #usual: Quality = goodLink;

  constructor(time: SimulatedTime) {
    this.time = time;
  }

  attach(port: Port): void {
    this.#ports.set(port.name, port);
  }

  /** All links, except those that were given their own quality. */
  set quality(quality: Partial<Quality>) {
    this.#usual = { ...this.#usual, ...quality };
  }

  setQuality(from: string, to: string, quality: Partial<Quality>): void {
    this.#quality.set(`${from}>${to}`, { ...this.#usual, ...quality });
  }

  /** Nothing passes from one port to the other; `family` names the only protocol that is held up. */
  cut(from: string, to: string, family: Family | "" = ""): void {
    this.#cut.add(`${from}>${to}${family}`);
  }

  mend(from: string, to: string, family: Family | "" = ""): void {
    this.#cut.delete(`${from}>${to}${family}`);
  }

  /** Nodes of different groups do not hear each other; what is in no group hears nobody. */
  partition(...groups: readonly (readonly string[])[]): void {
    const groupOf = (name: string) => groups.findIndex((group) => group.includes(name));
    this.heal();
    for (const a of this.#ports.keys()) {
      for (const b of this.#ports.keys()) if (a !== b && (groupOf(a) < 0 || groupOf(a) !== groupOf(b))) this.cut(a, b);
    }
  }

  heal(): void {
    this.#cut.clear();
  }

  reaches(from: string, to: string): boolean {
    return !this.#cut.has(`${from}>${to}`);
  }

  /** A VRRP datagram, IP header included. `from` may be a port, or a host that is none. */
  sendDatagram(from: string, family: Family, bytes: Uint8Array, destination: IpAddress): void {
    this.#record(from, family, bytes);
    const multicast = equalAddresses(destination, family === 4 ? allVrrpRouters4 : allVrrpRouters6);
    for (const port of this.#ports.values()) {
      if (port.name === from || !(multicast || port.owns(destination))) continue;
      this.#carry(from, port, family, bytes);
    }
  }

  /** A loop in the network: the frame comes back to its sender. */
  reflect(to: string, family: Family, bytes: Uint8Array): void {
    const port = this.#ports.get(to);
    if (port !== undefined) this.time.after(this.#usual.least, () => port.deliver(family, bytes.slice()));
  }

  sendFrame(from: string, frame: Uint8Array): void {
    const arp = decodeArp(frame);
    const neighbor = arp === undefined ? decodeNeighbor(frame) : undefined;
    const address = arp?.targetAddress ?? neighbor?.target;
    const mac = arp?.senderMac ?? neighbor?.mac;
    if (address === undefined || mac === undefined) throw new Error(`${from} sent a frame that is no announcement`);
    if (neighbor?.kind === "solicitation" || arp?.senderAddress.every((byte) => byte === 0) === true) {
      this.#ask(from, address.slice());
      return;
    }
    this.claim(from, address.slice(), mac.slice());
    const announcement = { at: this.time.now, node: from, address: formatAddress(address), mac: formatMac(mac) };
    this.announcements.push(announcement);
    this.frames.push(frame.slice());
    this.neighbors.set(announcement.address, announcement.mac);
  }

  /** Heard by everybody else who is reached. `from` may be a host that is no port. */
  claim(from: string, address: IpAddress, mac: Uint8Array): void {
    for (const port of this.#ports.values()) {
      if (port.name === from || !this.reaches(from, port.name)) continue;
      this.time.after(this.#usual.least, () => {
        if (port.connected) port.claim(address, mac);
      });
    }
  }

  /** Kernels answer by themselves; the answer goes to the one who asked. */
  #ask(from: string, address: IpAddress): void {
    this.probes.push({ at: this.time.now, node: from, address: formatAddress(address) });
    const asking = this.#ports.get(from);
    for (const port of this.#ports.values()) {
      if (port.name === from || !this.reaches(from, port.name) || !this.reaches(port.name, from)) continue;
      this.time.after(2 * this.#usual.least, () => {
        if (port.connected && asking?.connected && port.owns(address)) asking.claim(address, port.mac);
      });
    }
  }

  #carry(from: string, port: Port, family: Family, bytes: Uint8Array): void {
    const { random } = this.time;
    const quality = this.#quality.get(`${from}>${port.name}`) ?? this.#usual;
    if (!this.reaches(from, port.name) || this.#cut.has(`${from}>${port.name}${family}`)) return;
    if (random() < quality.loss) return;
    const copies = random() < quality.duplicate ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      const late = random() < quality.reorder ? overtaken : 0;
      const copy = bytes.slice();
      const path = `${from}>${port.name}`;
      const arrival = this.time.now + this.time.between(quality.least, quality.most) + late;
      // A switch keeps the order of what passes it on one way.
      const at = late > 0 ? arrival : Math.max(arrival, this.#last.get(path) ?? 0);
      if (late === 0) this.#last.set(path, at);
      this.time.at(at, () => {
        if (port.connected) port.deliver(family, copy);
      });
    }
  }

  #record(node: string, family: Family, bytes: Uint8Array): void {
    const packet = family === 4 ? decodeIpv4(bytes) : decodeIpv6(bytes);
    if (packet === undefined) throw new Error(`${node} sent what is no IPv${family} packet`);
    const { source, destination } = packet;
    const options = {
      family,
      version: "any",
      checksum: "either",
      firstLinkLocal: "strict",
      source,
      destination,
      trailer: true,
    } as const;
    const advertisement = decodeAdvertisement(packet.payload, options);
    // Packets from a forger may be broken.
    if (typeof advertisement === "string") return;
    const { vrid, version, priority, interval, checksumForm, count, trailer } = advertisement;
    this.datagrams.push(bytes);
    this.adverts.push({
      at: this.time.now,
      node,
      family,
      source: formatAddress(source),
      destination: formatAddress(destination),
      ttl: "ttl" in packet ? packet.ttl : packet.hopLimit,
      vrid,
      version,
      priority,
      interval,
      checksumForm,
      count,
      signed: trailer !== undefined,
    });
  }
}
