/** Rules between instances: one virtual router and one address exist once on a host. */

import type { InstanceParameters } from "../vrrp/parameters.ts";
import type { Family } from "../wire/address.ts";
import type { LooseInstance } from "./instance.ts";
import { formatPlace, type Path } from "./problem.ts";
import type { Report } from "./report.ts";
import { identityOf } from "./virtual-addresses.ts";
import { checkDeviceNames } from "./virtual-mac.ts";

export function checkAcross(
  values: Readonly<Record<string, LooseInstance | undefined>>,
  instances: readonly InstanceParameters[],
  report: Report,
): void {
  checkRouters(instances, report);
  checkAddresses(instances, values, report);
  checkDeviceNames(instances, report);
}

/** RFC 9568 section 7.3: a VRID is unique on its link and family. */
function checkRouters(instances: readonly InstanceParameters[], report: Report): void {
  const first = new Map<string, string>();
  for (const instance of instances) {
    const at: Path = ["vrrp_instance", instance.name, "virtual_router_id"];
    const clash = instance.families
      .map((family) => ({ family, earlier: first.get(routerKey(instance, family)) }))
      .find(({ earlier }) => earlier !== undefined);
    if (clash?.earlier !== undefined) {
      const place = report.placeOf(["vrrp_instance", clash.earlier, "virtual_router_id"]);
      report.error(
        at,
        `${instance.vrid} is already used on ${instance.interface} for IPv${clash.family} by ${clash.earlier} (${formatPlace(place)}): choose another`,
      );
    }
    for (const family of instance.families) {
      const key = routerKey(instance, family);
      if (!first.has(key)) first.set(key, instance.name);
    }
  }
}

function routerKey(instance: InstanceParameters, family: Family): string {
  return `${instance.interface} ${instance.vrid} ${family}`;
}

function checkAddresses(
  instances: readonly InstanceParameters[],
  values: Readonly<Record<string, LooseInstance | undefined>>,
  report: Report,
): void {
  const first = new Map<string, { readonly name: string; readonly path: Path }>();
  for (const { name, virtualAddresses, excludedAddresses } of instances) {
    for (const [key, list] of [
      ["virtual_ipaddress", virtualAddresses],
      ["virtual_ipaddress_excluded", excludedAddresses],
    ] as const) {
      // Bad entries were left out: only a complete list still has the positions of the file.
      const complete = values[name]?.[key]?.length === list.length;
      for (const [i, address] of list.entries()) {
        const path: Path = ["vrrp_instance", name, key, ...(complete ? [i] : [])];
        const earlier = first.get(identityOf(address));
        if (earlier === undefined) first.set(identityOf(address), { name, path });
        else if (earlier.name !== name) {
          const place = formatPlace(report.placeOf(earlier.path));
          report.error(
            path,
            `${address.address} is already held by ${earlier.name} (${place}): an address belongs to one instance`,
          );
        }
      }
    }
  }
}
