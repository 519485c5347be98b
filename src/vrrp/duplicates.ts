/**
 * Watches whether another host claims the virtual addresses of one router: asks the link while the active router is
 * overdue and once more after the takeover has settled, and listens as long as it is active (RFC 5227 sections 2.1.1 and
 * 2.4). It only tells; who is active is decided by advertisements alone.
 */
import { IFA_F_TENTATIVE } from "../netlink/address.ts";
import type { Link } from "../netlink/link.ts";
import {
  equalAddresses,
  formatAddress,
  formatMac,
  type IpAddress,
  isLinkLocal,
  parseAddress,
} from "../wire/address.ts";
import { encodeArpProbe } from "../wire/arp.ts";
import { encodeSolicitation } from "../wire/neighbor.ts";
import { newEntry } from "./deadlines.ts";
import type { Host } from "./host.ts";
import { Limiter } from "./limiter.ts";
import type { Instant, Milliseconds, VirtualAddress } from "./parameters.ts";
import type { DuplicateStatus } from "./status.ts";

/** The router that is relieved needs a moment to let go, and its last answers are on their way. */
const settling: Milliseconds = 1000;
/** A better router announces itself right behind its advertisement, and we may read the two in either order. */
const benefitOfDoubt: Milliseconds = 200;
const reminder: Milliseconds = 60_000;
/** Hosts can be invented, and an instance can have hundreds of addresses. */
const mostKnown = 16;
const mostPending = 64;
const mostProbes = 32;
const IFF_LOOPBACK = 0x8;
const IFF_NOARP = 0x80;

type Phase = "off" | "asking" | "settling" | "guarding";

interface Watch {
  readonly link: Link;
  readonly addresses: readonly IpAddress[];
  readonly end: () => void;
}

interface Pending {
  readonly address: string;
  readonly mac: string;
  readonly device: string;
  count: number;
}

interface Known {
  status: DuplicateStatus;
  told: Instant;
}

export class DuplicateGuard {
  readonly #host: Host;
  readonly #instance: string;
  readonly #next = newEntry((now) => this.#proceed(now));
  readonly #limiter = new Limiter(1000);
  readonly #known = new Map<string, Known>();
  #addresses: readonly VirtualAddress[] = [];
  #phase: Phase = "off";
  #watches: readonly Watch[] = [];
  /** Of the router that is about to be relieved, to know its MAC from those of others. */
  #peer: IpAddress | undefined;
  #relieved: string | undefined;
  /** Heard and not judged yet. */
  #pending: Pending[] = [];

  constructor(host: Host, instance: string) {
    this.#host = host;
    this.#instance = instance;
  }

