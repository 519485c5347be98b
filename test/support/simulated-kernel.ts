/** The part of a simulated node that survives its processes: links, addresses with lifetimes, and the cable to a LAN. */
import { type AddressEntry, IFA_F_PERMANENT, IFA_F_SECONDARY, IFA_F_TENTATIVE } from "../../src/netlink/address.ts";
import type { Link } from "../../src/netlink/link.ts";
import type { Instant, Milliseconds } from "../../src/vrrp/parameters.ts";
import { addressOwner } from "../../src/vrrp/virtual-entry.ts";
import {
  allVrrpRouters4,
  allVrrpRouters6,
  equalAddresses,
  type Family,
  formatAddress,
  formatMac,
  type IpAddress,
  isLinkLocal,
} from "../../src/wire/address.ts";
import { decodeEthernet, ETH_P_IP, ETH_P_IPV6 } from "../../src/wire/ethernet.ts";
import { address } from "./packets.ts";
import type { Port, SimulatedLan } from "./simulated-lan.ts";
import { SimulatedTables } from "./simulated-routing.ts";
import type { Cancel, SimulatedTime } from "./simulated-time.ts";

export const ENODEV = 19;
export const ENETDOWN = 100;

export type KernelChange =
  | { readonly object: "link"; readonly kind: "added" | "changed" | "removed"; readonly link: Link }
  | { readonly object: "address"; readonly kind: "added" | "changed" | "removed"; readonly address: AddressEntry };

interface Held {
  entry: AddressEntry;
  expires: Instant;
  cancel: Cancel;
}

const duplicateAddressDetection: Milliseconds = 1000;
const forever: Cancel = () => {};

export class SimulatedKernel implements Port {
  readonly name: string;
  readonly time: SimulatedTime;
  readonly links = new Map<number, Link>();
  /** Hears of every change at the moment it happens, as netlink would tell it. */
  onChange: (change: KernelChange) => void = () => {};
  /** Takes packets; set while a process has sockets open. */
  onPacket: (index: number, family: Family, bytes: Uint8Array) => void = () => {};
  /** Hears who claims an address. */
  onClaim: (index: number, address: IpAddress, mac: Uint8Array) => void = () => {};
  readonly number: number;
  /** For how long the machine has slept. */
  suspended: Milliseconds = 0;
  /** What somebody has set the wall clock to, as a difference. */
  wallClockOffset: Milliseconds = 0;
  /** Source MAC addresses of advertisements that left as frames. */
  readonly advertisedFrom = new Set<string>();
  /** The errno's name with which virtual addresses are refused. */
  refuses: string | undefined;
  /** The errno's name with which macvlan devices are refused. */
  refusesDevices: string | undefined;
  /** Below /proc/sys; what is not in it is "0". */
  readonly settings = new Map<string, string>();
  readonly tables = new SimulatedTables({
    links: this.links,
    addressesOn: (index) => this.held(index).map(({ entry }) => entry),
  });
  readonly #lan: SimulatedLan;
  readonly #linkLocal: string;
  readonly #addresses = new Map<number, Held[]>();
  #nextIndex = 2;
  #carrier = true;

  /** A node with `eth0`: 192.0.2.number, 2001:db8::number and fe80::number, unless the last one is given. */
  constructor(name: string, number: number, lan: SimulatedLan, linkLocal = `fe80::${number.toString(16)}`) {
    this.name = name;
    this.time = lan.time;
    this.number = number;
    this.#lan = lan;
    this.#linkLocal = linkLocal;
    lan.attach(this);
    this.createLink();
  }

  get mac(): Uint8Array {
    return Uint8Array.of(2, 0, 0, 0, 0, this.number);
  }

  get link(): Link | undefined {
    return [...this.links.values()].find(({ name }) => name === "eth0");
  }

  get connected(): boolean {
    return this.link?.running === true;
  }

