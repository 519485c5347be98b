/** Removes what an earlier run left on the host, before anything is claimed. */
import type { AddressEntry } from "../netlink/address.ts";
import type { Link } from "../netlink/link.ts";
import type { Host, LogLevel, Refusal } from "./host.ts";
import { findLeftOverDevices, findLeftOvers } from "./left-overs.ts";
import { quietSetting } from "./mac-settings.ts";
import type { InstanceParameters } from "./parameters.ts";
import { isSurelyOurs } from "./virtual-mac.ts";

type SweptHost = Pick<Host, "addressesOn" | "links" | "settings"> & {
  readonly addresses: Host["addresses"] & { describe(entry: AddressEntry): string };
};
type Log = (level: LogLevel, message: string) => void;

export function sweep(
  instances: readonly InstanceParameters[],
  links: readonly Link[],
  host: SweptHost,
  log: Log,
  isKept: (entry: AddressEntry) => boolean,
): void {
  const failed = (error?: Refusal) => error && log("error", error.message);
  // Silent at once: what leaves the groups of its addresses must not do so with the MAC address of another router.
  for (const link of links.filter(isSurelyOurs)) host.settings.set([{ path: quietSetting(link.name), value: "1" }]);
  for (const link of findLeftOverDevices(instances, links)) {
    log("warn", `removing left-over virtual MAC device ${link.name} (${link.alias})`);
    host.links.delete(link, failed);
  }
  const interfaces = links.map(({ index, name }) => ({ name, addresses: host.addressesOn(index) }));
  for (const entry of findLeftOvers(instances, interfaces)) {
    if (isKept(entry)) continue;
    log("warn", `removing left-over virtual address ${host.addresses.describe(entry)}`);
    host.addresses.delete(entry, failed);
  }
}
