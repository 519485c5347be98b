/**
 * Holds the virtual addresses of one router in the kernel while it is active and keeps them out while it is not.
 *
 * Addresses carry a lifetime that is renewed at half time, so that a host whose viprd died answers for them no longer
 * than that. What others change is put right and told; what the administrator configured as the host's own address is
 * left alone.
 */
import type { AddressEntry } from "../netlink/address.ts";
import { newEntry } from "./deadlines.ts";
import { fresh, type Held, type KeeperParameters, type KeeperPorts, permanent } from "./held-address.ts";
import type { Host, Refusal } from "./host.ts";
import type { Instant, Milliseconds, VirtualAddress } from "./parameters.ts";
import { RepairPace } from "./repair-pace.ts";
import type { AddressStatus } from "./status.ts";
import { addressOwner, describe, isSameAddress, keyOf, matches, spread, toEntry } from "./virtual-entry.ts";
import type { Voice } from "./voice.ts";

const strangerDelay: Milliseconds = 50;
/** Renewals fall on common instants, so that those of many instances share their system calls. */
const renewalGrid: Milliseconds = 100;
export class AddressKeeper {
  readonly #host: Host;
  readonly #instance: string;
  readonly #ports: KeeperPorts;
  readonly #voice: Voice;
  readonly #pace = new RepairPace();
  readonly #renewal = newEntry((now) => this.#renew(now));
  readonly #repair = newEntry((now) => this.#settle(now));
  #parameters: KeeperParameters = { addresses: [], advertised: 0, lease: undefined, owner: false, onRemoval: "repair" };
  #held = new Map<string, Held>();
  #holding = false;

  constructor(host: Host, instance: string, voice: Voice, ports: KeeperPorts) {
    this.#host = host;
    this.#instance = instance;
    this.#voice = voice;
    this.#ports = ports;
  }

  get holding(): boolean {
    return this.#holding;
  }

