/** Which instances have which virtual address, by its text: asked for every address that the kernel reports. */
import type { AddressEntry } from "../netlink/address.ts";
import { formatAddress } from "../wire/address.ts";
import type { Instance } from "./instance.ts";
import { addressOwner } from "./virtual-entry.ts";

export class VirtualRegistry {
  readonly #holders = new Map<string, Set<Instance>>();

  add(instance: Instance): void {
    for (const text of addressesOf(instance)) {
      const holders = this.#holders.get(text) ?? new Set();
      this.#holders.set(text, holders.add(instance));
    }
  }

  /** With the parameters that it was added with. */
  remove(instance: Instance): void {
    for (const text of addressesOf(instance)) {
      const holders = this.#holders.get(text);
      holders?.delete(instance);
      if (holders?.size === 0) this.#holders.delete(text);
    }
  }

  /** Undefined when the address is nobody's. */
  holdersOf(entry: AddressEntry): Iterable<Instance> | undefined {
    return this.#holders.get(formatAddress(entry.address));
  }

  isVirtual(entry: AddressEntry): boolean {
    return entry.protocol === addressOwner || this.#holders.has(formatAddress(entry.address));
  }

  isHeldElsewhere(entry: AddressEntry, instance: string): boolean {
    const holders = this.holdersOf(entry) ?? [];
    return [...holders].some((other) => other.parameters.name !== instance && other.holds(entry));
  }
}

function addressesOf({ parameters }: Instance): Set<string> {
  return new Set([...parameters.virtualAddresses, ...parameters.excludedAddresses].map(({ address }) => address));
}
