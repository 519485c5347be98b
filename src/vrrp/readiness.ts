/** Whether an instance can run on its interface: the conditions behind Startup and Shutdown, RFC 9568 section 6.4. */
import type { AddressEntry } from "../netlink/address.ts";
import { IFA_F_DADFAILED, IFA_F_SECONDARY, IFA_F_TENTATIVE } from "../netlink/address.ts";
import type { Link } from "../netlink/link.ts";
import { equalAddresses, formatAddress, type IpAddress, isLinkLocal, parseAddress } from "../wire/address.ts";
import { trailerLength } from "./advertisement.ts";
import type { InstanceParameters } from "./parameters.ts";
import { addressOwner } from "./virtual-entry.ts";
import { macDeviceNames } from "./virtual-mac.ts";

export interface Readiness {
  /** Empty when everything is there. */
  readonly reasons: readonly string[];
  readonly link: Link | undefined;
  readonly source4: IpAddress | undefined;
  readonly source6: IpAddress | undefined;
}

export interface Surroundings {
  readonly link: Link | undefined;
  readonly addresses: readonly AddressEntry[];
  /** Held by VRRP on this host, not configured by its administrator. */
  readonly isVirtual: (entry: AddressEntry) => boolean;
  /** Whether there is an interface of this name. */
  readonly exists: (name: string) => boolean;
}

/** Names of all interfaces that an instance uses. */
export function interfacesOf(parameters: InstanceParameters): readonly string[] {
  const devices = [...parameters.virtualAddresses, ...parameters.excludedAddresses].map(({ device }) => device);
  return [parameters.interface, ...devices, ...macDeviceNames(parameters)];
}

/** Kinds of masters whose ports hear nothing themselves: a router on one would believe itself alone. */
const takesPackets = new Set(["bridge", "bond", "team", "openvswitch"]);

export function assess(parameters: InstanceParameters, around: Surroundings): Readiness {
  const { link } = around;
  const name = parameters.interface;
  const nothing = { link, source4: undefined, source6: undefined };
  if (parameters.disabled !== undefined) return { ...nothing, reasons: [parameters.disabled] };
  if (link === undefined) return { ...nothing, reasons: [`interface ${name} does not exist`] };
  const reasons: string[] = [];
  if (!link.up) reasons.push(`interface ${name} is down`);
  else if (!link.running) reasons.push(`interface ${name} has no carrier`);
  const taker = link.masterKind;
  if (taker !== undefined && takesPackets.has(taker)) {
    reasons.push(`interface ${name} is a port of a ${taker}, which takes the packets that come in`);
  }
  const source4 = parameters.families.includes(4) ? findSource4(parameters, around, reasons) : undefined;
  const source6 = parameters.families.includes(6) ? findSource6(parameters, around, reasons) : undefined;
  checkMtu(parameters, link, reasons);
  const own = macDeviceNames(parameters);
  const devices = [...parameters.virtualAddresses, ...parameters.excludedAddresses].map(({ device }) => device);
  for (const device of new Set(devices)) {
    // Those that carry the virtual MAC address are made by us.
    if (device !== name && !own.includes(device) && !around.exists(device))
      reasons.push(`interface ${device} does not exist`);
  }
  for (const { address, device } of parameters.virtualAddresses) {
    if (own.includes(device) && isThere(address, around.addresses)) {
      reasons.push(`${address} is on interface ${name} itself, which would answer for it too: remove it there`);
    }
  }
  return { reasons, link, source4, source6 };
}

/** Not what we put there ourselves: that goes. */
function isThere(text: string, entries: readonly AddressEntry[]): boolean {
  const wanted = parseAddress(text);
  return (
    wanted !== undefined &&
    entries.some(({ address, protocol }) => protocol !== addressOwner && equalAddresses(address, wanted))
  );
}

/** The configured source, else the first address that is not secondary; a virtual one only for the address owner. */
function findSource4(parameters: InstanceParameters, around: Surroundings, reasons: string[]): IpAddress | undefined {
  const ours = around.addresses.filter((entry) => entry.family === 4);
  if (parameters.source4 !== undefined) return findConfigured(parameters.source4, ours, parameters, reasons);
  const candidates = ours.filter((entry) => parameters.priority === 255 || !around.isVirtual(entry));
  const primary = candidates.find((entry) => (entry.flags & IFA_F_SECONDARY) === 0) ?? candidates[0];
  if (primary === undefined) {
    const other = ours.length > 0 ? " other than the virtual ones" : "";
    reasons.push(`interface ${parameters.interface} has no IPv4 address${other}`);
  }
  return primary?.address;
}

function findSource6(parameters: InstanceParameters, around: Surroundings, reasons: string[]): IpAddress | undefined {
  const ours = around.addresses.filter((entry) => entry.family === 6);
  if (parameters.source6 !== undefined) return findConfigured(parameters.source6, ours, parameters, reasons);
  const linkLocal = ours.filter((entry) => isLinkLocal(entry.address) && !around.isVirtual(entry));
  const usable = linkLocal.find(isUsable);
  if (usable === undefined) {
    const first = linkLocal[0];
    const where = `interface ${parameters.interface}`;
    if (first === undefined) reasons.push(`${where} has no IPv6 link-local address`);
    else reasons.push(`${where}: link-local address ${formatAddress(first.address)} is ${describeFlags(first)}`);
  }
  return usable?.address;
}

function findConfigured(
  text: string,
  entries: readonly AddressEntry[],
  parameters: InstanceParameters,
  reasons: string[],
): IpAddress | undefined {
  const wanted = parseAddress(text);
  const entry = wanted && entries.find(({ address }) => equalAddresses(address, wanted));
  if (entry === undefined) {
    reasons.push(`source address ${text} is not on interface ${parameters.interface}`);
    return undefined;
  }
  if (!isUsable(entry)) reasons.push(`source address ${text} is ${describeFlags(entry)}`);
  return entry.address;
}

function isUsable(entry: AddressEntry): boolean {
  return (entry.flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) === 0;
}

function describeFlags(entry: AddressEntry): string {
  return (entry.flags & IFA_F_DADFAILED) !== 0
    ? "a duplicate of another host's (address detection failed)"
    : "tentative (duplicate address detection has not finished)";
}

/** An advertisement is one datagram that is never fragmented. */
function checkMtu(parameters: InstanceParameters, link: Link, reasons: string[]): void {
  for (const family of parameters.families) {
    const count = parameters.virtualAddresses.filter(({ address }) => address.includes(":") === (family === 6)).length;
    const message = family === 4 ? 20 + 8 + 4 * count + (parameters.version === 2 ? 8 : 0) : 40 + 8 + 16 * count;
    const size = message + (parameters.authHmac === undefined ? 0 : trailerLength);
    if (size <= link.mtu) continue;
    reasons.push(
      `an advertisement with ${count} IPv${family} addresses has ${size} bytes, the MTU of ${link.name} is ${link.mtu}`,
    );
  }
}
