/** The LANs of the scenarios. Addresses: rN is .1N, hosts are .100; VIP .1. */
import type { InterfacePlan, NodePlan, Topology } from "./lab-namespaces.ts";

function inside(id: number, more: readonly string[] = []): InterfacePlan {
  return { name: "e0", bridge: "lan", id, addresses: [`192.0.2.${id}/24`, `2001:db8::${id}/64`, ...more] };
}

function router(index: number): NodePlan {
  return { name: `r${index}`, interfaces: [inside(10 + index)] };
}

const h1: NodePlan = { name: "h1", interfaces: [inside(100)] };

/** Two routers and a host on one bridge. */
export const T2: Topology = { bridges: ["lan"], nodes: [router(1), router(2), h1] };

/** Three routers and a host on one bridge. */
export const T3: Topology = { bridges: ["lan"], nodes: [router(1), router(2), router(3), h1] };

/** One router and a host. */
export const T1: Topology = { bridges: ["lan"], nodes: [router(1), h1] };

function outside(id: number): InterfacePlan {
  return { name: "e1", bridge: "wan", id, addresses: [`198.51.100.${id}/24`] };
}

/** Two forwarding routers between two bridges, a host on each side that uses the virtual address as its gateway. */
export const T2x2: Topology = {
  bridges: ["lan", "wan"],
  nodes: [
    { name: "r1", interfaces: [inside(11), outside(11)], forward: true },
    { name: "r2", interfaces: [inside(12), outside(12)], forward: true },
    { name: "h1", interfaces: [inside(100)], routes: ["198.51.100.0/24 via 192.0.2.1"] },
    {
      name: "h2",
      interfaces: [{ name: "e0", bridge: "wan", id: 100, addresses: ["198.51.100.100/24"] }],
      routes: ["192.0.2.0/24 via 198.51.100.1"],
    },
  ],
};

/** r1 - router x - r2: two subnets, unicast only. */
export const TU: Topology = {
  bridges: ["lan", "wan"],
  nodes: [
    { name: "r1", interfaces: [inside(11)], routes: ["198.51.100.0/24 via 192.0.2.254"] },
    {
      name: "x",
      interfaces: [
        { name: "e0", bridge: "lan", id: 254, addresses: ["192.0.2.254/24"] },
        { name: "e1", bridge: "wan", id: 254, addresses: ["198.51.100.254/24"] },
      ],
      forward: true,
    },
    {
      name: "r2",
      interfaces: [{ name: "e0", bridge: "wan", id: 12, addresses: ["198.51.100.12/24"] }],
      routes: ["192.0.2.0/24 via 198.51.100.254"],
    },
  ],
};
