/** Network namespaces of one lab: names that carry our pid, creation in few commands, removal in any case. */
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { must, run } from "./lab-process.ts";

const prefix = "vplab";
let counter = 0;

/** One router or host: its interfaces hang on bridges of the namespace "sw". */
export interface NodePlan {
  readonly name: string;
  readonly interfaces: readonly InterfacePlan[];
  readonly forward?: boolean;
  /** Arguments of `ip route add`. */
  readonly routes?: readonly string[];
}

export interface InterfacePlan {
  readonly name: string;
  readonly bridge: string;
  /** With prefix length. */
  readonly addresses: readonly string[];
  /** Distinguishes MACs: the last byte, equal to the last byte of the IPv4 address by convention. */
  readonly id: number;
  /** Left administratively down. */
  readonly down?: boolean;
}

export interface Topology {
  readonly bridges: readonly string[];
  readonly nodes: readonly NodePlan[];
}

export function macOf(bridge: number, id: number): string {
  return `02:00:00:00:0${bridge + 1}:${id.toString(16).padStart(2, "0")}`;
}

// Addresses must be usable at once, and nothing but the tested programs may speak: no DAD, no router solicitations.
const quiet = (node: NodePlan | undefined): string =>
  [
    ...(node !== undefined
      ? [
          "for d in default all; do cd /proc/sys/net/ipv6/conf/$d",
          "echo 0 > accept_dad; echo 0 > dad_transmits; echo 0 > router_solicitations; echo 0 > accept_ra; done",
        ]
      : ["echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6; echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6"]),
    // As systemd sets it: the death of one address does not take its subnet along.
    "echo 1 > /proc/sys/net/ipv4/conf/default/promote_secondaries",
    "cd /",
    ...(node?.forward === true
      ? ["echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding"]
      : []),
  ].join("\n");

/** The namespaces of a topology. `remove` may be called at any time, more than once. */
export class Namespaces {
  readonly prefix = `${prefix}${process.pid}-${counter++}`;
  readonly #topology: Topology;

  constructor(topology: Topology) {
    this.#topology = topology;
  }

  name(node: string): string {
    return `${this.prefix}-${node}`;
  }

  /** Arguments for spawn that run a command inside a node's namespace; the pid is that of the command. */
  enter(node: string, ...command: readonly string[]): [string, string[]] {
    return ["nsenter", [`--net=/run/netns/${this.name(node)}`, "--", ...command]];
  }

  /** Runs a shell script inside the namespace and returns its output. */
  async shell(node: string, script: string, timeout = 20_000): Promise<string> {
    const [command, args] = this.enter(node, "sh", "-euc", script);
    return must(command, args, "", timeout);
  }

  /** The port of the switch that an interface hangs on. */
  static port(node: string, interfaceName = "e0"): string {
    return `${node}.${interfaceName}`;
  }

  async create(): Promise<void> {
    const { bridges, nodes } = this.#topology;
    const names = ["sw", ...nodes.map((node) => node.name)];
    await must("ip", ["-batch", "-"], names.map((name) => `netns add ${this.name(name)}\n`).join(""));
    const settle = (name: string): string => quiet(nodes.find((node) => node.name === name));
    await Promise.all(names.map((name) => this.shell(name, settle(name))));
    const ports: string[] = bridges.flatMap((bridge) => [
      `link add ${bridge} type bridge mcast_snooping 0 stp_state 0 forward_delay 0`,
      `link set ${bridge} up`,
    ]);
    for (const node of nodes) for (const plan of node.interfaces) ports.push(...this.wire(node.name, plan));
    await this.ip("sw", ports);
    await Promise.all(nodes.map((node) => this.#address(node)));
  }

  /** The commands, for "sw", that create an interface of a node and plug it in. */
  wire(node: string, plan: InterfacePlan): string[] {
    const port = Namespaces.port(node, plan.name);
    const mac = macOf(this.#topology.bridges.indexOf(plan.bridge), plan.id);
    return [
      `link add ${port} type veth peer name ${plan.name} address ${mac} netns ${this.name(node)}`,
      `link set ${port} master ${plan.bridge} up`,
    ];
  }

  async #address(node: NodePlan): Promise<void> {
    const commands = ["link set lo up"];
    for (const plan of node.interfaces) {
      if (plan.down !== true) commands.push(`link set ${plan.name} up`);
      for (const address of plan.addresses) {
        commands.push(`addr add ${address} dev ${plan.name}${address.includes(":") ? " nodad" : ""}`);
      }
    }
    for (const route of node.routes ?? []) commands.push(`route add ${route}`);
    await this.ip(node.name, commands);
  }

  async ip(node: string, commands: readonly string[]): Promise<void> {
    await must("ip", ["-n", this.name(node), "-batch", "-"], commands.map((line) => `${line}\n`).join(""));
  }

  async remove(): Promise<void> {
    await removeAll(["sw", ...this.#topology.nodes.map((node) => node.name)].map((name) => this.name(name)));
  }
}

async function removeAll(names: readonly string[]): Promise<void> {
  for (const name of names) {
    // Whoever still lives in a namespace of ours was started by us.
    const { code, stdout } = await run("ip", ["netns", "pids", name]);
    if (code !== 0) continue;
    for (const pid of stdout.split("\n").filter(Boolean).map(Number)) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // Already gone.
      }
    }
  }
  await run("ip", ["-force", "-batch", "-"], names.map((name) => `netns del ${name}\n`).join(""));
}

/** Removes namespaces and files whose test process no longer exists. */
export async function removeLeftOvers(): Promise<void> {
  const dead = (name: string): boolean => {
    const pid = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1];
    return pid !== undefined && !alive(Number(pid));
  };
  const names = existsSync("/run/netns") ? readdirSync("/run/netns").filter(dead) : [];
  if (names.length > 0) await removeAll(names);
  for (const name of readdirSync(tmpdir()).filter(dead))
    rmSync(`${tmpdir()}/${name}`, { recursive: true, force: true });
}

function alive(pid: number): boolean {
  try {
    // A pid that was given to another program since is not our test process.
    return /node|vitest/.test(readFileSync(`/proc/${pid}/cmdline`, "utf8"));
  } catch {
    return false;
  }
}
