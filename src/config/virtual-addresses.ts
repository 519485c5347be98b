/** The addresses of an instance: options resolved, lists checked against the limits of the packet and each other. */

import type { VirtualAddress, VrrpVersion } from "../vrrp/parameters.ts";
import type { Family } from "../wire/address.ts";
import { type AddressEntry, scopes } from "./address-entry.ts";
import { broadcastOf, familyOfText, isLinkLocalText } from "./addresses.ts";
import type { LooseInstance } from "./instance.ts";
import type { Path } from "./problem.ts";
import type { Loose } from "./read.ts";
import type { Report } from "./report.ts";
import { type MacDeviceNames, macDeviceNames } from "./virtual-mac.ts";

export interface ResolvedAddresses {
  readonly advertised: readonly VirtualAddress[];
  readonly excluded: readonly VirtualAddress[];
  readonly families: readonly Family[];
  readonly macDevices: MacDeviceNames | undefined;
}

/** The count field has 8 bits; an IPv6 advertisement of 90 addresses is the longest that fits 1500 bytes unfragmented. */
const most = { 4: 255, 6: 90 } as const;
/** With the 28 bytes of auth_hmac behind it. */
const mostSigned = { 4: 255, 6: 89 } as const;
const scopeLink = 253;
/**
 * For the route to the prefix of an address on a virtual MAC device: the host speaks to that network through the
 * interface below, if that is in it. The kernel's own routes have 0 over IPv4 and 256 over IPv6.
 */
const behindTheInterface = 4096;

export function resolveAddresses(
  values: LooseInstance,
  device: string,
  version: VrrpVersion,
  path: Path,
  report: Report,
): ResolvedAddresses {
  const families = familiesOf(values);
  const macDevices = macDeviceNames(values, families);
  const devices = { device, ...macDevices };
  const advertised = resolveList(values.virtual_ipaddress, devices, [...path, "virtual_ipaddress"], report);
  const excluded = resolveList(
    values.virtual_ipaddress_excluded,
    devices,
    [...path, "virtual_ipaddress_excluded"],
    report,
  );
  const list = [...path, "virtual_ipaddress"];
  if (values.virtual_ipaddress?.length === 0) {
    report.error(list, `expected at least one address, got an empty list: write it as "- 192.0.2.10/24"`);
  }
  for (const { address, at } of advertised) {
    if (version === 2 && familyOfText(address.address) === 6) {
      report.error(at, `VRRP version 2 is IPv4 only, got ${address.address}: set version: 3`);
    }
  }
  const limits = values.auth_hmac === undefined ? most : mostSigned;
  for (const family of families) checkCount(count(advertised, family), family, limits[family], list, report);
  // A list that a bad entry was left out of would be judged by the wrong first address.
  const whole = advertised.length === values.virtual_ipaddress?.length;
  if (whole && version === 3 && values.first_link_local !== "lenient") checkFirst(values, advertised, report);
  checkDuplicates([...advertised, ...excluded], report);
  return {
    advertised: advertised.map((entry) => entry.address),
    excluded: excluded.map((entry) => entry.address),
    families,
    macDevices,
  };
}

/** Those of the advertised addresses. */
function familiesOf({ virtual_ipaddress: entries }: LooseInstance): Family[] {
  const texts = (entries ?? []).flatMap((entry) => entry?.address?.text ?? []);
  return ([4, 6] as const).filter((family) => texts.some((text) => familyOfText(text) === family));
}

/** The interface, and those of the virtual MAC addresses. */
interface Devices extends MacDeviceNames {
  readonly device: string;
}

interface Placed {
  readonly address: VirtualAddress;
  readonly at: Path;
}

export function resolveList(
  entries: readonly (Loose<AddressEntry> | undefined)[] | undefined,
  devices: Devices,
  path: Path,
  report: Report,
): Placed[] {
  const placed: Placed[] = [];
  for (const [i, entry] of (entries ?? []).entries()) {
    const at = [...path, i];
    const address = entry && resolveEntry(entry, devices, at, report);
    if (address !== undefined) placed.push({ address, at });
  }
  return placed;
}

