/**
 * A farm for one test: a client, one or two directors and servers in network namespaces. The kernel keeps a table of
 * virtual services for each namespace, so tests run side by side. Everything disappears with the test.
 *
 *     client .10 --- front 192.0.2.0/24 --- director .1 --- back 10.0.0.0/24 --- rs1 .11, rs2 .12, ...
 *
 * The virtual address is 192.0.2.100 (2001:db8:1::100). Wired for "nat", the servers answer through the director. Otherwise
 * they hold the virtual address themselves and answer the client directly, with an interface of their own in front.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { isDeepStrictEqual } from "node:util";
import { expect, test } from "vitest";
import { Keepalived } from "../../support/lab-keepalived.ts";
import { type InterfacePlan, Namespaces, type NodePlan, type Topology } from "../../support/lab-namespaces.ts";
import { Child, eventually, must } from "../../support/lab-process.ts";
import { Viprd } from "../../support/lab-viprd.ts";
import { Ldirectord } from "./ldirectord.ts";
import { Peer } from "./peer.ts";

export const vip = "192.0.2.100";
export const vip6 = "2001:db8:1::100";

/** "direct": the servers answer the client themselves, and take packets out of every kind of tunnel, GUE on `guePort`. */
export type Wiring = "nat" | "direct";

export const guePort = 6080;

export interface FarmOptions {
  readonly wiring?: Wiring;
  /** How many; they are called rs1, rs2, ... */
  readonly servers?: number;
  /** Directors are called director and director2; the second leaves the virtual address alone. */
  readonly directors?: 1 | 2;
  /** Whether the first director holds the virtual address from the start. */
  readonly address?: boolean;
  readonly timeout?: number;
}

/** What ipvsadm calls a service when it lists them, and when it saves them. */
const flags: Readonly<Record<string, string>> = { TCP: "-t", UDP: "-u", SCTP: "--sctp-service", FWM: "-f" };

/** The address of a server in the back. */
export function server(index: number): string {
  return `10.0.0.${10 + index}`;
}

export function server6(index: number): string {
  return `2001:db8:2::${10 + index}`;
}

function front(name: string, id: number, ...more: readonly string[]): InterfacePlan {
  return { name, bridge: "front", id, addresses: [`192.0.2.${id}/24`, `2001:db8:1::${id}/64`, ...more] };
}

function back(name: string, id: number): InterfacePlan {
  return { name, bridge: "back", id, addresses: [`10.0.0.${id}/24`, `2001:db8:2::${id}/64`] };
}

function topology({ wiring = "nat", servers = 2, directors = 1, address = true }: FarmOptions): Topology {
  const own = address ? [`${vip}/32`, `${vip6}/128`] : [];
  const nodes: NodePlan[] = [
    { name: "client", interfaces: [front("e0", 10)] },
    { name: "director", interfaces: [front("e0", 1, ...own), back("e1", 1)], forward: true },
  ];
  if (directors === 2) nodes.push({ name: "director2", interfaces: [front("e0", 2), back("e1", 2)], forward: true });
  for (let index = 1; index <= servers; index++) {
    const inside = back("e0", 10 + index);
    nodes.push(
      wiring === "nat"
        ? { name: `rs${index}`, interfaces: [inside], routes: ["default via 10.0.0.1", "default via 2001:db8:2::1"] }
        : { name: `rs${index}`, interfaces: [inside, front("e1", 10 + index)] },
    );
  }
  return { bridges: ["front", "back"], nodes };
}

/** What a server needs to answer for the virtual address without laying claim to it on the wire, and out of tunnels. */
const direct = [
  "for d in /proc/sys/net/ipv4/conf/*; do echo 1 > $d/arp_ignore; echo 2 > $d/arp_announce; done",
  "{",
  `echo addr add ${vip}/32 dev lo; echo addr add ${vip6}/128 dev lo`,
  ...["tun4 type ipip", "tun6 type ip6tnl mode any", "gre4 type gre"].map(
    (tunnel) => `echo link add ${tunnel} local any remote any; echo link set ${tunnel.slice(0, 4)} up`,
  ),
  "} | ip -batch -",
  `ip fou add port ${guePort} gue`,
  // Packets come out of the tunnel with the client's address, which is reached another way.
  "for d in /proc/sys/net/ipv4/conf/*; do echo 0 > $d/rp_filter; done",
].join("\n");

export class Farm {
  readonly namespaces: Namespaces;
  readonly directory: string;
  readonly client: Peer;
  /** rs1 has index 0. */
  readonly servers: readonly Peer[];
  readonly #children: Child[] = [];

  constructor(namespaces: Namespaces, directory: string, client: Peer, servers: readonly Peer[]) {
    this.namespaces = namespaces;
    this.directory = directory;
    this.client = client;
    this.servers = servers;
  }

  /** Index 1 is rs1. */
  rs(index: number): Peer {
    const found = this.servers[index - 1];
    if (found === undefined) throw new Error(`the farm has no rs${index}`);
    return found;
  }

  shell(node: string, script: string): Promise<string> {
    return this.namespaces.shell(node, script);
  }

  /** Lines as `ipvsadm -R` takes them. */
  async restore(lines: readonly string[], node = "director"): Promise<void> {
    const [command, args] = this.namespaces.enter(node, "ipvsadm", "-R");
    await must(command, args, lines.map((line) => `${line}\n`).join(""));
  }