  /** Takes a new list; while holding, only the difference is touched. True when an address was added. */
  configure(parameters: KeeperParameters): boolean {
    const sameLease = parameters.lease === this.#parameters.lease;
    this.#parameters = parameters;
    const wanted = new Map(parameters.addresses.map((address) => [keyOf(address), address]));
    for (const [key, held] of this.#held) {
      const address = wanted.get(key);
      if (address === undefined || JSON.stringify(address) !== JSON.stringify(held.address)) this.#drop(key, held);
    }
    if (!this.#holding) return false;
    if (!sameLease) this.#changeLease();
    if (parameters.onRemoval === "repair") this.#takeBack();
    return this.#addMissing();
  }

  holds(entry: AddressEntry): boolean {
    return this.#holding && this.#find(entry) !== undefined;
  }

  hold(): void {
    this.#holding = true;
    this.#addMissing();
    // A thousand addresses taken over together must not be renewed together for ever.
    this.#scheduleRenewal(this.#host.now(), 0.25 + 0.25 * spread(this.#instance));
  }

  release(): void {
    this.#holding = false;
    this.#host.scheduleBackground(this.#renewal, undefined);
    this.#host.scheduleBackground(this.#repair, undefined);
    for (const [key, held] of this.#held) this.#drop(key, held);
  }

  /** The kernel says that one of our addresses is gone: our own doing a moment ago, or somebody else's. */
  removed(entry: AddressEntry, port?: number): void {
    const held = this.#find(entry);
    if (!this.#holding || held === undefined || held.foreign || held.left) return;
    held.present = false;
    held.port = port;
    const now = this.#host.now();
    this.#host.scheduleBackground(this.#repair, now + this.#pace.delay(now));
  }

  /** The host's own address, which we found there, is gone: what was its is ours now. */
  replaceRemoved(entry: AddressEntry): void {
    for (const [key, { foreign, address }] of this.#held) {
      if (foreign && matches(address, entry)) this.#held.delete(key);
    }
    if (this.#holding && this.#addMissing()) this.#ports.restored();
  }

  /** An address of ours appeared although we do not hold it. */
  appeared(): void {
    if (this.#holding || this.#parameters.owner) return;
    this.#host.scheduleBackground(this.#repair, this.#host.now() + strangerDelay);
  }

  /** An interface appeared or went away: addresses that were waiting for it go there. */
  linkChanged(isMeant: (name: string) => boolean): void {
    if (!this.#holding || !this.#parameters.addresses.some(({ device }) => isMeant(device))) return;
    for (const held of this.#held.values()) {
      if (held.entry !== undefined && this.#host.linkByName(held.address.device)?.index !== held.entry.index) {
        held.entry = undefined;
      }
    }
    if (this.#addMissing()) this.#ports.restored();
  }

  status(): AddressStatus[] {
    return this.#parameters.addresses.map((address, i) => ({
      address: `${address.address}/${address.prefixLength}`,
      device: address.device,
      advertised: i < this.#parameters.advertised,
      present: this.#isPresent(address),
      lease_s: this.#parameters.lease === undefined || this.#isForeign(address) ? null : this.#parameters.lease / 1000,
    }));
  }

  #addMissing(): boolean {
    let added = false;
    for (const address of this.#parameters.addresses) {
      const key = keyOf(address);
      if (this.#held.get(key)?.entry !== undefined || this.#held.get(key)?.foreign) continue;
      const link = this.#host.linkByName(address.device);
      if (link === undefined) {
        if (address.device === this.#parameters.ownDevice) continue;
        this.#voice.complain(`${describe(address)}: interface ${address.device} does not exist`);
        continue;
      }
      if (this.#isForeign(address)) {
        this.#held.set(key, { address, entry: undefined, foreign: true, ...fresh });
        continue;
      }
      this.#removeOtherPrefix(address, link.index);
      const entry = toEntry(address, link.index, this.#parameters.lease);
      this.#held.set(key, { address, entry, foreign: false, ...fresh });
      this.#add(key, entry);
      added = true;
    }
    return added;
  }

  /** The same address with another prefix length: IPv6 would keep it instead of ours, IPv4 would have both. */
  #removeOtherPrefix(address: VirtualAddress, index: number): void {
    for (const entry of this.#host.addressesOn(index)) {
      if (!isSameAddress(address, entry) || matches(address, entry)) continue;
      this.#host.addresses.delete(entry, (error) => this.#report(error));
    }
  }

  #add(key: string, entry: AddressEntry): void {
    this.#host.addresses.add(entry, (error) => {
      if (error === undefined || !this.#holding) return;
      this.#voice.complain(error.message);
      const held = this.#held.get(key);
      if (permanent.has(error.code)) this.#ports.refused(error.message);
      else if (held?.entry === entry) this.removed(entry, 0);
    });
  }

  #drop(key: string, held: Held): void {
    this.#held.delete(key);
    // Moved to another instance by a reload: it has it already.
    if (held.entry === undefined || this.#host.isHeldElsewhere(held.entry, this.#instance)) return;
    this.#host.addresses.delete(held.entry, (error) => this.#report(error));
  }

  /** Compares with the kernel's table, which has settled by now: events of our own changes are not taken for others'. */
  #settle(now: Instant): void {
    if (this.#holding) this.#putBack(now);
    else this.#removeStrangers();
  }

  #putBack(now: Instant): void {
    let restored = false;
    for (const held of this.#held.values()) {
      if (held.present || held.left) continue;
      held.present = true;
      if (this.#isPresent(held.address)) continue;
      const link = this.#host.linkByName(held.address.device);
      // With its interface gone the instance is told by other means; linkChanged() brings the address back.
      held.entry = link && toEntry(held.address, link.index, this.#parameters.lease);
      if (held.entry === undefined) continue;
      if (!this.#mayPutBack(held)) {
        // The role was given up meanwhile.
        if (!this.#holding) return;
        continue;
      }
      this.#add(keyOf(held.address), held.entry);
      restored = true;
    }
    if (!restored) return;
    this.#pace.repaired(now);
    this.#ports.restored();
  }

  /** What the kernel took away by itself, nobody wants gone. */
  #mayPutBack(held: Held): boolean {
    const what = describe(held.address);
    const byKernel = held.port === 0;
    const who = held.port === undefined || byKernel ? "" : ` (netlink port ${held.port})`;
    const loss = `${what} was removed by ${byKernel ? "the kernel" : "somebody else"}${who}`;
    const { onRemoval } = this.#parameters;
    if (onRemoval === "repair" || byKernel) {
      this.#voice.repaired(what, `${loss}: put back`);
      return true;
    }
    held.left = true;
    held.present = false;
    if (onRemoval === "yield") this.#ports.lost(loss);
    else this.#voice.warn(what, `${loss}: left as it is, as on_removal says`);
    return false;
  }

  /** A host that is not active must not answer for the address, whoever put it there. */
  #removeStrangers(): void {
    if (this.#parameters.owner) return;
    for (const address of this.#parameters.addresses) {
      const link = this.#host.linkByName(address.device);
      for (const entry of link === undefined ? [] : this.#host.addressesOn(link.index)) {
        if (!isSameAddress(address, entry) || this.#host.isHeldElsewhere(entry, this.#instance)) continue;
        const what = describe({ ...address, prefixLength: entry.prefixLength });
        this.#voice.repaired(what, `${what} was there although this node is not active: removed`);
        this.#host.addresses.delete(entry, (error) => this.#report(error));
      }
    }
  }

  /** What was left as somebody else wanted it is to be there again. */
  #takeBack(): void {
    for (const [key, { left }] of this.#held) if (left) this.#held.delete(key);
  }

  /** The kernel still counts down the former lifetime: it gets the new one at once. */
  #changeLease(): void {
    for (const held of this.#held.values()) {
      if (held.entry !== undefined) held.entry = toEntry(held.address, held.entry.index, this.#parameters.lease);
    }
    this.#renewPresent();
    this.#scheduleRenewal(this.#host.now(), 0.5);
  }

  #renew(now: Instant): void {
    if (!this.#holding || this.#parameters.lease === undefined) return;
    this.#renewPresent();
    this.#scheduleRenewal(now, 0.5);
  }

  #renewPresent(): void {
    // An address that somebody removed is put back by the repair, not by a renewal that nobody would hear of.
    const entries = [...this.#held.values()].flatMap(({ entry, present }) =>
      entry !== undefined && present ? [entry] : [],
    );
    this.#host.addresses.renew(entries, (_, error) => this.#report(error));
  }

  #scheduleRenewal(now: Instant, part: number): void {
    const { lease } = this.#parameters;
    const at = lease === undefined ? undefined : Math.floor((now + lease * part) / renewalGrid) * renewalGrid;
    this.#host.scheduleBackground(this.#renewal, at);
  }

  #find(entry: AddressEntry): Held | undefined {
    for (const held of this.#held.values()) {
      if (held.entry?.index === entry.index && matches(held.address, entry)) return held;
    }
    return undefined;
  }

  #isPresent(address: VirtualAddress): boolean {
    const link = this.#host.linkByName(address.device);
    return link !== undefined && this.#host.addressesOn(link.index).some((entry) => matches(address, entry));
  }

  /** An owner's address that was there before us. */
  #isForeign(address: VirtualAddress): boolean {
    if (!this.#parameters.owner) return false;
    const link = this.#host.linkByName(address.device);
    const there = link && this.#host.addressesOn(link.index).find((entry) => isSameAddress(address, entry));
    return there !== undefined && there.protocol !== addressOwner && !this.#held.get(keyOf(address))?.entry;
  }

  #report(error: Refusal | undefined): void {
    if (error !== undefined) this.#voice.complain(error.message);
  }
}
