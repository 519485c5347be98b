/** Virtual addresses that an earlier run, a crash or a hand left on the host: to be removed before anything is claimed. */
import type { AddressEntry } from "../netlink/address.ts";
import type { Link } from "../netlink/link.ts";
import { formatAddress } from "../wire/address.ts";
import type { InstanceParameters } from "./parameters.ts";
import { addressOwner } from "./virtual-entry.ts";
import { isSurelyOurs, macDeviceNames } from "./virtual-mac.ts";

export interface Interface {
  readonly name: string;
  readonly addresses: readonly AddressEntry[];
}

/** Devices with a virtual MAC address that an earlier run made and no instance has any more. */
export function findLeftOverDevices(instances: readonly InstanceParameters[], links: Iterable<Link>): readonly Link[] {
  const wanted = new Set(instances.flatMap(macDeviceNames));
  return [...links].filter((link) => isSurelyOurs(link) && !wanted.has(link.name));
}

/**
 * Ours by their tag, on interfaces we are configured to use; and untagged ones that are configured as virtual, unless
 * this node owns them (priority 255) or they are all that the interface has: then they are the host's own.
 */
export function findLeftOvers(
  instances: readonly InstanceParameters[],
  interfaces: readonly Interface[],
): readonly AddressEntry[] {
  const used = new Set<string>();
  const claimed = new Map<string, { owned: boolean }>();
  for (const instance of instances) {
    used.add(instance.interface);
    for (const { address, device } of [...instance.virtualAddresses, ...instance.excludedAddresses]) {
      used.add(device);
      const key = `${address}%${device}`;
      claimed.set(key, { owned: instance.priority === 255 || claimed.get(key)?.owned === true });
    }
  }
  return interfaces.flatMap(({ name, addresses }) => {
    const claim = (entry: AddressEntry) => claimed.get(`${formatAddress(entry.address)}%${name}`);
    const families = new Set(
      addresses.filter((entry) => entry.protocol !== addressOwner && !claim(entry)).map(({ family }) => family),
    );
    return addresses.filter((entry) => {
      if (entry.protocol === addressOwner) return used.has(name);
      return claim(entry)?.owned === false && families.has(entry.family);
    });
  });
}
