/** The counters of services and destinations as the kernel tells them: 64 bits wide, and 32 bits on kernels before 4.1. */
import type { AttributeReader } from "../netlink/attributes.ts";
import * as k from "./constants.ts";
import { noTraffic, type Traffic } from "./table.ts";

/** Walks the attributes of STATS or STATS64. Which are how wide differs between the two, so their length tells. */
export function decodeTraffic(reader: AttributeReader): Traffic {
  const traffic: { -readonly [field in keyof Traffic]: number } = { ...noTraffic };
  while (reader.next()) {
    const field = fields[reader.type];
    if (field !== undefined) traffic[field] = reader.length === 4 ? reader.u32() : reader.u64();
  }
  return traffic;
}

const fields: Readonly<Record<number, keyof Traffic>> = {
  [k.IPVS_STATS_ATTR_CONNS]: "connections",
  [k.IPVS_STATS_ATTR_INPKTS]: "packetsIn",
  [k.IPVS_STATS_ATTR_OUTPKTS]: "packetsOut",
  [k.IPVS_STATS_ATTR_INBYTES]: "bytesIn",
  [k.IPVS_STATS_ATTR_OUTBYTES]: "bytesOut",
  [k.IPVS_STATS_ATTR_CPS]: "connectionsPerSecond",
  [k.IPVS_STATS_ATTR_INPPS]: "packetsInPerSecond",
  [k.IPVS_STATS_ATTR_OUTPPS]: "packetsOutPerSecond",
  [k.IPVS_STATS_ATTR_INBPS]: "bytesInPerSecond",
  [k.IPVS_STATS_ATTR_OUTBPS]: "bytesOutPerSecond",
};
