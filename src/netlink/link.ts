/** Links, the kernel's word for interfaces (rtnetlink(7), linux/if_link.h). */
import { AF_INET6 } from "../socket/constants.ts";
import { AttributeReader, BodyWriter } from "./attributes.ts";
import type { Connection } from "./connection.ts";
import * as k from "./constants.ts";
import { NetlinkError } from "./error.ts";
import { AF_UNSPEC } from "./family.ts";
import { readI32, readU16, readU32 } from "./host-order.ts";

const encoder = new TextEncoder();

export interface Link {
  readonly index: number;
  readonly name: string;
  /** ARPHRD_…: 1 Ethernet, 772 loopback. */
  readonly type: number;
  /** IFF_… */
  readonly flags: number;
  /** Wanted up by the administrator. */
  readonly up: boolean;
  /** Operational: up, with carrier. */
  readonly running: boolean;
  readonly mtu: number;
  readonly mac: Uint8Array;
  /** "veth", "macvlan", "bridge"…; physical ones have none. */
  readonly kind?: string;
  /** MACVLAN_MODE_…, of a macvlan. */
  readonly mode?: number;
  /** Free text. The kernel tells nobody when that of a link that is down changes. */
  readonly alias?: string;
  /** A number that links can be told apart by; none is 0. */
  readonly group?: number;
  /** Index of the bridge, bond or VRF it belongs to. */
  readonly master?: number;
  /** What that is: "bridge", "bond", "vrf"… */
  readonly masterKind?: string;
  /** Index of the link below (macvlan, VLAN) or of the other end (veth), if that is in this namespace. */
  readonly parent?: number;
}

/** struct ifinfomsg: u8 family, u8 pad, u16 type, i32 index, u32 flags, u32 change */
const IFINFOMSG = 16;

/** Undefined for what is not a whole link: other families' news about one (bridge ports), wireless events. */
export function decodeLink(payload: Uint8Array): Link | undefined {
  if (payload.length < IFINFOMSG || payload[0] !== AF_UNSPEC) return undefined;
  let name: string | undefined;
  let mtu = 0;
  let mac: Uint8Array = new Uint8Array();
  let info: LinkInfo = {};
  let alias: string | undefined;
  let group = 0;
  let master = 0;
  let parent = 0;
  let elsewhere = false;
  const reader = new AttributeReader(payload, IFINFOMSG);
  while (reader.next()) {
    switch (reader.type) {
      case k.IFLA_IFNAME:
        name = reader.text();
        break;
      case k.IFLA_MTU:
        mtu = reader.u32();
        break;
      case k.IFLA_ADDRESS:
        mac = reader.bytes();
        break;
      case k.IFLA_MASTER:
        master = reader.u32();
        break;
      case k.IFLA_LINK:
        parent = reader.u32();
        break;
      case k.IFLA_LINK_NETNSID:
        elsewhere = true;
        break;
      case k.IFLA_LINKINFO:
        info = decodeInfo(reader.nested());
        break;
      case k.IFLA_GROUP:
        group = reader.u32();
        break;
      case k.IFLA_IFALIAS:
        alias = reader.text();
        break;
      case k.IFLA_WIRELESS:
        return undefined;
    }
  }
  if (reader.bad || name === undefined) return undefined;
  const flags = readU32(payload, 8);
  return {
    index: readI32(payload, 4),
    name,
    type: readU16(payload, 2),
    flags,
    up: (flags & k.IFF_UP) !== 0,
    running: (flags & k.IFF_RUNNING) !== 0,
    mtu,
    mac,
    ...info,
    ...(alias !== undefined && { alias }),
    ...(group !== 0 && { group }),
    ...(master !== 0 && { master }),
    ...(parent !== 0 && !elsewhere && { parent }),
  };
}

type LinkInfo = Pick<Link, "kind" | "mode" | "masterKind">;

function decodeInfo(reader: AttributeReader): LinkInfo {
  let info: LinkInfo = {};
  while (reader.next()) {
    if (reader.type === k.IFLA_INFO_KIND) info = { kind: reader.text() };
    // What the data mean depends on the kind, which the kernel writes first.
    else if (reader.type === k.IFLA_INFO_DATA && info.kind === "macvlan")
      info = { ...info, ...decodeMode(reader.nested()) };
    else if (reader.type === k.IFLA_INFO_SLAVE_KIND) info = { ...info, masterKind: reader.text() };
  }
  return info;
}

function decodeMode(reader: AttributeReader): LinkInfo {
  let info: LinkInfo = {};
  while (reader.next()) if (reader.type === k.IFLA_MACVLAN_MODE) info = { mode: reader.u32() };
  return info;
}

export interface LinkSettings {
  readonly up?: boolean;
  readonly mac?: Uint8Array;
  readonly mtu?: number;
  /** With the index 0 the link of this name is meant; otherwise it is the new name. */
  readonly name?: string;
  readonly alias?: string;
  readonly group?: number;
  /** 0 takes it out of its master. */
  readonly master?: number;
  /** IN6_ADDR_GEN_MODE_NONE keeps the kernel from giving the link an IPv6 link-local address when it comes up. */
  readonly addressGeneration?: number;
}

