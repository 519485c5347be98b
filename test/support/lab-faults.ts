/** What goes wrong in a LAN, made with the bridge, with nftables in the switch's namespace and with links. */
import type { Capture } from "./lab-capture.ts";
import { type InterfacePlan, Namespaces } from "./lab-namespaces.ts";

let chains = 0;

const forwardHook = "{ type filter hook forward priority 0; }";

interface Loss {
  /** Not only VRRP. */
  readonly everything?: boolean;
  readonly percent?: number;
}

function losses(from: string, to: string, { everything, percent }: Loss): string[] {
  const path = `iifname "${Namespaces.port(from)}" oifname "${Namespaces.port(to)}"`;
  const chance = percent === undefined ? "" : `numgen random mod 100 < ${percent}`;
  const protocols = everything === true ? [""] : ["ip protocol 112", "ip6 nexthdr 112"];
  return protocols.map((protocol) => `${path} ${protocol} ${chance} drop`);
}

/** Ends the fault. */
export type Heal = () => Promise<void>;

export class Faults {
  readonly #namespaces: Namespaces;
  readonly #capture: Capture;
  readonly #interrupted: (node: string) => void;

  constructor(namespaces: Namespaces, capture: Capture, interrupted: (node: string) => void) {
    this.#namespaces = namespaces;
    this.#capture = capture;
    this.#interrupted = interrupted;
  }

  /** Rules of the bridge's forward hook, set and taken away in one step; nft text such as `iifname "r1.e0" drop`. */
  async rules(...matches: readonly string[]): Promise<Heal> {
    const chain = `chain bridge lab c${chains++}`;
    const commands = matches.map((match) => `add ${chain.replace("chain", "rule")} ${match}`);
    await this.#nft(["add table bridge lab", `add ${chain} ${forwardHook}`, ...commands].join("; "));
    return () => this.#nft(`flush ${chain}; delete ${chain}`);
  }

  async #nft(commands: string): Promise<void> {
    await this.#namespaces.shell("sw", `nft '${commands}'`);
  }

  /** Loses VRRP (or everything) in one direction; `percent` loses at random. */
  drop(from: string, to: string, options: Loss = {}): Promise<Heal> {
    return this.rules(...losses(from, to, options));
  }

  /** Loses VRRP (or everything) in both directions. */
  partition(a: string, b: string, options: Loss = {}): Promise<Heal> {
    return this.rules(...losses(a, b, options), ...losses(b, a, options));
  }

  /** Every VRRP frame of a node comes back to it, as through a bridging loop. */
  reflect(node: string): Promise<void> {
    return this.#copy(node, node);
  }

  /** Every VRRP frame from one node reaches the other twice. */
  duplicate(from: string, to: string): Promise<void> {
    return this.#copy(from, to);
  }

  async #copy(from: string, to: string): Promise<void> {
    const hook = `{ type filter hook ingress device "${Namespaces.port(from)}" priority 0; }`;
    const rules = ["ip protocol 112", "ip6 nexthdr 112"].map(
      (match) => `add rule netdev lab copy ${match} dup to "${Namespaces.port(to)}"`,
    );
    await this.#nft(["add table netdev lab", `add chain netdev lab copy ${hook}`, ...rules].join("; "));
  }

  /** The switch port forwards nothing in either direction, while the cable stays up. */
  async block(node: string): Promise<Heal> {
    const port = Namespaces.port(node);
    // "disabled", not "blocking": without STP the kernel turns a blocking port back to forwarding at once.
    await this.#namespaces.shell("sw", `bridge link set dev ${port} state 0`);
    return async () => {
      await this.#namespaces.shell("sw", `bridge link set dev ${port} state 3`);
    };
  }

  /** Carrier loss, seen by the node. */
  async linkDown(node: string, interfaceName = "e0"): Promise<Heal> {
    const port = Namespaces.port(node, interfaceName);
    this.#interrupted(node);
    await this.#namespaces.ip("sw", [`link set ${port} down`]);
    return async () => {
      this.#interrupted(node);
      await this.#namespaces.ip("sw", [`link set ${port} up`]);
    };
  }

  /** The cable and the interface disappear. */
  async unplug(node: string, interfaceName = "e0"): Promise<void> {
    this.#interrupted(node);
    await this.#namespaces.ip("sw", [`link del ${Namespaces.port(node, interfaceName)}`]);
  }

  /** A new interface of the same name; `plan.id` decides its MAC. */
  async plug(node: string, plan: InterfacePlan): Promise<void> {
    await this.#namespaces.ip("sw", this.#namespaces.wire(node, plan));
    await this.#capture.learnPorts();
    const addresses = plan.addresses.map((address) => `addr add ${address} dev ${plan.name}`);
    await this.#namespaces.ip(node, [`link set ${plan.name} up`, ...addresses]);
  }
}
