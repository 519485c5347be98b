/** Configurations of virtual servers for viprd. */
import { guePort, server, server6, vip, vip6 } from "./farm.ts";

/** How packets get to the servers. */
export type Method = "nat" | "direct" | "ipip" | "gre" | "gue";

export interface ServiceOptions {
  readonly method?: Method;
  readonly family?: 4 | 6;
  readonly protocol?: "tcp" | "udp";
  /** The address of the service; the virtual one of the farm unless given. */
  readonly address?: string;
  /** 80 unless given; that of the servers as well. */
  readonly port?: number;
  /** Indexes: 1 is rs1. */
  readonly servers: readonly number[];
  /** The index of the server that stands in. */
  readonly sorry?: number;
  readonly check?: string;
  /** Further keys, a line each. */
  readonly more?: readonly string[];
}

/** Health is told apart from traffic: a server that is said to be down goes on answering on port 80. */
export const healthPort = 8081;
export const httpCheck = `{ type: http, path: /, port: ${healthPort}, interval: 2s, timeout: 2s, rise: 1, fall: 1 }`;
/** A connection to the service's own port. */
export const tcpCheck = "{ type: tcp, port: 80, interval: 2s, timeout: 2s, rise: 1, fall: 1 }";

const methods: Readonly<Record<Method, readonly string[]>> = {
  nat: ["lvs_method: nat"],
  direct: ["lvs_method: dr"],
  ipip: ["lvs_method: tun"],
  gre: ["lvs_method: tun", "tunnel: { type: gre }"],
  gue: ["lvs_method: tun", `tunnel: { type: gue, port: ${guePort} }`],
};

/** The entry below `virtual_server`, scheduled by `rr`. */
export function service(name: string, options: ServiceOptions): string {
  const { method = "nat", family = 4, protocol = "tcp", port = 80, servers, sorry, more = [] } = options;
  const real = (index: number): string => (family === 4 ? server(index) : server6(index));
  const lines = [
    `address: "${options.address ?? (family === 4 ? vip : vip6)}"`,
    `port: ${port}`,
    `protocol: ${protocol}`,
    ...(more.some((line) => line.startsWith("lvs_sched:")) ? [] : ["lvs_sched: rr"]),
    ...methods[method],
    `check: ${options.check ?? httpCheck}`,
    "real_server:",
    ...servers.map((index) => `  - { address: "${real(index)}", port: ${port} }`),
    ...(sorry === undefined ? [] : [`sorry_server: { address: "${real(sorry)}", port: ${port} }`]),
    ...more,
  ];
  return [`  ${name}:`, ...lines.map((line) => `    ${line}`), ""].join("\n");
}

/** A whole file. */
export function services(...entries: readonly string[]): string {
  return `global:\n  lvs_reconcile_interval: 2s\nvirtual_server:\n${entries.join("")}`;
}
