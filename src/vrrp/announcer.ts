/** Sends the gratuitous ARP and unsolicited neighbour advertisements that the schedule of announce.ts asks for. */
import type { Link } from "../netlink/link.ts";
import { type IpAddress, parseAddress } from "../wire/address.ts";
import { encodeGratuitousArp } from "../wire/arp.ts";
import { equalBytes } from "../wire/bytes.ts";
import { encodeUnsolicitedAdvertisement } from "../wire/neighbor.ts";
import {
  type AnnounceState,
  announceAgain,
  beginAnnouncing,
  nextAnnouncement,
  silentAnnouncer,
  takeAnnouncement,
} from "./announce.ts";
import { newEntry } from "./deadlines.ts";
import type { Host } from "./host.ts";
import type { AnnounceParameters, Instant, VirtualAddress } from "./parameters.ts";

/** Frames sent in one go when no interval is set: short enough that nothing waits for it. */
const batch = 32;
const batchGap = 1;
const noMac = new Uint8Array();

export interface Via {
  readonly device: string;
  readonly base: string;
  readonly mac: Uint8Array;
}

interface Prepared {
  readonly device: string;
  readonly mac: Uint8Array;
  readonly frame: Uint8Array;
}

export class Announcer {
  readonly #host: Host;
  readonly #rounds = newEntry((now) => this.#startRounds(now));
  readonly #frames = newEntry((now) => this.#sendFrames(now));
  #parameters: AnnounceParameters | undefined;
  #state: AnnounceState = silentAnnouncer;
  #addresses: readonly VirtualAddress[] = [];
  #via: Via | undefined;
  readonly #prepared = new Map<VirtualAddress, Prepared>();
  /** Interfaces as they were when they were last announced on. */
  readonly #links = new Map<string, { readonly running: boolean; readonly mac: Uint8Array }>();
  /** Position in the running round; at the end when no round is running. */
  #next = Number.POSITIVE_INFINITY;

  constructor(host: Host) {
    this.#host = host;
  }

  /**
   * A round that is running begins anew with the new list. `via` says how the addresses on one device are announced:
   * from the interface below it, which is up however long the device takes, with the MAC address of the device.
   */
  configure(addresses: readonly VirtualAddress[], via?: Via): void {
    this.#via = via;
    const running = this.#next < this.#addresses.length;
    this.#next = running ? 0 : Number.POSITIVE_INFINITY;
    this.#addresses = addresses;
    this.#prepared.clear();
    this.#links.clear();
    for (const { device } of addresses) this.#noteLink(device);
  }

  begin(parameters: AnnounceParameters): void {
    const now = this.#host.now();
    this.#parameters = parameters;
    for (const device of this.#links.keys()) this.#noteLink(device);
    this.#state = beginAnnouncing(parameters, now);
    this.#startRounds(now);
  }

  /** Only while announcing: a router that is not active has nothing to say. */
  again(parameters: AnnounceParameters, least: 0 | 1): void {
    if (this.#parameters === undefined) return;
    this.#parameters = parameters;
    this.#state = announceAgain(parameters, this.#state, this.#host.now(), least);
    this.#schedule();
  }

  /** RFC 9568 section 8.1.2: what could not be announced for want of a link is announced when it is there. */
  linkChanged(isMeant: (name: string) => boolean): void {
    let news = false;
    for (const [device, before] of this.#links) {
      if (!isMeant(this.#baseOf(device))) continue;
      const { running, mac } = this.#noteLink(device);
      if (running && (!before.running || !equalBytes(mac, before.mac))) news = true;
    }
    if (news && this.#parameters !== undefined) this.again(this.#parameters, 1);
  }

  stop(): void {
    this.#parameters = undefined;
    this.#state = silentAnnouncer;
    this.#next = Number.POSITIVE_INFINITY;
    this.#schedule();
    this.#host.scheduleBackground(this.#frames, undefined);
  }

  /** One announcement of an address of the host's own. */
  introduce(link: Link, address: IpAddress): void {
    if (link.mac.length === 6) this.#host.sendFrame(link, encodeAnnouncement(link.mac, address));
  }

  #noteLink(device: string): { readonly running: boolean; readonly mac: Uint8Array } {
    const link = this.#host.linkByName(this.#baseOf(device));
    const noted = { running: link?.up === true && link.running, mac: (link && this.#macOf(device, link)) ?? noMac };
    this.#links.set(device, noted);
    return noted;
  }

  #startRounds(now: Instant): void {
    if (this.#parameters === undefined) return;
    const { due, state } = takeAnnouncement(this.#parameters, this.#state, now);
    this.#state = state;
    this.#schedule();
    // A round that is still running reaches every address anyway.
    if (!due || this.#next < this.#addresses.length) return;
    this.#next = 0;
    this.#sendFrames(now);
  }

  #sendFrames(now: Instant): void {
    if (this.#parameters === undefined) return;
    const { interval } = this.#parameters;
    const end = this.#next + (interval > 0 ? 1 : batch);
    for (; this.#next < Math.min(end, this.#addresses.length); this.#next++)
      this.#announce(this.#addresses[this.#next]);
    const more = this.#next < this.#addresses.length;
    if (!more) this.#next = Number.POSITIVE_INFINITY;
    this.#host.scheduleBackground(this.#frames, more ? now + (interval > 0 ? interval : batchGap) : undefined);
  }

  #announce(address: VirtualAddress | undefined): void {
    const link = address && this.#host.linkByName(this.#baseOf(address.device));
    if (address === undefined || link === undefined || link.mac.length !== 6) return;
    // A frame that the kernel does not take is not repeated by itself: the next round comes.
    this.#host.sendFrame(link, this.#prepare(address, link).frame);
  }

  #prepare(address: VirtualAddress, link: Link): Prepared {
    const known = this.#prepared.get(address);
    const mac = this.#macOf(address.device, link);
    if (known !== undefined && equalBytes(known.mac, mac)) return known;
    const bytes = parseAddress(address.address) ?? new Uint8Array(4);
    const prepared = { device: address.device, mac, frame: encodeAnnouncement(mac, bytes) };
    this.#prepared.set(address, prepared);
    return prepared;
  }

  #baseOf(device: string): string {
    return this.#via?.device === device ? this.#via.base : device;
  }

  #macOf(device: string, link: Link): Uint8Array {
    return this.#via?.device === device ? this.#via.mac : link.mac;
  }

  #schedule(): void {
    this.#host.scheduleBackground(this.#rounds, nextAnnouncement(this.#state));
  }
}

function encodeAnnouncement(mac: Uint8Array, address: IpAddress): Uint8Array {
  return address.length === 4 ? encodeGratuitousArp(mac, address) : encodeUnsolicitedAdvertisement(mac, address);
}