  /** `ipvsadm -Sn`, a service before its servers, both in the order of their text; with limits, which it leaves out. */
  async saved(node = "director"): Promise<string[]> {
    const text = await this.shell(node, "ipvsadm -Sn; ipvsadm -Ln --thresholds");
    const limits = new Map<string, string>();
    const lines: string[] = [];
    let service = "";
    for (const line of text.split("\n").map((part) => part.trim())) {
      const [first = "", second = "", third = "", fourth = ""] = line.split(/\s+/);
      if (/^-[Aa]$/.test(first)) lines.push(line);
      else if (/^(TCP|UDP|SCTP|FWM)$/.test(first)) service = `${flags[first]} ${second}`;
      else if (first === "->" && /^[1-9]/.test(third))
        limits.set(`${service} -r ${second}`, ` -x ${third} -y ${fourth}`);
    }
    return sortTable(lines.map((line) => `${line}${limits.get(line.split(" ").slice(1, 5).join(" ")) ?? ""}`));
  }

  /**
   * Connections by service and server, as in { "TCP 192.0.2.100:80 10.0.0.11:80": 5 }. The kernel sums them up every two
   * seconds only: wait for them with `settles`.
   */
  async connections(node = "director"): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    let service = "";
    for (const line of (await this.shell(node, "ipvsadm -Ln --stats --exact")).split("\n")) {
      const [first = "", second = "", third] = line.trim().split(/\s+/);
      if (first !== "->") service = `${first} ${second}`;
      else if (/^\d+$/.test(third ?? "")) counts[`${service} ${second}`] = Number(third);
    }
    return counts;
  }

  viprd(config: string, node = "director"): Viprd {
    return this.#keep(new Viprd(this.namespaces, node, this.directory, config));
  }

  /** Its virtual servers. */
  keepalived(conf: string, node = "director"): Keepalived {
    return this.#keep(new Keepalived(this.namespaces, node, this.directory, conf, "--check"));
  }

  ldirectord(conf: string, node = "director"): Ldirectord {
    return this.#keep(new Ldirectord(this.namespaces, node, this.directory, conf));
  }

  /** Any program; ended with the farm. */
  run(node: string, ...command: readonly string[]): Child {
    const [program, args] = this.namespaces.enter(node, ...command);
    const child = new Child(command[0] ?? "", program, args);
    this.#children.push(child);
    return child;
  }

  #keep<T extends { readonly child: Child }>(daemon: T): T {
    this.#children.push(daemon.child);
    return daemon;
  }

  describe(): string {
    return this.#children
      .map(
        (child) =>
          `--- ${child.name}\n${child.lines
            .slice(-40)
            .map((line) => line.text)
            .join("\n")}`,
      )
      .join("\n");
  }

  async close(): Promise<void> {
    for (const child of this.#children) child.killTree();
    await Promise.all(this.#children.map((child) => child.exited));
    for (const peer of [this.client, ...this.servers]) peer.child.signal("SIGKILL");
    await this.namespaces.remove();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Asks until the answer is the expected one; after more than a minute the last answer is compared, and fails the test. */
export async function settles<T>(probe: () => Promise<T>, expected: T, limit = 100_000): Promise<void> {
  let answer: T | undefined;
  const same = async (): Promise<boolean> => {
    answer = await probe();
    return isDeepStrictEqual(answer, expected);
  };
  // A look costs programs to be started: looking all the time would slow down what is waited for.
  await eventually("the expected answer", same, limit, 500).catch(() => expect(answer).toEqual(expected));
}

/** Services by their text, each followed by its servers by theirs. */
export function sortTable(lines: readonly string[]): string[] {
  const identity = (line: string): string => line.split(" ").slice(1, 3).join(" ");
  const services = lines.filter((line) => line.startsWith("-A ")).sort();
  return services.flatMap((service) => [
    service,
    ...lines.filter((line) => line.startsWith("-a ") && identity(line) === identity(service)).sort(),
  ]);
}

/** Registers a test with a farm of its own. The tests of a file run side by side. */
export function farm(name: string, options: FarmOptions, body: (farm: Farm) => Promise<void>): void {
  test.concurrent(name, { timeout: options.timeout ?? 200_000 }, () => withFarm(options, body));
}

async function withFarm(options: FarmOptions, body: (farm: Farm) => Promise<void>): Promise<void> {
  const plan = topology(options);
  const namespaces = new Namespaces(plan);
  const directory = mkdtempSync(`${tmpdir()}/${namespaces.prefix}-`);
  let made: Farm | undefined;
  try {
    await namespaces.create();
    const names = plan.nodes.map((node) => node.name).filter((node) => node.startsWith("rs"));
    if (options.wiring === "direct") await Promise.all(names.map((node) => namespaces.shell(node, direct)));
    const [client, ...servers] = await Promise.all(["client", ...names].map((node) => Peer.start(namespaces, node)));
    if (client === undefined) throw new Error("the farm has no client");
    made = new Farm(namespaces, directory, client, servers);
    await body(made);
  } catch (error) {
    if (error instanceof Error && made !== undefined) error.message += `\n${made.describe()}`;
    throw error;
  } finally {
    if (made !== undefined) await made.close();
    else {
      await namespaces.remove();
      rmSync(directory, { recursive: true, force: true });
    }
  }
}
