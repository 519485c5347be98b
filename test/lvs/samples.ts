/** A small load balancer and a host that goes with it. */
import type { HostFacts } from "../../src/lvs/host-requirements.ts";
import type {
  LvsParameters,
  RealServerParameters,
  ServiceAddress,
  SyncDaemonParameters,
  VirtualServerParameters,
} from "../../src/lvs/parameters.ts";

export function server(of: Partial<RealServerParameters> = {}): RealServerParameters {
  const address = of.address ?? "192.0.2.21";
  return {
    name: `${address}:80`,
    family: address.includes(":") ? 6 : 4,
    address,
    port: 80,
    forwarding: { method: "nat" },
    weight: 1,
    upperThreshold: 0,
    lowerThreshold: 0,
    checks: [],
    onFailure: { action: "quiesce" },
    alpha: false,
    ...of,
  };
}

export function service(of: Partial<ServiceAddress & { kind: "address" }> = {}): ServiceAddress {
  return { kind: "address", family: 4, protocol: "tcp", address: "192.0.2.10", port: 80, ...of };
}

export function virtualServer(of: Partial<VirtualServerParameters> = {}): VirtualServerParameters {
  return {
    name: "web",
    services: [service()],
    scheduler: { name: "wlc", fallback: false, port: false, flags: [] },
    onePacket: false,
    servers: [server()],
    quorum: 1,
    hysteresis: 0,
    omega: false,
    panicThreshold: 0,
    slowStart: 0,
    drainTimeout: 0,
    onDrift: "repair",
    onStop: "keep",
    ...of,
  };
}

export function balancer(of: Partial<LvsParameters> = {}): LvsParameters {
  return { virtualServers: [virtualServer()], timeouts: {}, settings: {}, reconcileInterval: 5000, ...of };
}

export const syncDaemon: SyncDaemonParameters = {
  interface: "eth1",
  instance: "web",
  syncId: 51,
  group: "224.0.0.81",
  port: 8848,
  ttl: 1,
};

/** As ip_vs has it after it was loaded. */
export const kernelDefaults: Readonly<Record<string, string>> = {
  "net.ipv4.ip_forward": "0",
  "net.ipv6.conf.all.forwarding": "0",
  "net.ipv4.neigh.default.gc_thresh3": "1024",
  "net.ipv6.neigh.default.gc_thresh3": "1024",
  "net.ipv4.vs.backup_only": "0",
  "net.ipv4.vs.conn_reuse_mode": "1",
  "net.ipv4.vs.conntrack": "0",
  "net.ipv4.vs.drop_entry": "0",
  "net.ipv4.vs.drop_packet": "0",
  "net.ipv4.vs.expire_nodest_conn": "0",
  "net.ipv4.vs.expire_quiescent_template": "0",
  "net.ipv4.vs.run_estimation": "1",
  "net.ipv4.vs.schedule_icmp": "0",
  "net.ipv4.vs.secure_tcp": "0",
  "net.ipv4.vs.sloppy_tcp": "0",
  "net.ipv4.vs.sync_persist_mode": "0",
  "net.ipv4.vs.sync_version": "1",
};

export function facts(settings: Readonly<Record<string, string>> = {}, of: Partial<HostFacts> = {}): HostFacts {
  return {
    release: "6.12.1",
    settings: new Map(Object.entries({ ...kernelDefaults, ...settings })),
    modules: new Map(),
    connTabBits: 20,
    addresses: new Set(),
    reversePath: new Map(),
    acceptsLocal: false,
    ...of,
  };
}
