/**
 * What is looked at before it is sent. The kernel stores most nonsense without a word (protocols it cannot schedule, a
 * mark of 0, a mask with holes), and writes a line into its log for each weight, threshold or port that it refuses.
 */
import { type Family, isLinkLocal, isMulticast, parseAddress } from "../wire/address.ts";
import * as k from "./constants.ts";
import type { ServiceAddress, TimeoutParameters } from "./parameters.ts";
import type { DestinationSettings, KernelSyncDaemon, Operation, ServiceSettings } from "./table.ts";

const maxInt = 0x7fffffff;
const maxU32 = 0xffffffff;
/** 31 days, as ipvsadm has it: the kernel counts in ticks, 32 bits of them. */
const longestPersistence = 31 * 24 * 3600;
/** INT_MAX ticks of a millisecond, the shortest there are. */
const longestTimeout = Math.floor(maxInt / 1000);
const knownFlags =
  k.IP_VS_SVC_F_PERSISTENT |
  k.IP_VS_SVC_F_ONEPACKET |
  k.IP_VS_SVC_F_SCHED1 |
  k.IP_VS_SVC_F_SCHED2 |
  k.IP_VS_SVC_F_SCHED3;

/** Why the operation is not sent; undefined when nothing is wrong with it. */
export function validateOperation(operation: Operation): string | undefined {
  const { service } = operation;
  switch (operation.type) {
    case "add-service":
    case "edit-service":
      return told([...identityProblems(service), ...serviceProblems(service, operation.settings)]);
    case "delete-service":
      return told(identityProblems(service));
    case "add-destination":
    case "edit-destination":
      return told([...identityProblems(service), ...destinationProblems(service, operation.settings)]);
    case "delete-destination":
      return told([...identityProblems(service), ...endpointProblems(operation)]);
  }
}

function told(problems: readonly string[]): string | undefined {
  return problems.length === 0 ? undefined : problems.join("; ");
}

function whole(what: string, value: number, min: number, max: number): string[] {
  if (Number.isInteger(value) && value >= min && value <= max) return [];
  return [`${what} has to be a whole number from ${min} to ${max}, not ${value}`];
}

function endpointProblems({ family, address, port }: { family: Family; address: string; port: number }): string[] {
  const length = family === 4 ? 4 : 16;
  const wrong = parseAddress(address)?.length === length ? [] : [`${address} is no IPv${family} address`];
  return [...wrong, ...whole("the port", port, 0, 65535)];
}

/** Enough to name a service; what is in the table already may be anything. */
function identityProblems(service: ServiceAddress): string[] {
  return service.kind === "mark" ? whole("the mark", service.mark, 1, maxU32) : endpointProblems(service);
}

function serviceProblems(service: ServiceAddress, settings: ServiceSettings): string[] {
  const { scheduler, flags, timeout, netmask, engine } = settings;
  const persistent = (flags & k.IP_VS_SVC_F_PERSISTENT) !== 0;
  const problems: string[] = [];
  if (!isName(scheduler)) problems.push(`${JSON.stringify(scheduler)} is no name of a scheduler`);
  if ((flags & ~knownFlags) !== 0) problems.push(`no such flags: 0x${(flags & ~knownFlags).toString(16)}`);
  problems.push(...(persistent ? whole("persistence, in seconds,", timeout, 1, longestPersistence) : []));
  problems.push(...(persistent ? [] : whole("the unused timeout", timeout, 0, maxU32)));
  problems.push(...netmaskProblems(service.family, netmask));
  if (service.kind === "address") {
    const bytes = parseAddress(service.address);
    if (bytes !== undefined && (isMulticast(bytes) || isUnspecified(bytes)))
      problems.push(`${service.address} cannot be served: it is nobody's address`);
    if (service.port === 0 && !persistent) problems.push("all ports (port 0) take persistence");
    if ((flags & k.IP_VS_SVC_F_ONEPACKET) !== 0 && service.protocol !== "udp")
      problems.push(`one-packet scheduling is for udp, not for ${service.protocol}`);
  }
  if (engine !== undefined) {
    if (!isName(engine)) problems.push(`${JSON.stringify(engine)} is no name of a persistence engine`);
    if (!persistent) problems.push(`the engine ${engine} takes persistence`);
    if (engine === "sip" && service.kind === "address" && service.protocol !== "udp")
      problems.push(`the engine sip is for udp, not for ${service.protocol}`);
  }
  return problems;
}

