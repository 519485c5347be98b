/** Rules between virtual servers: a service of the kernel belongs to one of them. */

import type { ServiceAddress } from "../lvs/parameters.ts";
import type { InstanceParameters } from "../vrrp/parameters.ts";
import { familyOfText, isLinkLocalText, networkOf } from "./addresses.ts";
import type { LvsValues } from "./lvs.ts";
import { formatPlace, type Path } from "./problem.ts";
import type { Report } from "./report.ts";
import { endpointText, resolveGroup, serviceText } from "./service-addresses.ts";
import { nearest } from "./suggest.ts";
import type { ResolvedVirtualServer } from "./virtual-server.ts";

/** Together more would be a slip of the pen: the kernel holds a record of each, and dumps them all. */
const mostDestinations = 200_000;

export function checkAcrossServers(all: readonly ResolvedVirtualServer[], report: Report): void {
  const known = checkServicesOnce(all, report);
  let destinations = 0;
  for (const { parameters, servers, services } of all) {
    const own = new Set(services.map(({ service }) => serviceText(service)));
    destinations += services.length * servers.length;
    for (const { server, at } of servers) {
      const text = `tcp ${endpointText(server.address, server.port)}`;
      const other = known.get(text) ?? known.get(text.replace("tcp", "udp"));
      // Of one's own it is an error, which is told.
      if (other === undefined || own.has(text)) continue;
      const message = `${server.name} is a service of virtual_server ${other.name}: the kernel does not balance twice on one host`;
      if (other.name !== parameters.name) report.warn([...at, "address"], message);
    }
  }
  if (destinations <= mostDestinations) return;
  const message = `all together ${destinations} entries for the kernel, services times servers, and ${mostDestinations} are the most: mark the packets with a firewall rule and use fwmark`;
  report.error(["virtual_server"], message);
}

/** What is in them is looked at all the same. */
export function checkUnusedGroups(
  { groups, virtualServers }: Pick<LvsValues, "groups" | "virtualServers">,
  groupNames: ReadonlySet<string>,
  report: Report,
): void {
  const used = new Set(Object.values(virtualServers).map((server) => server?.group));
  for (const name of Object.keys(groups)) {
    if (used.has(name)) continue;
    report.warn(["virtual_server_group", name], "no virtual_server uses it");
    resolveGroup(name, "tcp", { groups, groupNames, family: 4 }, [], report);
  }
}

interface Owner {
  readonly name: string;
  readonly at: Path;
}

function checkServicesOnce(all: readonly ResolvedVirtualServer[], report: Report): ReadonlyMap<string, Owner> {
  const first = new Map<string, Owner>();
  for (const { parameters, services } of all) {
    const { name } = parameters;
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
  return first;
}

/** What the instances do to the packets of services: let them in at all, and bring them here. */
export function checkHolders(
  all: readonly ResolvedVirtualServer[],
  instances: readonly InstanceParameters[],
  statics: readonly { readonly address: string }[],
  report: Report,
): void {
  const held = new Set(statics.map(({ address }) => address));
  const stray = new Map<string, Stray>();
  for (const { parameters, services } of all) {
    for (const { service, at } of services) {
      if (service.kind === "mark" || held.has(service.address)) continue;
      const where = at[0] === "virtual_server_group" ? ["virtual_server", parameters.name, "group"] : at;
      const holder = holderOf(service.address, instances);
      const near = holder === undefined ? nearby(service, instances) : undefined;
      held.add(service.address);
      if (holder !== undefined && !holder.accept && holder.priority !== 255) {
        const message = `${service.address} is an address of vrrp_instance ${holder.name}, whose accept: false drops the packets before they are balanced: remove that`;
        report.error(where, message);
      } else if (near !== undefined) {
        const key = JSON.stringify([where, near]);
        const { first = service.address, count = 0 } = stray.get(key) ?? {};
        stray.set(key, { where, near, first, count: count + 1 });
      }
    }
  }
  for (const { where, near, first, count } of stray.values()) {
    const [who, them] = count === 1 ? [`${first} is`, "it"] : [`${first} and ${count - 1} more are`, "them"];
    const message = `${who} in the network of ${near.address} (vrrp_instance ${near.instance}), and no instance has ${them}: add ${them} to virtual_ipaddress, unless this host has ${them} anyway`;
    report.warn(where, message);
  }
}

interface Near {
  readonly address: string;
  readonly instance: string;
}

/** The addresses of one place in the file that are beside the same virtual one. */
interface Stray {
  readonly where: Path;
  readonly near: Near;
  readonly first: string;
  readonly count: number;
}

/** A virtual address beside it: the two were meant to be one, or both to be virtual. */
function nearby(
  { address, family }: ServiceAddress & { readonly kind: "address" },
  instances: readonly InstanceParameters[],
): Near | undefined {
  for (const { name, virtualAddresses, excludedAddresses } of instances) {
    for (const { address: other, prefixLength } of [...virtualAddresses, ...excludedAddresses]) {
      if (familyOfText(other) !== family || prefixLength === 0 || isLinkLocalText(other)) continue;
      if (networkOf(address, prefixLength) === networkOf(other, prefixLength)) {
        return { address: `${other}/${prefixLength}`, instance: name };
      }
    }
  }
  return undefined;
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
    const holder = holderOf(service.address, instances)?.name;
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

function holderOf(address: string, instances: readonly InstanceParameters[]): InstanceParameters | undefined {
  return instances.find(({ virtualAddresses, excludedAddresses }) =>
    [...virtualAddresses, ...excludedAddresses].some((each) => each.address === address),
  );
}
