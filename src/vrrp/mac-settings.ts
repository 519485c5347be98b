/**
 * Kernel settings that go with a virtual MAC address, so that the device answers for the virtual addresses, nothing
 * else does, and it is silent otherwise.
 */
import type { Family } from "../wire/address.ts";

export interface Setting {
  /** Below /proc/sys. */
  readonly path: string;
  readonly value: string;
  /** Other values that serve as well and are left alone. */
  readonly orElse?: readonly string[];
  /** What goes wrong without it. */
  readonly otherwise?: string;
  /** So bad that the router must not run. */
  readonly needed?: true;
}

export type ReadSetting = (path: string) => string | undefined;

/** "net/ipv4/conf/eth0/arp_ignore" → "net.ipv4.conf.eth0.arp_ignore"; a dot in a name of an interface is written as /. */
export function settingName(path: string): string {
  return path.replace(/[./]/g, (letter) => (letter === "." ? "/" : "."));
}

/** Of the interface below: it hears the same ARP requests and must not answer for addresses of the device. */
export function baseSettings(family: Family, base: string): readonly Setting[] {
  if (family === 6) return [];
  return [
    {
      path: `net/ipv4/conf/${base}/arp_ignore`,
      value: "1",
      orElse: ["2", "8"],
      otherwise: `${base} would answer ARP for the virtual addresses with its own MAC address`,
      needed: true,
    },
    { path: `net/ipv4/conf/${base}/arp_filter`, value: "1" },
    {
      // What this host answers from a virtual address leaves by the interface, and so does its question for the MAC
      // address of whoever asked: with the virtual address as sender it would teach the wrong MAC address.
      path: `net/ipv4/conf/${base}/arp_announce`,
      value: "2",
      otherwise: `${base} would tell neighbours its own MAC address for the virtual addresses`,
      needed: true,
    },
  ];
}

export function deviceSettings(family: Family, device: string, base: string, read: ReadSetting): readonly Setting[] {
  return family === 4 ? settings4(device, base, read) : settings6(device);
}

function settings4(device: string, base: string, read: ReadSetting): readonly Setting[] {
  const own = `net/ipv4/conf/${device}`;
  // The kernel takes the larger one of this and of the value for all. Packets come in here that would be answered
  // through the interface below, which strict filtering (1) refuses and loose filtering (2) allows.
  const reversePath = (read("net/ipv4/conf/all/rp_filter") ?? "0") === "0" ? "0" : "2";
  const forwarding = read(`net/ipv4/conf/${base}/forwarding`) ?? "0";
  return [
    {
      path: `${own}/arp_ignore`,
      value: "1",
      otherwise: `${device} would answer ARP for every address of this host`,
      needed: true,
    },
    { path: `${own}/arp_filter`, value: "0", otherwise: `${device} would not answer ARP`, needed: true },
    { path: `${own}/rp_filter`, value: reversePath, otherwise: `${device} would drop what it receives`, needed: true },
    { path: `${own}/accept_local`, value: "1" },
    { path: `${own}/forwarding`, value: forwarding },
    { path: `${own}/promote_secondaries`, value: "1" },
    { path: `net/ipv6/conf/${device}/disable_ipv6`, value: "1" },
  ];
}

function settings6(device: string): readonly Setting[] {
  const own = `net/ipv6/conf/${device}`;
  return [
    { path: `${own}/accept_ra`, value: "0" },
    // Addresses must not be derived from the virtual MAC address: they would be the same on every router (section 7.4).
    { path: `${own}/autoconf`, value: "0" },
    { path: `${own}/router_solicitations`, value: "0" },
    // Decides the router flag of neighbour advertisements, not whether this host forwards: that is the value for all.
    { path: `${own}/forwarding`, value: "1" },
    {
      path: `net/ipv4/conf/${device}/arp_ignore`,
      value: "8",
      otherwise: `${device} would answer ARP for the addresses of this host`,
      needed: true,
    },
  ];
}

/** While 1 the device has no IPv6 address and joins no group, so that nothing of it is heard on the network. */
export function quietSetting(device: string): string {
  return `net/ipv6/conf/${device}/disable_ipv6`;
}

/** What is done otherwise than usual because of what the administrator has set for all interfaces. */
export function remarks(family: Family, device: string, read: ReadSetting): readonly string[] {
  const path = "net/ipv4/conf/all/rp_filter";
  const value = read(path) ?? "0";
  if (family === 6 || value === "0") return [];
  return [`${settingName(path)} is ${value} and stays so: ${device} drops packets from addresses without a route`];
}

/** What the administrator has set for all interfaces and no setting of one can make up for. */
export function obstacles(family: Family, device: string, read: ReadSetting): readonly string[] {
  if (family === 6) return [];
  const found: string[] = [];
  const told = (path: string, value: string, then: string) =>
    found.push(`${settingName(path)} is ${value}: ${then}; viprd does not change settings for all interfaces`);
  const filter = "net/ipv4/conf/all/arp_filter";
  if (read(filter) === "1") told(filter, "1", `${device} would not answer ARP`);
  const ignore = "net/ipv4/conf/all/arp_ignore";
  const value = read(ignore) ?? "0";
  if (Number(value) > 2) told(ignore, value, `${device} would not answer ARP, or others would for it`);
  return found;
}
