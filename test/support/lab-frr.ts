/**
 * FRR's vrrpd with its zebra in a namespace. FRR leaves the virtual MAC address and the virtual addresses to the
 * administrator: they are on a macvlan that is made here.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { Namespaces } from "./lab-namespaces.ts";
import { ahead, Child, eventually, must } from "./lab-process.ts";

const programs = "/usr/lib/frr";

export interface FrrSpec {
  readonly priority: number;
  /** With prefix length, of one family. */
  readonly addresses: readonly string[];
}

/** Why FRR cannot run here, or undefined. */
export const frrObstacle = existsSync(`${programs}/vrrpd`) ? undefined : "needs Debian's package frr";

export class Frr {
  readonly node: string;
  readonly child: Child;
  readonly #directory: string;
  readonly #namespaces: Namespaces;

  static async start(namespaces: Namespaces, node: string, directory: string, spec: FrrSpec): Promise<Frr> {
    const family = spec.addresses[0]?.includes(":") ? 6 : 4;
    const device = `vrrp${family}-51`;
    await namespaces.ip(node, [
      `link add ${device} link e0 address 00:00:5e:00:0${family === 4 ? 1 : 2}:33 type macvlan mode bridge`,
      `link set ${device} up`,
      ...spec.addresses.map((address) => `addr add ${address} dev ${device}${family === 6 ? " nodad" : ""}`),
    ]);
    return new Frr(namespaces, node, directory, spec);
  }

  private constructor(namespaces: Namespaces, node: string, directory: string, spec: FrrSpec) {
    this.node = node;
    this.#namespaces = namespaces;
    this.#directory = `${directory}/${node}-frr`;
    mkdirSync(this.#directory, { recursive: true });
    // The daemons give up root before they open their files.
    chmodSync(directory, 0o711);
    chmodSync(this.#directory, 0o777);
    const file = `${this.#directory}/frr.conf`;
    const lines = ["version 3", `priority ${spec.priority}`, "advertisement-interval 1000"];
    for (const address of spec.addresses)
      lines.push(`${address.includes(":") ? "ipv6" : "ip"} ${address.split("/")[0]}`);
    writeFileSync(file, `interface e0\n${lines.map((line) => ` vrrp 51 ${line}\n`).join("")}`);
    const common = `--vty_socket ${this.#directory} -z ${this.#directory}/zserv.api -P 0 -u frr -g frr -f ${file} --log stdout`;
    const script =
      `${programs}/zebra ${common} -i ${this.#directory}/zebra.pid & ` +
      `while [ ! -S ${this.#directory}/zserv.api ]; do sleep 0.05; done; ` +
      `exec ${programs}/vrrpd ${common} -i ${this.#directory}/vrrpd.pid`;
    const [command, args] = namespaces.enter(node, ...ahead, "sh", "-c", script);
    this.child = new Child(`frr on ${node}`, command, args);
  }

  /** Waits until its own status says so, for one address family. */
  async waitState(family: 4 | 6, state: "Backup" | "Master", timeout: number): Promise<void> {
    await eventually(
      `${this.child.name}: ${state}`,
      async () => (await this.show()).match(new RegExp(`Status \\(v${family}\\) +(\\w+)`))?.[1] === state,
      timeout,
      100,
    );
  }

  async show(): Promise<string> {
    const [command, args] = this.#namespaces.enter(
      this.node,
      "vtysh",
      "--vty_socket",
      this.#directory,
      "-c",
      "show vrrp",
    );
    return must(command, args).catch(() => "");
  }

  /** SIGTERM to vrrpd, and to its zebra when the farewell is on the wire: both hold the pipe that says that they have ended. */
  async term(): Promise<void> {
    const [vrrpd, ...others] = this.child.tree();
    this.child.signal("SIGTERM");
    await eventually("vrrpd ends", () => vrrpd === undefined || hasEnded(vrrpd), 10_000, 20);
    for (const pid of others) process.kill(pid, "SIGTERM");
    await this.child.exited;
  }
}

function hasEnded(pid: number): boolean {
  try {
    return /^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return true;
  }
}
