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
  const problems: string[] = [];
  identityProblems(problems, service);
  switch (operation.type) {
    case "add-service":
    case "edit-service":
      serviceProblems(problems, service, operation.settings);
      break;
    case "delete-service":
      break;
    case "add-destination":
    case "edit-destination":
      destinationProblems(problems, service, operation.settings);
      break;
    case "delete-destination":
      endpointProblems(problems, operation);
      break;
  }
  return told(problems);
}

function told(problems: readonly string[]): string | undefined {
  return problems.length === 0 ? undefined : problems.join("; ");
}

// Ten thousand operations may come at once: what is right costs no memory.
function whole(problems: string[], what: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  problems.push(`${what} has to be a whole number from ${min} to ${max}, not ${value}`);
}

/** Gives the bytes of the address, if it is one. */
function endpointProblems(
  problems: string[],
  { family, address, port }: { readonly family: Family; readonly address: string; readonly port: number },
): Uint8Array | undefined {
  const bytes = parseAddress(address);
  const right = bytes?.length === (family === 4 ? 4 : 16);
  if (!right) problems.push(`${address} is no IPv${family} address`);
  whole(problems, "the port", port, 0, 65535);
  return right ? bytes : undefined;
}

/** Enough to name a service; what is in the table already may be anything. */
function identityProblems(problems: string[], service: ServiceAddress): void {
  if (service.kind === "mark") whole(problems, "the mark", service.mark, 1, maxU32);
  else endpointProblems(problems, service);
}

function serviceProblems(problems: string[], service: ServiceAddress, settings: ServiceSettings): void {
  const { scheduler, flags, timeout, netmask, engine } = settings;
  const persistent = (flags & k.IP_VS_SVC_F_PERSISTENT) !== 0;
  if (!isName(scheduler)) problems.push(`${JSON.stringify(scheduler)} is no name of a scheduler`);
  if ((flags & ~knownFlags) !== 0) problems.push(`no such flags: 0x${(flags & ~knownFlags).toString(16)}`);
  if (persistent) whole(problems, "persistence, in seconds,", timeout, 1, longestPersistence);
  else whole(problems, "the unused timeout", timeout, 0, maxU32);
  netmaskProblems(problems, service.family, netmask);
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
}

function netmaskProblems(problems: string[], family: Family, netmask: number): void {
  if (family === 6) {
    whole(problems, "the prefix length of persistence", netmask, 1, 128);
    return;
  }
  const holes = ~netmask & (~netmask + 1);
  if (Number.isInteger(netmask) && netmask >= 0 && netmask <= maxU32 && holes === 0) return;
  problems.push(`0x${netmask.toString(16)} is no mask of a network`);
}

function destinationProblems(problems: string[], service: ServiceAddress, settings: DestinationSettings): void {
  const { family, address, forwarding, weight, upperThreshold, lowerThreshold } = settings;
  const bytes = endpointProblems(problems, settings);
  if (bytes !== undefined && (isMulticast(bytes) || isUnspecified(bytes) || isBroadcast(bytes) || isLinkLocal(bytes)))
    problems.push(`${address} cannot be a server: unspecified, multicast, broadcast or link-local`);
  if (family !== service.family && forwarding.method !== "tun") {
    const { method } = forwarding;
    problems.push(`an IPv${family} server of an IPv${service.family} service takes the method tun, not ${method}`);
  }
  // What somebody made against the rules may be taken out of use.
  if (weight !== 0) portProblems(problems, service, settings);
  whole(problems, "the weight", weight, 0, maxInt);
  whole(problems, "the upper threshold", upperThreshold, 0, maxInt);
  whole(problems, "the lower threshold", lowerThreshold, 0, maxInt);
  if (lowerThreshold > upperThreshold)
    problems.push(`the lower threshold ${lowerThreshold} is above the upper one, ${upperThreshold}`);
  if (forwarding.method === "tun") {
    const { tunnel } = forwarding;
    if (tunnel.type === "gue") whole(problems, "the port of a gue tunnel", tunnel.port, 1, 65535);
    if (tunnel.type === "gre" && tunnel.checksum === "remcsum")
      problems.push("remcsum is for gue tunnels, not for gre");
  }
}

/** The port is rewritten by nat alone. */
function portProblems(problems: string[], service: ServiceAddress, { forwarding, port }: DestinationSettings): void {
  const wanted = service.kind === "mark" ? 0 : service.port;
  if (port === wanted) return;
  switch (forwarding.method) {
    case "nat":
      if (port === 0) problems.push("the port of a server is missing");
      return;
    case "dr":
    case "tun":
      problems.push(`the method ${forwarding.method} keeps the port ${wanted}, so a server cannot have ${port}`);
      return;
    case "local":
    case "bypass":
      return;
  }
}

export function validateSyncDaemon({ parameters }: KernelSyncDaemon): string | undefined {
  const { interface: name, syncId, maximumLength, group, port, ttl } = parameters;
  const bytes = parseAddress(group);
  const problems: string[] = [];
  if (!isName(name, /^[^\s/]+$/)) problems.push(`${JSON.stringify(name)} is no name of an interface`);
  whole(problems, "the sync id", syncId, 0, 255);
  if (maximumLength !== undefined) whole(problems, "the length of a message", maximumLength, 1, 65535);
  if (bytes === undefined || !isMulticast(bytes)) problems.push(`${group} is no multicast address`);
  whole(problems, "the port", port, 1, 65535);
  whole(problems, "the ttl", ttl, 1, 255);
  return told(problems);
}

export function validateTimeouts(timeouts: TimeoutParameters): string | undefined {
  const problems: string[] = [];
  for (const [name, value] of Object.entries(timeouts))
    if (value !== undefined) whole(problems, `${name}, in seconds,`, value / 1000, 1, longestTimeout);
  return told(problems);
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
