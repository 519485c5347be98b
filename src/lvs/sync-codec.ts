/** Sync daemons, timeouts, and what the kernel tells of itself. */
import { AttributeReader, type BodyWriter } from "../netlink/attributes.ts";
import { GENERIC_HEADER } from "../netlink/generic.ts";
import { formatAddress, parseAddress } from "../wire/address.ts";
import * as k from "./constants.ts";
import type { TimeoutParameters } from "./parameters.ts";
import type { KernelSyncDaemon, SyncRole } from "./table.ts";

const states: Readonly<Record<SyncRole, number>> = { master: k.IP_VS_STATE_MASTER, backup: k.IP_VS_STATE_BACKUP };

/** All of a daemon, to start it. */
export function writeSyncDaemon(writer: BodyWriter, { role, parameters }: KernelSyncDaemon): void {
  const { interface: name, syncId, maximumLength, group, port, ttl } = parameters;
  const groupBytes = parseAddress(group);
  if (groupBytes === undefined) throw new RangeError(`no address: ${group}`);
  writer.nested(k.IPVS_CMD_ATTR_DAEMON, () => {
    writer.u32(k.IPVS_DAEMON_ATTR_STATE, states[role]);
    writer.text(k.IPVS_DAEMON_ATTR_MCAST_IFN, name);
    writer.u32(k.IPVS_DAEMON_ATTR_SYNC_ID, syncId);
    if (maximumLength !== undefined) writer.u16(k.IPVS_DAEMON_ATTR_SYNC_MAXLEN, maximumLength);
    const type = groupBytes.length === 4 ? k.IPVS_DAEMON_ATTR_MCAST_GROUP : k.IPVS_DAEMON_ATTR_MCAST_GROUP6;
    writer.bytes(type, groupBytes);
    // In host order, unlike every other port.
    writer.u16(k.IPVS_DAEMON_ATTR_MCAST_PORT, port);
    writer.u8(k.IPVS_DAEMON_ATTR_MCAST_TTL, ttl);
  });
}

/** The daemon that a command is about. */
export function writeSyncRole(writer: BodyWriter, role: SyncRole): void {
  writer.nested(k.IPVS_CMD_ATTR_DAEMON, () => writer.u32(k.IPVS_DAEMON_ATTR_STATE, states[role]));
}

export function decodeSyncDaemon(payload: Uint8Array): KernelSyncDaemon | undefined {
  const outer = new AttributeReader(payload, GENERIC_HEADER);
  let daemon: KernelSyncDaemon | undefined;
  while (outer.next()) if (outer.type === k.IPVS_CMD_ATTR_DAEMON) daemon = readSyncDaemon(outer.nested());
  return outer.bad ? undefined : daemon;
}

function readSyncDaemon(reader: AttributeReader): KernelSyncDaemon | undefined {
  let role: SyncRole | undefined;
  let name = "";
  let syncId = 0;
  let maximumLength: number | undefined;
  let group = "224.0.0.81";
  let port = 8848;
  let ttl = 1;
  while (reader.next()) {
    switch (reader.type) {
      case k.IPVS_DAEMON_ATTR_STATE: {
        const state = reader.u32();
        role = state === k.IP_VS_STATE_MASTER ? "master" : state === k.IP_VS_STATE_BACKUP ? "backup" : undefined;
        break;
      }
      case k.IPVS_DAEMON_ATTR_MCAST_IFN:
        name = reader.text();
        break;
      case k.IPVS_DAEMON_ATTR_SYNC_ID:
        syncId = reader.u32();
        break;
      case k.IPVS_DAEMON_ATTR_SYNC_MAXLEN:
        maximumLength = reader.u16();
        break;
      case k.IPVS_DAEMON_ATTR_MCAST_GROUP:
        group = formatAddress(reader.bytes(4));
        break;
      case k.IPVS_DAEMON_ATTR_MCAST_GROUP6:
        group = formatAddress(reader.bytes(16));
        break;
      case k.IPVS_DAEMON_ATTR_MCAST_PORT:
        port = reader.u16();
        break;
      case k.IPVS_DAEMON_ATTR_MCAST_TTL:
        ttl = reader.u8();
        break;
    }
  }
  if (role === undefined) return undefined;
  const length = maximumLength === undefined ? {} : { maximumLength };
  return { role, parameters: { interface: name, syncId, ...length, group, port, ttl } };
}

/** Whole seconds in the kernel; 0 would leave a timeout as it is. */
export function writeTimeouts(writer: BodyWriter, { tcp, tcpFin, udp }: TimeoutParameters): void {
  if (tcp !== undefined) writer.u32(k.IPVS_CMD_ATTR_TIMEOUT_TCP, tcp / 1000);
  if (tcpFin !== undefined) writer.u32(k.IPVS_CMD_ATTR_TIMEOUT_TCP_FIN, tcpFin / 1000);
  if (udp !== undefined) writer.u32(k.IPVS_CMD_ATTR_TIMEOUT_UDP, udp / 1000);
}

/** A kernel without one of the protocols does not tell its timeouts: 0. */
export function decodeTimeouts(payload: Uint8Array): Required<TimeoutParameters> | undefined {
  let tcp = 0;
  let tcpFin = 0;
  let udp = 0;
  const reader = new AttributeReader(payload, GENERIC_HEADER);
  while (reader.next()) {
    switch (reader.type) {
      case k.IPVS_CMD_ATTR_TIMEOUT_TCP:
        tcp = reader.u32() * 1000;
        break;
      case k.IPVS_CMD_ATTR_TIMEOUT_TCP_FIN:
        tcpFin = reader.u32() * 1000;
        break;
      case k.IPVS_CMD_ATTR_TIMEOUT_UDP:
        udp = reader.u32() * 1000;
        break;
    }
  }
  return reader.bad ? undefined : { tcp, tcpFin, udp };
}

export interface KernelInfo {
  /** "1.2.1" */
  readonly version: string;
  /** Buckets of the table of connections. */
  readonly connectionTableSize: number;
}

export function decodeInfo(payload: Uint8Array): KernelInfo | undefined {
  let version = 0;
  let connectionTableSize = 0;
  const reader = new AttributeReader(payload, GENERIC_HEADER);
  while (reader.next()) {
    switch (reader.type) {
      case k.IPVS_INFO_ATTR_VERSION:
        version = reader.u32();
        break;
      case k.IPVS_INFO_ATTR_CONN_TAB_SIZE:
        connectionTableSize = reader.u32();
        break;
    }
  }
  if (reader.bad || version === 0) return undefined;
  return { version: `${version >>> 16}.${(version >>> 8) & 0xff}.${version & 0xff}`, connectionTableSize };
}
