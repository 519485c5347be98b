/** One description of a virtual router, told to either implementation in its own language. */

export type Implementation = "viprd" | "keepalived";
export type State = "active" | "backup" | "initialize";

export interface RouterSpec {
  readonly priority: number;
  readonly vrid?: number;
  readonly version?: 2 | 3;
  /** Milliseconds. */
  readonly interval?: number;
  readonly interface?: string;
  /** With prefix length. */
  readonly addresses?: readonly string[];
  readonly preempt?: boolean;
  /** Milliseconds. */
  readonly preemptDelay?: number;
  readonly password?: string;
  /** Form of the checksum over IPv4 in version 3; without it each implementation's default. */
  readonly checksum?: "message" | "pseudo_header";
  readonly source?: string;
  readonly peers?: readonly string[];
  /** Runs in the real-time class, as sub-second intervals should on a machine that also does other work. */
  readonly realtime?: boolean;
  /** Further keys, for viprd only. */
  readonly viprd?: Readonly<Record<string, unknown>>;
  /** Further lines, for keepalived only. */
  readonly keepalived?: readonly string[];
}

/** By instance name. */
export type RouterSpecs = Readonly<Record<string, RouterSpec>>;

export const vip4 = "192.0.2.1";
export const vip6 = "2001:db8::51";
export const linkLocalVip6 = "fe80::51";

export function defaultAddresses(family: 4 | 6): string[] {
  return family === 4 ? [`${vip4}/24`] : [`${linkLocalVip6}/64`, `${vip6}/64`];
}

export function duration(milliseconds: number): string {
  return milliseconds % 1000 === 0 ? `${milliseconds / 1000}s` : `${milliseconds}ms`;
}

/** JSON is YAML 1.2. */
export function viprdConfig(specs: RouterSpecs, more: Readonly<Record<string, unknown>> = {}): string {
  const vrrp_instance = Object.fromEntries(
    Object.entries(specs).map(([name, spec]) => [
      name,
      {
        interface: spec.interface ?? "e0",
        virtual_router_id: spec.vrid ?? 51,
        ...(spec.version === 2 ? { version: 2 } : {}),
        priority: spec.priority,
        advert_int: duration(spec.interval ?? 1000),
        virtual_ipaddress: spec.addresses ?? defaultAddresses(4),
        ...(spec.preempt === false ? { preempt: false } : {}),
        ...(spec.preemptDelay === undefined ? {} : { preempt_delay: duration(spec.preemptDelay) }),
        ...(spec.password === undefined ? {} : { authentication: { auth_type: "PASS", auth_pass: spec.password } }),
        ...(spec.checksum === undefined ? {} : { v3_checksum: spec.checksum }),
        ...(spec.source === undefined ? {} : { unicast_src_ip: spec.source }),
        ...(spec.peers === undefined ? {} : { unicast_peer: spec.peers }),
        ...spec.viprd,
      },
    ]),
  );
  const global = Object.values(specs).some((spec) => spec.realtime) ? { vrrp_rt_priority: 50 } : {};
  return `${JSON.stringify({ global, ...more, vrrp_instance }, null, 2)}\n`;
}

export function keepalivedConfig(specs: RouterSpecs): string {
  const lines = ["global_defs {", "  router_id lab"];
  if (Object.values(specs).some((spec) => spec.realtime)) lines.push("  vrrp_rt_priority 50");
  lines.push("}");
  for (const [name, spec] of Object.entries(specs)) {
    const interfaceName = spec.interface ?? "e0";
    const seconds = (spec.interval ?? 1000) / 1000;
    lines.push(
      `vrrp_instance ${name} {`,
      `  state ${spec.priority === 255 ? "MASTER" : "BACKUP"}`,
      `  interface ${interfaceName}`,
    );
    lines.push(`  version ${spec.version ?? 3}`, `  virtual_router_id ${spec.vrid ?? 51}`);
    lines.push(`  priority ${spec.priority}`, `  advert_int ${seconds}`);
    if (spec.preempt === false) lines.push("  nopreempt");
    if (spec.preemptDelay !== undefined) lines.push(`  preempt_delay ${spec.preemptDelay / 1000}`);
    if (spec.password !== undefined)
      lines.push(`  authentication { auth_type PASS`, `  auth_pass ${spec.password}`, "  }");
    if (spec.source !== undefined) lines.push(`  unicast_src_ip ${spec.source}`);
    if (spec.peers !== undefined) lines.push("  unicast_peer {", ...spec.peers.map((peer) => `    ${peer}`), "  }");
    lines.push(...(spec.keepalived ?? []).map((line) => `  ${line}`));
    const addresses = spec.addresses ?? defaultAddresses(4);
    lines.push(
      "  virtual_ipaddress {",
      ...addresses.map((address) => `    ${address} dev ${interfaceName}`),
      "  }",
      "}",
    );
  }
  return `${lines.join("\n")}\n`;
}

const mixes: readonly (readonly [Implementation, Implementation])[] = [
  ["viprd", "viprd"],
  ["viprd", "keepalived"],
  ["keepalived", "viprd"],
];

// LAB_PAIRS=keepalived/keepalived proves the lab itself; LAB_PAIRS=viprd/viprd leaves out the slower mixes.
export function chosenPairs(): readonly (readonly [Implementation, Implementation])[] {
  const text = process.env.LAB_PAIRS;
  if (text === undefined) return mixes;
  return text.split(",").map((pair) => {
    const [a, b] = pair.split("/");
    return [a === "keepalived" ? a : "viprd", b === "keepalived" ? b : "viprd"] as const;
  });
}

/** True when LAB_PAIRS asks for this implementation at all. */
export function usesViprd(): boolean {
  return chosenPairs().some((pair) => pair.includes("viprd"));
}

/** What scenarios of a single kind of router run with: viprd, and keepalived only when nothing else is asked for. */
export const subject: Implementation = usesViprd() ? "viprd" : "keepalived";