  configure(addresses: readonly VirtualAddress[]): void {
    this.#addresses = addresses;
    if (this.#phase !== "off") this.#rewatch();
  }

  /** The active router, if there was one, is overdue: who has the addresses now? Nobody waits for the answer. */
  ask(peer: IpAddress | undefined, giveUpAfter: Milliseconds): void {
    if (this.#phase !== "off") return;
    this.#phase = "asking";
    this.#peer = peer === undefined ? undefined : new Uint8Array(peer);
    this.#rewatch();
    // When the watch is in force: on a quiet link the answer takes less than a tenth of a millisecond.
    this.#host.soon(() => {
      if (this.#phase === "asking") this.#probe();
    });
    this.#host.scheduleBackground(this.#next, this.#host.now() + giveUpAfter);
  }

  /** This router has become active. */
  begin(): void {
    if (this.#phase === "off") {
      this.#peer = undefined;
      this.#phase = "settling";
      this.#rewatch();
    }
    this.#phase = "settling";
    this.#host.scheduleBackground(this.#next, this.#host.now() + settling);
  }

  end(): void {
    this.#phase = "off";
    this.#host.scheduleBackground(this.#next, undefined);
    this.#unwatch();
    this.#pending = [];
    this.#relieved = undefined;
  }

  linkChanged(): void {
    if (this.#phase === "off") return;
    const moved = this.#watches.some(({ link }) => this.#host.linkByName(link.name)?.index !== link.index);
    if (moved || this.#watches.length < this.#devices().size) this.#rewatch();
  }

  /** Newest last. */
  status(): readonly DuplicateStatus[] {
    return [...this.#known.values()].map(({ status }) => status);
  }

  #proceed(now: Instant): void {
    if (this.#phase === "asking") {
      this.end();
      return;
    }
    const pending = this.#pending;
    this.#pending = [];
    if (this.#phase === "guarding") {
      for (const claim of pending) this.#report(claim, false, now);
      return;
    }
    this.#phase = "guarding";
    // A router that fell silent may still hold its addresses: when its MAC is not known, one that answered can be it.
    const strangers = pending.filter(({ mac }) => mac !== this.#relieved);
    const several = new Set(strangers.map(({ mac }) => mac)).size > 1;
    const known = this.#peer === undefined || this.#relieved !== undefined;
    if (known || several) for (const claim of strangers) this.#report(claim, true, now);
    if (this.#peer !== undefined) {
      // What its own address says from now on wakes nobody.
      this.#peer = undefined;
      this.#rewatch();
    }
    this.#probe();
  }

  #claimed(device: string, address: IpAddress, mac: Uint8Array): void {
    if (this.#phase === "settling") return;
    const from = formatMac(mac);
    if (this.#peer !== undefined && equalAddresses(address, this.#peer)) {
      this.#relieved ??= from;
      return;
    }
    const text = formatAddress(address);
    const same = this.#pending.find((known) => known.address === text && known.mac === from);
    if (same !== undefined) same.count++;
    else if (this.#pending.length < mostPending) {
      this.#pending.push({ address: text, mac: from, device, count: 1 });
      if (this.#phase !== "guarding" || this.#pending.length > 1) return;
      this.#host.scheduleBackground(this.#next, this.#host.now() + benefitOfDoubt);
    }
  }

  #report({ address, mac, device, count: more }: Pending, before: boolean, now: Instant): void {
    const key = `${address} ${mac}`;
    const known = this.#known.get(key);
    const at = this.#host.wallClock();
    const relieved = mac === this.#relieved || known?.status.relieved === true;
    const count = (known?.status.count ?? 0) + more;
    const status = { address, interface: device, mac, first: known?.status.first ?? at, last: at, count, relieved };
    if (known !== undefined && now - known.told < reminder) {
      known.status = status;
      return;
    }
    // Made-up hosts push out the oldest, and are told once a second together.
    this.#known.delete(key);
    const oldest = this.#known.keys().next();
    if (this.#known.size >= mostKnown && oldest.done !== true) this.#known.delete(oldest.value);
    this.#known.set(key, { status, told: now });
    const suppressed = this.#limiter.allow("claimed", now);
    if (suppressed === undefined) return;
    const message = describeClaim(status, before, suppressed);
    const duplicate = { address, interface: device, mac };
    this.#host.event({ type: "conflict", at, instance: this.#instance, message, duplicate });
  }

  #devices(): Map<string, IpAddress[]> {
    const devices = new Map<string, IpAddress[]>();
    for (const { device, address } of this.#addresses) {
      const bytes = parseAddress(address);
      if (bytes !== undefined) devices.set(device, [...(devices.get(device) ?? []), bytes]);
    }
    return devices;
  }

  #rewatch(): void {
    this.#unwatch();
    const watches: Watch[] = [];
    for (const [device, addresses] of this.#devices()) {
      const link = this.#host.linkByName(device);
      if (link === undefined || !resolvesAddresses(link)) continue;
      const wanted = this.#peer === undefined ? addresses : [...addresses, this.#peer];
      try {
        const end = this.#host.addressClaims.watch(link, wanted, (address, mac) => this.#claimed(device, address, mac));
        watches.push({ link, addresses, end });
      } catch (error) {
        // The role does not depend on it.
        const why = error instanceof Error ? error.message : String(error);
        if (this.#limiter.allow("refused", this.#host.now()) !== undefined) {
          this.#host.log("warn", this.#instance, `duplicates of the addresses are not watched for: ${why}`);
        }
      }
    }
    this.#watches = watches;
  }

  #unwatch(): void {
    for (const { end } of this.#watches) end();
    this.#watches = [];
  }

  #probe(): void {
    let room = mostProbes;
    for (const { link, addresses } of this.#watches) {
      const asked = this.#phase === "asking" && this.#peer !== undefined ? [this.#peer, ...addresses] : addresses;
      const source = this.#host
        .addressesOn(link.index)
        .find(
          (entry) =>
            isLinkLocal(entry.address) && !this.#host.isVirtual(entry) && (entry.flags & IFA_F_TENTATIVE) === 0,
        );
      for (const address of asked.slice(0, room)) {
        if (address.length === 4) this.#host.sendFrame(link, encodeArpProbe(link.mac, address));
        else if (source !== undefined)
          this.#host.sendFrame(link, encodeSolicitation(link.mac, source.address, address));
      }
      room = Math.max(0, room - asked.length);
    }
  }
}

function resolvesAddresses({ mac, flags }: Link): boolean {
  return mac.length === 6 && (flags & (IFF_LOOPBACK | IFF_NOARP)) === 0;
}

function describeClaim(status: DuplicateStatus, before: boolean, suppressed: number): string {
  const { address, mac, relieved } = status;
  const who = relieved ? `the router that was relieved, ${mac},` : `${mac}${virtualRouterOf(mac)}`;
  const when = before ? "; it answered before this router became active" : "";
  const more = suppressed > 0 ? ` (and ${suppressed} more claims)` : "";
  return `${address} is claimed by ${who} on ${status.interface} as well${when}${more}`;
}

/** RFC 9568 section 7.3 */
function virtualRouterOf(mac: string): string {
  const vrid = /^00:00:5e:00:0[12]:([0-9a-f]{2})$/.exec(mac)?.[1];
  return vrid === undefined ? "" : ` (the virtual MAC of VRRP router ${Number.parseInt(vrid, 16)})`;
}