function resolveEntry(
  entry: Loose<AddressEntry>,
  devices: Devices,
  at: Path,
  report: Report,
): VirtualAddress | undefined {
  const address = entry.address?.text;
  const prefixLength = entry.address?.prefixLength;
  if (address === undefined || prefixLength === undefined) return undefined;
  const version6 = familyOfText(address) === 6;
  const onlyIpv4 = (key: string) => report.error(at, `${key} is for IPv4 addresses, and ${address} is IPv6: remove it`);
  const linkLocal = version6 && isLinkLocalText(address);
  let scope = scopes[entry.scope ?? "global"] ?? 0;
  if (version6) {
    if (entry.label !== undefined) onlyIpv4("label");
    if (entry.brd !== undefined) onlyIpv4("brd");
    // The kernel derives the scope of an IPv6 address from the address.
    if (entry.scope !== undefined && scope !== (linkLocal ? scopeLink : 0)) onlyIpv4("scope");
    scope = linkLocal ? scopeLink : 0;
  } else if (entry.nodad !== undefined) {
    report.error(at, `nodad is for IPv6 addresses, and ${address} is IPv4: remove it`);
  }
  const own = version6 ? devices.device6 : devices.device4;
  const device = entry.dev ?? own ?? devices.device;
  const broadcast = version6 ? undefined : broadcastText(entry.brd, address, prefixLength, at, report);
  return {
    address,
    prefixLength,
    device,
    ...(entry.label === undefined ? {} : { label: entry.label }),
    scope,
    ...(broadcast === undefined ? {} : { broadcast }),
    noprefixroute: entry.noprefixroute ?? false,
    ...(own === device ? { routeMetric: behindTheInterface } : {}),
    nodad: version6 && (entry.nodad ?? true),
  };
}

function broadcastText(
  brd: string | undefined,
  address: string,
  prefixLength: number,
  at: Path,
  report: Report,
): string | undefined {
  if (brd !== "+" && brd !== "-") return brd;
  if (prefixLength <= 30) return broadcastOf(address, prefixLength, brd);
  report.error(
    at,
    `brd ${brd} needs a prefix length of at most 30, got ${prefixLength}: write the length of the subnet after ${address}`,
  );
  return undefined;
}

function count(addresses: readonly Placed[], family: Family): number {
  return addresses.filter(({ address }) => familyOfText(address.address) === family).length;
}

function checkCount(found: number, family: Family, limit: number, path: Path, report: Report): void {
  if (found <= limit) return;
  const why =
    family === 4
      ? "the packet counts to 255"
      : `that is what one packet holds at an MTU of 1500${limit < most[6] ? " with auth_hmac" : ""}`;
  report.error(
    path,
    `at most ${limit} IPv${family} addresses, got ${found}: ${why}; move the others to virtual_ipaddress_excluded`,
  );
}

/** RFC 9568 section 5.2.9: the first IPv6 address is the link-local one of the virtual router. */
function checkFirst(values: LooseInstance, advertised: readonly Placed[], report: Report): void {
  const first = advertised.find(({ address }) => familyOfText(address.address) === 6);
  if (first === undefined || isLinkLocalText(first.address.address)) return;
  const later = advertised.find(({ address }) => isLinkLocalText(address.address));
  const advice =
    later === undefined
      ? `add the line "- fe80::${values.virtual_router_id ?? 1}/64" above it`
      : `move ${later.address.address} up before it`;
  report.error(
    first.at,
    `the first IPv6 address must be link-local (RFC 9568 section 5.2.9), got ${first.address.address}: ` +
      `${advice}, or set first_link_local: lenient`,
  );
}

/** A link-local address is one per link, any other one per host. */
export function identityOf(address: VirtualAddress): string {
  return isLinkLocalText(address.address) ? `${address.address}%${address.device}` : address.address;
}

function checkDuplicates(placed: readonly Placed[], report: Report): void {
  const first = new Map<string, Path>();
  for (const { address, at } of placed) {
    const earlier = first.get(identityOf(address));
    if (earlier === undefined) first.set(identityOf(address), at);
    else report.error(at, `${address.address} stands twice, first at line ${report.placeOf(earlier).line}: remove one`);
  }
}
