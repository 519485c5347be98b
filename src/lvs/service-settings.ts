/** How the kernel is to set up the services of a virtual server. Pure. */
import type { ServiceAddress, VirtualServerParameters } from "./parameters.ts";
import type { DestinationSettings, ServiceSettings } from "./table.ts";

const IP_VS_SVC_F_PERSISTENT = 0x1;
const IP_VS_SVC_F_ONEPACKET = 0x4;
/** For mh and sh the first is fallback and the second port. */
const schedulerFlag = { 1: 0x8, 2: 0x10, 3: 0x20 } as const;

export function serviceSettings(
  { scheduler, persistence, onePacket }: VirtualServerParameters,
  { family }: Pick<ServiceAddress, "family">,
): ServiceSettings {
  let flags = (persistence === undefined ? 0 : IP_VS_SVC_F_PERSISTENT) | (onePacket ? IP_VS_SVC_F_ONEPACKET : 0);
  for (const flag of scheduler.flags) flags |= schedulerFlag[flag];
  if (scheduler.fallback) flags |= schedulerFlag[1];
  if (scheduler.port) flags |= schedulerFlag[2];
  const length = persistence?.prefixLength ?? (family === 4 ? 32 : 128);
  return {
    scheduler: scheduler.name,
    flags,
    timeout: persistence === undefined ? 0 : Math.ceil(persistence.timeout / 1000),
    netmask: family === 4 ? mask(length) : length,
    ...(persistence?.engine === undefined ? {} : { engine: persistence.engine }),
  };
}

function mask(length: number): number {
  return length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0;
}

export function equalServices(a: ServiceSettings, b: ServiceSettings): boolean {
  return (
    a.scheduler === b.scheduler &&
    a.flags === b.flags &&
    a.timeout === b.timeout &&
    a.netmask === b.netmask &&
    (a.engine ?? "") === (b.engine ?? "")
  );
}

export function equalDestinations(a: DestinationSettings, b: DestinationSettings): boolean {
  return (
    a.weight === b.weight &&
    a.upperThreshold === b.upperThreshold &&
    a.lowerThreshold === b.lowerThreshold &&
    forwardingText(a.forwarding) === forwardingText(b.forwarding)
  );
}

/** "nat", "dr", "tun ipip", "tun gue port 6080 csum" */
export function forwardingText(forwarding: DestinationSettings["forwarding"]): string {
  if (forwarding.method !== "tun") return forwarding.method;
  const { tunnel } = forwarding;
  switch (tunnel.type) {
    case "ipip":
      return "tun ipip";
    case "gre":
      return `tun gre ${tunnel.checksum}`;
    case "gue":
      return `tun gue port ${tunnel.port} ${tunnel.checksum}`;
  }
}
