/**
 * Has the kernel keep the other addresses of a subnet when the first one is deleted (promote_secondaries), on the
 * interfaces that carry virtual addresses. Without it the end of a virtual address can take the host's own with it.
 */
import type { Host } from "./host.ts";
import type { InstanceParameters } from "./parameters.ts";
import { macDeviceNames } from "./virtual-mac.ts";

/** An instance, or what is held whatever the roles are. */
export type Holder = Pick<InstanceParameters, "name" | "virtualAddresses" | "excludedAddresses" | "virtualMac">;

/** On every interface that is to carry an IPv4 address of this instance and exists, until the instance is released. */
export function keepSecondaries(
  instance: Holder,
  host: Pick<Host, "linkByName" | "settings">,
  isMeant: (device: string) => boolean = () => true,
): void {
  const { name, virtualAddresses, excludedAddresses } = instance;
  const devices = new Set(
    [...virtualAddresses, ...excludedAddresses]
      .filter(({ address }) => !address.includes(":"))
      .map(({ device }) => device),
  );
  // Devices of our own have no other addresses.
  for (const device of macDeviceNames(instance)) devices.delete(device);
  for (const device of devices) {
    const link = isMeant(device) ? host.linkByName(device) : undefined;
    if (link === undefined) continue;
    host.settings.hold(holderOf(name), [
      {
        path: `net/ipv4/conf/${link.name}/promote_secondaries`,
        value: "1",
        otherwise: "deleting an address can delete others with it",
      },
    ]);
  }
}

export function releaseSecondaries(instance: string, host: Pick<Host, "settings">): void {
  host.settings.release(holderOf(instance));
}

function holderOf(instance: string): string {
  return `${instance}/secondaries`;
}
