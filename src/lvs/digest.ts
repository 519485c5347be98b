/**
 * A short word for what the table of a virtual server is to be like: the same on all directors, or the same client
 * reaches other servers through another director. Weights are those of the file; what checks and operators make of them
 * is in the status.
 */
import { createHash } from "node:crypto";
import type { VirtualServerParameters } from "./parameters.ts";

export function digest(server: VirtualServerParameters): string {
  const { services, scheduler, persistence, onePacket, servers, sorryServer } = server;
  const table = [
    services.map((service) =>
      service.kind === "mark"
        ? [service.family, service.mark]
        : [service.family, service.protocol, service.address, service.port],
    ),
    [scheduler.name, scheduler.fallback, scheduler.port, [...scheduler.flags].sort()],
    persistence === undefined ? [] : [persistence.timeout, persistence.prefixLength, persistence.engine ?? ""],
    onePacket,
    // In order: schedulers that hash go by it.
    servers.map(({ address, port, forwarding, weight, upperThreshold, lowerThreshold }) => [
      ...[address, port, forwardingText(forwarding)],
      ...[weight, upperThreshold, lowerThreshold],
    ]),
    sorryServer === undefined ? [] : [sorryServer.address, sorryServer.port, forwardingText(sorryServer.forwarding)],
  ];
  return createHash("sha256").update(JSON.stringify(table)).digest("hex").slice(0, 12);
}

function forwardingText(forwarding: VirtualServerParameters["servers"][number]["forwarding"]): string {
  if (forwarding.method !== "tun") return forwarding.method;
  const { tunnel } = forwarding;
  switch (tunnel.type) {
    case "ipip":
      return "ipip";
    case "gre":
      return `gre ${tunnel.checksum}`;
    case "gue":
      return `gue ${tunnel.port} ${tunnel.checksum}`;
  }
}
