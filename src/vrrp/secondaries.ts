/**
 * Has the kernel keep the other addresses of a subnet when the first one is deleted (promote_secondaries), on the
 * interfaces that carry virtual addresses. Without it the end of a virtual address can take the host's own with it.
 */
import { newEntry } from "./deadlines.ts";
import type { Host } from "./host.ts";
import type { InstanceParameters, Milliseconds } from "./parameters.ts";
import { macDeviceNames } from "./virtual-mac.ts";

/** An instance, or what is held whatever the roles are. */
export type Holder = Pick<InstanceParameters, "name" | "virtualAddresses" | "excludedAddresses" | "virtualMac">;

/** The kernel tells of the new name of an interface a moment before its settings have it. */
const firstWait: Milliseconds = 5;
const longestWait: Milliseconds = 1000;

export class Secondaries {
  readonly #host: Pick<Host, "linkByName" | "settings" | "now" | "scheduleBackground">;
  readonly #holders: () => readonly Holder[];
  readonly #again = newEntry(() => this.#look());
  /** Devices, as the configuration calls them, that have another name now. */
  #renamed: ReadonlySet<string> = new Set();
  #wait = firstWait;

  /** `holders` gives all that there are. */
  constructor(
    host: Pick<Host, "linkByName" | "settings" | "now" | "scheduleBackground">,
    holders: () => readonly Holder[],
  ) {
    this.#host = host;
    this.#holders = holders;
  }

  /** On every interface that is to carry an IPv4 address of the holder and exists, until the holder is released. */
  keep(holder: Holder): void {
    for (const device of devicesOf(holder)) {
      const link = this.#host.linkByName(device);
      if (link !== undefined) this.#hold(holder, link.name);
    }
  }

  keepAll(): void {
    for (const holder of this.#holders()) this.keep(holder);
  }

  /** An interface is new or has another name; `isMeant` tells whether a device of the configuration is that one. */
  nameChanged(isMeant: (device: string) => boolean): void {
    const devices = this.#holders().flatMap((holder) => [...devicesOf(holder)].filter(isMeant));
    if (devices.length === 0) return;
    this.#renamed = new Set([...this.#renamed, ...devices]);
    this.#wait = firstWait;
    this.#look();
  }

  release(holder: string): void {
    this.#host.settings.release(nameOf(holder));
  }

  #look(): void {
    const missing = new Set<string>();
    for (const holder of this.#holders()) {
      for (const device of devicesOf(holder)) {
        const link = this.#renamed.has(device) ? this.#host.linkByName(device) : undefined;
        if (link === undefined) continue;
        // At the end of the patience it is told.
        if (this.#wait < longestWait && this.#host.settings.read(pathOf(link.name)) === undefined) missing.add(device);
        else this.#hold(holder, link.name);
      }
    }
    this.#renamed = missing;
    this.#host.scheduleBackground(this.#again, missing.size > 0 ? this.#host.now() + this.#wait : undefined);
    this.#wait *= 2;
  }

  #hold({ name }: Holder, link: string): void {
    this.#host.settings.hold(nameOf(name), [
      { path: pathOf(link), value: "1", otherwise: "deleting an address can delete others with it" },
    ]);
  }
}

function devicesOf(holder: Holder): ReadonlySet<string> {
  const devices = new Set(
    [...holder.virtualAddresses, ...holder.excludedAddresses]
      .filter(({ address }) => !address.includes(":"))
      .map(({ device }) => device),
  );
  // Devices of our own have no other addresses.
  for (const device of macDeviceNames(holder)) devices.delete(device);
  return devices;
}

function pathOf(link: string): string {
  return `net/ipv4/conf/${link}/promote_secondaries`;
}

function nameOf(holder: string): string {
  return `${holder}/secondaries`;
}
