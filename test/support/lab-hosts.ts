/** What hosts on the LAN see: neighbour entries, pings, and who answers for an address. */
import { expect } from "vitest";
import type { Capture } from "./lab-capture.ts";
import type { Namespaces } from "./lab-namespaces.ts";
import { Child, run, sleep } from "./lab-process.ts";

export class Hosts {
  readonly #namespaces: Namespaces;
  readonly #capture: Capture;
  readonly #pingers: Pinger[] = [];

  constructor(namespaces: Namespaces, capture: Capture) {
    this.#namespaces = namespaces;
    this.#capture = capture;
  }

  /** Addresses with prefix lengths that a node holds on any interface but lo. */
  async addresses(node: string): Promise<string[]> {
    const text = await this.#namespaces.shell(node, "ip -j addr");
    const links = JSON.parse(text) as { ifname?: string; addr_info?: { local?: string; prefixlen?: number }[] }[];
    return links
      .filter((link) => link.ifname !== "lo")
      .flatMap((link) => link.addr_info ?? [])
      .map((entry) => `${entry.local}/${entry.prefixlen}`);
  }

  async holds(node: string, address: string): Promise<boolean> {
    return (await this.addresses(node)).some((entry) => entry.startsWith(`${address}/`));
  }

  /** MAC of a neighbour entry, in whatever state it is. */
  async neighbor(node: string, address: string): Promise<string | undefined> {
    const text = await this.#namespaces.shell(node, `ip -j neigh show ${address}`);
    return (JSON.parse(text || "[]") as { lladdr?: string }[])[0]?.lladdr;
  }

  async mac(node: string, interfaceName = "e0"): Promise<string> {
    return (
      await this.#namespaces.shell(
        node,
        `cat /sys/class/net/${interfaceName}/address 2>/dev/null || ip -o link show ${interfaceName}`,
      )
    )
      .replace(/.*link\/ether (\S+).*/s, "$1")
      .trim();
  }

  /** Asks the LAN once who has an address and returns the nodes that answer within the time. */
  async whoAnswers(from: string, address: string, wait = 400): Promise<string[]> {
    const since = Date.now() - 1;
    // Deleting the entry makes the next packet ask by broadcast, as a new host would.
    await this.#namespaces.shell(
      from,
      `ip neigh del ${address} dev e0 2>/dev/null || true; ping -c 1 -W 1 ${address} >/dev/null 2>&1 || true`,
    );
    await sleep(wait);
    const answers = address.includes(":")
      ? this.#capture.neighborAdvertisements(address, { from: since }).filter((frame) => frame.solicited)
      : this.#capture.arp(address, { operation: "reply", from: since });
    return [...new Set(answers.map((frame) => frame.node))].sort();
  }

  /** True when one echo request is answered. */
  async reaches(from: string, address: string): Promise<boolean> {
    const [command, args] = this.#namespaces.enter(from, "ping", "-c", "1", "-W", "1", address);
    return (await run(command, args)).code === 0;
  }

  ping(from: string, address: string, interval = 100): Pinger {
    const pinger = new Pinger(this.#namespaces, from, address, interval);
    this.#pingers.push(pinger);
    return pinger;
  }

  async close(): Promise<void> {
    for (const pinger of this.#pingers) await pinger.stop();
  }
}

/** Echo requests at a steady rate. */
export class Pinger {
  readonly #child: Child;

  constructor(namespaces: Namespaces, from: string, address: string, interval: number) {
    const [command, args] = namespaces.enter(from, "ping", "-i", String(interval / 1000), "-W", "1", "-D", address);
    this.#child = new Child("ping", command, args);
  }

  /** Ends it and counts. */
  async stop(): Promise<{ readonly sent: number; readonly received: number; readonly lost: number }> {
    this.#child.signal("SIGINT");
    await this.#child.exited;
    const text = this.#child.lines.map((line) => line.text).join("\n");
    const match = /(\d+) packets transmitted, (\d+) received/.exec(text);
    const sent = Number(match?.[1] ?? 0);
    const received = Number(match?.[2] ?? 0);
    return { sent, received, lost: sent - received };
  }

  async expectLossAtMost(limit: number): Promise<void> {
    const { sent, lost } = await this.stop();
    expect(lost <= limit, `${lost} of ${sent} pings lost, at most ${limit} allowed`).toBe(true);
  }
}
