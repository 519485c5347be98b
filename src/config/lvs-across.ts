/** Rules between virtual servers: a service of the kernel belongs to one of them. */

import type { ServiceAddress } from "../lvs/parameters.ts";
import type { InstanceParameters } from "../vrrp/parameters.ts";
import { formatPlace, type Path } from "./problem.ts";
import type { Report } from "./report.ts";
import { type LocatedService, serviceText } from "./service-addresses.ts";
import { nearest } from "./suggest.ts";

export function checkServicesOnce(
  all: readonly { readonly name: string; readonly services: readonly LocatedService[] }[],
  report: Report,
): void {
  const first = new Map<string, { readonly name: string; readonly at: Path }>();
  for (const { name, services } of all) {
    // A group that two of them use would be told as often as it has addresses.
    let told = false;
    for (const { service, at } of services) {
      const text = serviceText(service);
      const earlier = first.get(text);
      if (earlier === undefined) {
        first.set(text, { name, at });
        continue;
      }
      if (told) continue;
      const place = formatPlace(report.placeOf(earlier.at));
      const who = earlier.name === name ? "here" : `to virtual_server ${earlier.name}`;
      const own = at[0] === "virtual_server_group" ? ["virtual_server", name, "group"] : at;
      const where = earlier.name === name ? at : own;
      report.error(where, `${text} belongs ${who} already (${place}): a service can be declared once`);
      told = true;
    }
  }
}

/** The instance that `ha_suspend` means. */
export function suspendingInstance(
  services: readonly ServiceAddress[],
  given: boolean | string,
  instances: readonly InstanceParameters[],
  names: ReadonlySet<string>,
  at: Path,
  report: Report,
): string | undefined {
  if (typeof given === "string") {
    if (names.has(given)) return given;
    const near = nearest(given, [...names]);
    report.error(at, `there is no vrrp_instance named ${given}${near === undefined ? "" : `: did you mean ${near}?`}`);
    return undefined;
  }
  const holders = new Set<string | undefined>();
  for (const service of services) {
    if (service.kind === "mark") {
      report.error(at, "a mark has no address to look for: write the name of a vrrp_instance instead of true");
      return undefined;
    }
    const holder = holderOf(service.address, instances);
    holders.add(holder);
    // One that could not be read may have it.
    if (holder === undefined && instances.length === names.size) {
      report.error(at, `no vrrp_instance has ${service.address}: add it to one, or write the name of an instance`);
    }
    if (holder === undefined) return undefined;
  }
  const [first, second] = holders;
  if (second === undefined) return first;
  report.error(at, `its addresses are those of ${first} and ${second}: write the name of one of them instead of true`);
  return undefined;
}

function holderOf(address: string, instances: readonly InstanceParameters[]): string | undefined {
  return instances.find(({ virtualAddresses, excludedAddresses }) =>
    [...virtualAddresses, ...excludedAddresses].some((each) => each.address === address),
  )?.name;
}