function netmaskProblems(family: Family, netmask: number): string[] {
  if (family === 6) return whole("the prefix length of persistence", netmask, 1, 128);
  const holes = ~netmask & (~netmask + 1);
  if (Number.isInteger(netmask) && netmask >= 0 && netmask <= maxU32 && holes === 0) return [];
  return [`0x${netmask.toString(16)} is no mask of a network`];
}

function destinationProblems(service: ServiceAddress, settings: DestinationSettings): string[] {
  const { family, address, forwarding, weight, upperThreshold, lowerThreshold } = settings;
  const { method } = forwarding;
  const problems = endpointProblems(settings);
  const bytes = parseAddress(address);
  if (bytes !== undefined && (isMulticast(bytes) || isUnspecified(bytes) || isBroadcast(bytes) || isLinkLocal(bytes)))
    problems.push(`${address} cannot be a server: unspecified, multicast, broadcast or link-local`);
  if (family !== service.family && method !== "tun")
    problems.push(`an IPv${family} server of an IPv${service.family} service takes the method tun, not ${method}`);
  problems.push(...portProblems(service, settings));
  problems.push(...whole("the weight", weight, 0, maxInt));
  problems.push(...whole("the upper threshold", upperThreshold, 0, maxInt));
  problems.push(...whole("the lower threshold", lowerThreshold, 0, maxInt));
  if (lowerThreshold > upperThreshold)
    problems.push(`the lower threshold ${lowerThreshold} is above the upper one, ${upperThreshold}`);
  if (forwarding.method === "tun") {
    const { tunnel } = forwarding;
    if (tunnel.type === "gue") problems.push(...whole("the port of a gue tunnel", tunnel.port, 1, 65535));
    if (tunnel.type === "gre" && tunnel.checksum === "remcsum")
      problems.push("remcsum is for gue tunnels, not for gre");
  }
  return problems;
}

/** The port is rewritten by nat alone. */
function portProblems(service: ServiceAddress, { forwarding, port }: DestinationSettings): string[] {
  const wanted = service.kind === "mark" ? 0 : service.port;
  if (port === wanted) return [];
  switch (forwarding.method) {
    case "nat":
      return port === 0 ? ["the port of a server is missing"] : [];
    case "dr":
    case "tun":
      return [`the method ${forwarding.method} keeps the port ${wanted}, so a server cannot have ${port}`];
    case "local":
    case "bypass":
      return [];
  }
}

export function validateSyncDaemon({ parameters }: KernelSyncDaemon): string | undefined {
  const { interface: name, syncId, maximumLength, group, port, ttl } = parameters;
  const bytes = parseAddress(group);
  return told([
    ...(isName(name, /^[^\s/]+$/) ? [] : [`${JSON.stringify(name)} is no name of an interface`]),
    ...whole("the sync id", syncId, 0, 255),
    ...(maximumLength === undefined ? [] : whole("the length of a message", maximumLength, 1, 65535)),
    ...(bytes !== undefined && isMulticast(bytes) ? [] : [`${group} is no multicast address`]),
    ...whole("the port", port, 1, 65535),
    ...whole("the ttl", ttl, 1, 255),
  ]);
}

export function validateTimeouts(timeouts: TimeoutParameters): string | undefined {
  const entries = Object.entries(timeouts).filter(([, value]) => value !== undefined);
  return told(entries.flatMap(([name, value]) => whole(`${name}, in seconds,`, value / 1000, 1, longestTimeout)));
}

function isName(text: string, pattern = /^[\w.-]+$/): boolean {
  return text.length <= k.longestName && pattern.test(text);
}

function isUnspecified(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

function isBroadcast(bytes: Uint8Array): boolean {
  return bytes.length === 4 && bytes.every((byte) => byte === 255);
}
