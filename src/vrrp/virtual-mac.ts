/** The virtual router MAC address (RFC 9568 section 7.3) and the macvlan device that has it: what is wanted, what is there. */
import { MACVLAN_MODE_BRIDGE } from "../netlink/constants.ts";
import type { Link } from "../netlink/link.ts";
import type { Family } from "../wire/address.ts";
import { equalBytes } from "../wire/bytes.ts";
import type { InstanceParameters } from "./parameters.ts";

export interface MacDevice {
  readonly name: string;
  readonly family: Family;
  readonly mac: Uint8Array;
  /** Tells people what it is for. */
  readonly alias: string;
}

/**
 * missing: there is none of this name. foreign: somebody else's. other: ours, but made for something else.
 * leaving: on its way out, for us to wait. altered: ours, with another MAC address or MTU than it was given. right: as
 * wanted.
 */
export type Finding = "missing" | "foreign" | "leaving" | "other" | "altered" | "right";

/** Group of our devices, as IFA_PROTO marks our addresses: the number of the VRRP protocol. */
export const deviceGroup = 112;
const ARPHRD_ETHER = 1;

const aliasBegin = "viprd: ";

export function virtualMac(family: Family, vrid: number): Uint8Array {
  return Uint8Array.of(0x00, 0x00, 0x5e, 0x00, family === 4 ? 0x01 : 0x02, vrid);
}

export function macDevice(parameters: InstanceParameters, family: Family): MacDevice | undefined {
  const name = family === 4 ? parameters.virtualMac?.device4 : parameters.virtualMac?.device6;
  if (name === undefined) return undefined;
  const alias = `${aliasBegin}${parameters.name}, virtual router ${parameters.vrid} over IPv${family}`;
  return { name, family, mac: virtualMac(family, parameters.vrid), alias };
}

export function macDeviceNames(parameters: Pick<InstanceParameters, "virtualMac">): readonly string[] {
  const { device4, device6 } = parameters.virtualMac ?? {};
  return [device4, device6].filter((name) => name !== undefined);
}

/** The source of advertisement frames; undefined when they leave as the interface's own. */
export function advertisingMac(parameters: InstanceParameters, family: Family): Uint8Array | undefined {
  // A unicast advertisement goes to a host that is found by ARP or by a route, with the address it is found from.
  if (parameters.virtualMac === undefined || parameters.unicastPeers.length > 0) return undefined;
  return parameters.virtualMac.sendFromBase ? undefined : virtualMac(family, parameters.vrid);
}

/** Made by viprd, in this run or an earlier one. */
export function isOurs(link: Link): boolean {
  return link.kind === "macvlan" && link.group === deviceGroup;
}

/** As isOurs(), for what is to be removed unasked. The kernel tells of aliases in dumps only. */
export function isSurelyOurs(link: Link): boolean {
  return isOurs(link) && link.alias?.startsWith(aliasBegin) === true;
}

export function judge(device: MacDevice, link: Link | undefined, parent: Link, isLeaving: boolean): Finding {
  if (link === undefined) return "missing";
  if (!isOurs(link)) return "foreign";
  if (isLeaving) return "leaving";
  if (link.parent !== parent.index || link.mode !== MACVLAN_MODE_BRIDGE) return "other";
  return equalBytes(link.mac, device.mac) && link.mtu === parent.mtu ? "right" : "altered";
}

export function inTheWay({ name }: MacDevice): string {
  return `interface ${name} exists and was not made by viprd: remove it, or name another device with use_vmac`;
}

/** Why an interface cannot carry such a device; undefined when it can. */
export function unfit(parent: Link): string | undefined {
  return parent.type === ARPHRD_ETHER ? undefined : `interface ${parent.name} is not an Ethernet interface`;
}
