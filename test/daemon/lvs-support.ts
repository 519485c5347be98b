/** Virtual servers for tests of the daemon. */
import { parseServer } from "../../src/daemon/server-lookup.ts";
import type { LvsParameters, RealServerParameters, VirtualServerParameters } from "../../src/lvs/parameters.ts";

/** "192.0.2.21:443" */
export function realServer(name: string, changes: Partial<RealServerParameters> = {}): RealServerParameters {
  const { address, port = 0 } = parseServer(name) ?? { address: name };
  return {
    name,
    family: address.includes(":") ? 6 : 4,
    address,
    port,
    forwarding: { method: "nat" },
    weight: 10,
    upperThreshold: 0,
    lowerThreshold: 0,
    checks: [],
    onFailure: { action: "quiesce" },
    alpha: false,
    ...changes,
  };
}

export function virtualServer(
  name: string,
  servers: readonly (string | RealServerParameters)[],
  changes: Partial<VirtualServerParameters> = {},
): VirtualServerParameters {
  return {
    name,
    services: [{ kind: "address", family: 4, protocol: "tcp", address: "192.0.2.10", port: 443 }],
    scheduler: { name: "wlc", fallback: false, port: false, flags: [] },
    onePacket: false,
    servers: servers.map((each) => (typeof each === "string" ? realServer(each) : each)),
    quorum: 1,
    hysteresis: 0,
    omega: false,
    panicThreshold: 0,
    slowStart: 0,
    drainTimeout: 60_000,
    onDrift: "repair",
    onStop: "keep",
    ...changes,
  };
}

export function lvsParameters(...virtualServers: readonly VirtualServerParameters[]): LvsParameters {
  return { virtualServers, timeouts: {}, settings: {}, reconcileInterval: 10_000 };
}
