/** Routes, rules and static objects as the configuration fills them in. Plain values; every default is resolved. */
import type { Family } from "../wire/address.ts";
import type { Milliseconds, VirtualAddress } from "./parameters.ts";

/** What happens when somebody else removes or replaces what an active router holds. */
export type OnRemoval = "repair" | "yield" | "ignore";

export type RouteType = "unicast" | "blackhole" | "unreachable" | "prohibit" | "throw";

export interface NextHopParameters {
  /** Text; of the other family for an IPv4 route by way of an IPv6 router. */
  readonly gateway?: string;
  /** Without it the kernel finds the interface by the gateway. */
  readonly device?: string;
  /** 1 to 256 */
  readonly weight: number;
  readonly onlink: boolean;
}

export interface RouteParameters {
  readonly family: Family;
  readonly type: RouteType;
  /** Text, "0.0.0.0" or "::" with prefix length 0 for the default route. */
  readonly destination: string;
  readonly prefixLength: number;
  /** One hop for a plain route, none for the refusing types. */
  readonly nextHops: readonly NextHopParameters[];
  readonly preferredSource?: string;
  readonly table: number;
  readonly metric: number;
  readonly tos: number;
  /** Kernel scope number; 0 in IPv6. */
  readonly scope: number;
  readonly mtu?: number;
  /** Only when it is to be another one than the number that marks everything of ours. */
  readonly protocol?: number;
}

export interface PrefixParameters {
  readonly address: string;
  readonly prefixLength: number;
}

export type RuleAction = "table" | "goto" | "nop" | "blackhole" | "unreachable" | "prohibit";

export interface RuleParameters {
  readonly family: Family;
  readonly priority: number;
  readonly not: boolean;
  readonly from?: PrefixParameters;
  readonly to?: PrefixParameters;
  readonly mark?: { readonly value: number; readonly mask: number };
  readonly tos: number;
  readonly inputInterface?: string;
  readonly outputInterface?: string;
  readonly action: RuleAction;
  /** 0 unless the action is "table". */
  readonly table: number;
  /** Of "goto": the priority of the rule to go on with. */
  readonly target?: number;
  readonly suppressPrefixLength?: number;
}

/** Held from the start of the daemon to its end, whatever the roles are. */
export interface StaticParameters {
  readonly addresses: readonly VirtualAddress[];
  readonly routes: readonly RouteParameters[];
  readonly rules: readonly RuleParameters[];
  /** Of the addresses, as for virtual ones. */
  readonly lease?: Milliseconds;
}

/** Of one keeper. */
export interface RoutingParameters {
  readonly routes: readonly RouteParameters[];
  readonly rules: readonly RuleParameters[];
  readonly onRemoval: OnRemoval;
}