/** The kernel takes these two only for a link that exists: it refuses the one (EAFNOSUPPORT), forgets the other. */
export type NewLink = Omit<LinkSettings, "addressGeneration" | "alias"> & { readonly name: string } & (
    | { readonly kind: "dummy" | "bridge" }
    | { readonly kind: "veth"; readonly peer: string }
    | { readonly kind: "macvlan"; readonly parent: number; readonly mode: number }
    | { readonly kind: "vlan"; readonly parent: number; readonly id: number }
  );

function begin(index: number, settings: LinkSettings): BodyWriter {
  const writer = new BodyWriter(IFINFOMSG);
  writer.setU32(4, index);
  if (settings.up !== undefined) {
    writer.setU32(8, settings.up ? k.IFF_UP : 0);
    writer.setU32(12, k.IFF_UP);
  }
  if (settings.name !== undefined) writer.text(k.IFLA_IFNAME, settings.name);
  if (settings.alias !== undefined) writer.bytes(k.IFLA_IFALIAS, encoder.encode(settings.alias));
  if (settings.group !== undefined) writer.u32(k.IFLA_GROUP, settings.group);
  if (settings.mac !== undefined) writer.bytes(k.IFLA_ADDRESS, settings.mac);
  if (settings.mtu !== undefined) writer.u32(k.IFLA_MTU, settings.mtu);
  if (settings.master !== undefined) writer.u32(k.IFLA_MASTER, settings.master);
  const mode = settings.addressGeneration;
  if (mode !== undefined) {
    writer.nested(k.IFLA_AF_SPEC, () => {
      writer.nested(AF_INET6, () => writer.u8(k.IFLA_INET6_ADDR_GEN_MODE, mode));
    });
  }
  return writer;
}

export function encodeSetLink(index: number, settings: LinkSettings): Uint8Array {
  return begin(index, settings).finish();
}

export function encodeNewLink(link: NewLink): Uint8Array {
  const writer = begin(0, link);
  if ("parent" in link) writer.u32(k.IFLA_LINK, link.parent);
  writer.nested(k.IFLA_LINKINFO, () => {
    writer.bytes(k.IFLA_INFO_KIND, encoder.encode(link.kind));
    if (link.kind === "dummy" || link.kind === "bridge") return;
    writer.nested(k.IFLA_INFO_DATA, () => {
      switch (link.kind) {
        case "veth":
          return writer.nested(k.VETH_INFO_PEER, () => {
            writer.structure(IFINFOMSG);
            writer.text(k.IFLA_IFNAME, link.peer);
          });
        case "macvlan":
          return writer.u32(k.IFLA_MACVLAN_MODE, link.mode);
        case "vlan":
          return writer.u16(k.IFLA_VLAN_ID, link.id);
      }
    });
  });
  return writer.finish();
}

export function encodeDeleteLink(index: number): Uint8Array {
  return begin(index, {}).finish();
}

/** Every link of this group, in one go. */
export function encodeDeleteLinks(group: number): Uint8Array {
  return begin(0, { group }).finish();
}

export function encodeListLinks(): Uint8Array {
  const writer = new BodyWriter(IFINFOMSG);
  writer.u32(k.IFLA_EXT_MASK, k.RTEXT_FILTER_SKIP_STATS);
  return writer.finish();
}

export function listLinks(connection: Connection): Promise<Link[]> {
  return connection.dumpWith("list links", k.RTM_GETLINK, encodeListLinks(), decodeLink);
}

/** By its name or one of its alternative names; undefined when there is none. */
export async function linkByName(connection: Connection, name: string): Promise<Link | undefined> {
  const writer = new BodyWriter(IFINFOMSG);
  // IFNAMSIZ is 16 with the zero at the end; only alternative names may be longer.
  writer.text(name.length < 16 ? k.IFLA_IFNAME : k.IFLA_ALT_IFNAME, name);
  writer.u32(k.IFLA_EXT_MASK, k.RTEXT_FILTER_SKIP_STATS);
  try {
    return decodeLink(await connection.get(`look up link ${name}`, k.RTM_GETLINK, writer.finish()));
  } catch (error) {
    if (error instanceof NetlinkError && error.code === "ENODEV") return undefined;
    throw error;
  }
}

/** `name` is for errors only. */
export function setLink(connection: Connection, index: number, settings: LinkSettings, name?: string): Promise<void> {
  const operation = `change link ${name ?? index}`;
  return connection.request(operation, k.RTM_NEWLINK, 0, encodeSetLink(index, settings));
}

export function addLink(connection: Connection, link: NewLink): Promise<void> {
  const operation = `add ${link.kind} link ${link.name}`;
  return connection.request(operation, k.RTM_NEWLINK, k.NLM_F_CREATE | k.NLM_F_EXCL, encodeNewLink(link));
}

export function deleteLink(connection: Connection, index: number, name?: string): Promise<void> {
  return connection.request(`delete link ${name ?? index}`, k.RTM_DELLINK, 0, encodeDeleteLink(index));
}