  /** Only eth0 gets addresses by itself. */
  createLink(name = "eth0"): void {
    const index = this.#nextIndex++;
    const link = { index, name, type: 1, flags: 0, up: true, running: this.#carrier, mtu: 1500, mac: this.mac };
    this.links.set(index, link);
    this.onChange({ object: "link", kind: "added", link });
    if (name !== "eth0") return;
    this.#configured(index, `192.0.2.${this.number}`, 24);
    this.#configured(index, this.#linkLocal, 64);
    this.#configured(index, `2001:db8::${this.number.toString(16)}`, 64);
  }

  deleteLink(name = "eth0"): void {
    const link = [...this.links.values()].find((candidate) => candidate.name === name);
    if (link !== undefined) this.removeLink(link.index);
  }

  /** A device of whatever kind; the errno's name when there is one of this name. */
  addLink(device: Omit<Link, "index" | "flags" | "running">): string | undefined {
    if ([...this.links.values()].some(({ name }) => name === device.name)) return "EEXIST";
    const index = this.#nextIndex++;
    const link = { ...device, index, flags: 0, running: device.up && this.#carrier };
    this.links.set(index, link);
    this.onChange({ object: "link", kind: "added", link });
    return undefined;
  }

  /** With its addresses, and with the devices on top of it. */
  removeLink(index: number): string | undefined {
    const link = this.links.get(index);
    if (link === undefined) return "ENODEV";
    for (const upper of [...this.links.values()]) if (upper.parent === index) this.removeLink(upper.index);
    for (const { entry } of [...(this.#addresses.get(index) ?? [])]) this.deleteAddress(entry);
    this.links.delete(index);
    this.#addresses.delete(index);
    this.tables.linkChanged();
    this.onChange({ object: "link", kind: "removed", link });
    return undefined;
  }

  /** Up and down as setUp() does it. */
  changeLink(index: number, changes: Partial<Link>): string | undefined {
    const link = this.links.get(index);
    if (link === undefined) return "ENODEV";
    const up = changes.up ?? link.up;
    this.#change({ ...link, ...changes, running: up && this.#carrier });
    if (!up) for (const { entry } of this.held(index)) if (entry.family === 6) this.deleteAddress(entry);
    return undefined;
  }

  /** As `ip link set eth0 down`: IPv6 addresses go, IPv4 addresses stay; up again, the link-local one is tentative first. */
  setUp(up: boolean): void {
    const link = this.link;
    if (link === undefined || link.up === up) return;
    this.#change({ ...link, up, running: up && this.#carrier });
    if (!up) {
      for (const { entry } of this.held(link.index)) if (entry.family === 6) this.deleteAddress(entry);
      return;
    }
    const text = this.#linkLocal;
    this.#configured(link.index, text, 64, IFA_F_TENTATIVE);
    this.time.after(duplicateAddressDetection, () => {
      if (this.find(link.index, address(text), 64) !== undefined) this.#configured(link.index, text, 64);
    });
  }

  setCarrier(carrier: boolean): void {
    this.#carrier = carrier;
    const link = this.link;
    if (link !== undefined) this.#change({ ...link, running: link.up && carrier });
  }

  /** A new name, MAC or state of one of the links. */
  alter(name: string, changes: Partial<Link>): void {
    const link = [...this.links.values()].find((candidate) => candidate.name === name);
    if (link !== undefined) this.#change({ ...link, ...changes });
  }

  held(index: number): readonly Held[] {
    return [...(this.#addresses.get(index) ?? [])];
  }

  find(index: number, wanted: IpAddress, prefixLength?: number): AddressEntry | undefined {
    return this.#find(index, wanted, prefixLength)?.entry;
  }

  holds(text: string): boolean {
    return this.owns(address(text));
  }

  owns(wanted: IpAddress): boolean {
    return [...this.links.keys()].some((index) => this.find(index, wanted) !== undefined);
  }

  addresses(): string[] {
    return [...this.links.keys()].flatMap((index) => this.held(index).map(({ entry }) => formatAddress(entry.address)));
  }

  /** The errno's name when it refuses. An address that is there gets the new flags and lifetime. */
  addAddress(entry: AddressEntry): string | undefined {
    const list = this.#addresses.get(entry.index) ?? [];
    if (!this.links.has(entry.index)) return "ENODEV";
    if (this.refuses !== undefined && entry.protocol === addressOwner) return this.refuses;
    this.#addresses.set(entry.index, list);
    const known = this.#find(entry.index, entry.address, entry.prefixLength);
    const held = known ?? { entry, expires: 0, cancel: forever };
    held.cancel();
    held.entry = {
      ...entry,
      flags: this.#flagsOf(
        entry,
        list.filter((other) => other !== known),
      ),
    };
    held.expires = this.time.now + entry.validLifetime * 1000;
    held.cancel = Number.isFinite(held.expires)
      ? this.time.at(held.expires, () => this.deleteAddress(held.entry))
      : forever;
    if (known === undefined) list.push(held);
    this.onChange({ object: "address", kind: known === undefined ? "added" : "changed", address: held.entry });
    return undefined;
  }

  /** Whether it was there. */
  deleteAddress({ index, address: bytes, prefixLength }: AddressEntry): boolean {
    const held = this.#find(index, bytes, prefixLength);
    if (held === undefined) return false;
    held.cancel();
    const list = this.#addresses.get(index) ?? [];
    list.splice(list.indexOf(held), 1);
    this.onChange({ object: "address", kind: "removed", address: held.entry });
    this.tables.addressRemoved(held.entry);
    this.#promote(list);
    return true;
  }

  /** As an administrator would with `ip address`. */
  addByHand(text: string, prefixLength: number): void {
    if (this.link !== undefined) this.#configured(this.link.index, text, prefixLength);
  }

  deleteByHand(text: string): void {
    for (const { entry } of this.held(this.link?.index ?? 0)) {
      if (formatAddress(entry.address) === text) this.deleteAddress(entry);
    }
  }

  /** Bytes that the kernel took, or the negative errno. */
  sendDatagram(index: number, family: Family, bytes: Uint8Array, destination: IpAddress): number {
    const link = this.links.get(index);
    if (link === undefined) return -ENODEV;
    if (!link.up) return -ENETDOWN;
    if (link.running) this.#lan.sendDatagram(this.name, family, bytes, destination);
    return bytes.length;
  }

  /** An advertisement in a frame of its own. */
  sendMulticast(index: number, family: Family, frame: Uint8Array): number {
    const { source, etherType, payload } = decodeEthernet(frame) ?? {};
    if (source === undefined || payload === undefined) throw new Error(`${this.name} sent half a frame`);
    if (etherType !== (family === 4 ? ETH_P_IP : ETH_P_IPV6)) throw new Error(`${this.name}: EtherType ${etherType}`);
    this.advertisedFrom.add(formatMac(source));
    const result = this.sendDatagram(index, family, payload, family === 4 ? allVrrpRouters4 : allVrrpRouters6);
    return result < 0 ? result : frame.length;
  }

  sendFrame(index: number, frame: Uint8Array): number {
    const link = this.links.get(index);
    if (link === undefined) return -ENODEV;
    if (!link.up) return -ENETDOWN;
    if (link.running) this.#lan.sendFrame(this.name, frame);
    return frame.length;
  }

  deliver(family: Family, bytes: Uint8Array): void {
    if (this.link !== undefined) this.onPacket(this.link.index, family, bytes);
  }

  claim(claimed: IpAddress, mac: Uint8Array): void {
    if (this.link !== undefined) this.onClaim(this.link.index, claimed, mac);
  }

  #find(index: number, wanted: IpAddress, prefixLength?: number): Held | undefined {
    return this.#addresses
      .get(index)
      ?.find(
        ({ entry }) =>
          equalAddresses(entry.address, wanted) && (prefixLength ?? entry.prefixLength) === entry.prefixLength,
      );
  }

  #change(link: Link): void {
    this.links.set(link.index, link);
    this.tables.linkChanged();
    this.onChange({ object: "link", kind: "changed", link });
  }

  #configured(index: number, text: string, prefixLength: number, flags = IFA_F_PERMANENT): void {
    const bytes = address(text);
    const lifetime = Number.POSITIVE_INFINITY;
    this.addAddress({
      family: bytes.length === 4 ? 4 : 6,
      index,
      address: bytes,
      prefixLength,
      scope: isLinkLocal(bytes) ? 253 : 0,
      flags,
      protocol: 0,
      validLifetime: lifetime,
      preferredLifetime: lifetime,
    });
  }

  /** As net.ipv4.conf.*.promote_secondaries has it: the next address of a network becomes its primary one. */
  #promote(list: readonly Held[]): void {
    for (const [i, held] of list.entries()) {
      const flags = this.#flagsOf({ ...held.entry, flags: held.entry.flags & ~IFA_F_SECONDARY }, list.slice(0, i));
      if (flags === held.entry.flags) continue;
      held.entry = { ...held.entry, flags };
      this.onChange({ object: "address", kind: "changed", address: held.entry });
    }
  }

  /** A second IPv4 address of one network is secondary. */
  #flagsOf(entry: AddressEntry, others: readonly Held[]): number {
    const network = ({ address: bytes }: AddressEntry) => bytes.subarray(0, entry.prefixLength >> 3).join();
    const first = others.find(
      ({ entry: other }) =>
        other.family === 4 && other.prefixLength === entry.prefixLength && network(other) === network(entry),
    );
    return entry.family === 4 && first !== undefined ? entry.flags | IFA_F_SECONDARY : entry.flags;
  }
}
