// A LAN of its own in network namespaces: routers and a host on bridges, with a capture of what enters the switch.
// Subnet of link l: 10.(50+l).0.0/16; routers .255.11, .255.12, the host .255.100; virtual addresses from .0.1 on.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { Connection } from "../../dist/netlink/connection.js";
import { setLink } from "../../dist/netlink/link.js";
import { interfaceIndex } from "../../dist/socket/interface.js";
import { inNetworkNamespace } from "../../dist/socket/namespace.js";
import { Capture } from "./capture.mjs";

const prefix = "vpb";
let counter = 0;
const living = new Set();
process.on("exit", () => {
  for (const lan of living) lan.remove();
});

function must(command, args, input = "") {
  const { status, stderr, error } = spawnSync(command, args, { input, encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${error?.message ?? stderr}`);
}

/** Virtual router i of many: 250 on each link. */
export const perLink = 250;
export const linkOf = (i) => Math.floor(i / perLink);
export const vridOf = (i) => (i % perLink) + 1;
export const addressOf = (i) => `10.${50 + linkOf(i)}.${vridOf(i) >> 6}.${(vridOf(i) & 63) + 1}`;

export class Lan {
  routers = ["r1", "r2"];
  #name = `${prefix}${process.pid}-${counter++}`;
  #switch;

  constructor({ links = 1 } = {}) {
    this.links = links;
    living.add(this);
    try {
      this.#create();
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  namespace(node) {
    return `${this.#name}-${node}`;
  }

  path(node) {
    return `/run/netns/${this.namespace(node)}`;
  }

  /** Opens sockets: what is opened in `action` belongs to the node. */
  inside(node, action) {
    return inNetworkNamespace(this.path(node), action);
  }

  #create() {
    const nodes = [...this.routers, "h1"];
    const names = ["sw", ...nodes];
    must("ip", ["-batch", "-"], names.map((name) => `netns add ${this.namespace(name)}\n`).join(""));
    const sysctl = "for d in default all; do echo 1 > /proc/sys/net/ipv6/conf/$d/disable_ipv6; done";
    for (const name of names) must("nsenter", [`--net=${this.path(name)}`, "sh", "-euc", sysctl]);
    const ports = [];
    for (let l = 0; l < this.links; l++) {
      ports.push(`link add b${l} type bridge mcast_snooping 0 stp_state 0 forward_delay 0`, `link set b${l} up`);
      for (const [i, node] of nodes.entries()) {
        const mac = `02:00:00:00:0${l}:${i === 2 ? 64 : 11 + i}`;
        const peer = `peer name e${l} address ${mac} netns ${this.namespace(node)}`;
        ports.push(`link add ${node}e${l} type veth ${peer}`, `link set ${node}e${l} master b${l} up`);
      }
    }
    this.ip("sw", ports);
    for (const [i, node] of nodes.entries()) {
      const commands = ["link set lo up"];
      for (let l = 0; l < this.links; l++) {
        commands.push(`link set e${l} up`, `addr add 10.${50 + l}.255.${i === 2 ? 100 : 11 + i}/16 dev e${l}`);
      }
      this.ip(node, commands);
    }
    this.#switch = this.inside("sw", () => Connection.open());
    this.capture = new Capture(this);
  }

  ip(node, commands) {
    must("ip", ["-n", this.namespace(node), "-batch", "-"], commands.map((line) => `${line}\n`).join(""));
  }

  port(node, link = 0) {
    return this.inside("sw", () => interfaceIndex(`${node}e${link}`));
  }

  /** The router loses its carrier, or gets it back. */
  setCable(router, up) {
    return setLink(this.#switch, this.port(router), { up });
  }

  remove() {
    if (!living.delete(this)) return;
    this.capture?.close();
    this.#switch?.close();
    removeNamespaces(["sw", ...this.routers, "h1"].map((node) => this.namespace(node)));
  }
}

function removeNamespaces(names) {
  for (const name of names) {
    // Whoever still lives in a namespace of ours was started by us.
    const { stdout } = spawnSync("ip", ["netns", "pids", name], { encoding: "utf8" });
    for (const pid of (stdout ?? "").split("\n").filter(Boolean)) {
      try {
        process.kill(Number(pid), "SIGKILL");
      } catch {
        // Already gone.
      }
    }
  }
  spawnSync("ip", ["-force", "-batch", "-"], { input: names.map((name) => `netns del ${name}\n`).join("") });
}

/** Namespaces of a run that was killed. */
export function removeLeftOvers() {
  let names;
  try {
    names = readdirSync("/run/netns");
  } catch {
    return;
  }
  const dead = names.filter((name) => {
    const pid = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1];
    if (pid === undefined) return false;
    try {
      return !readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("node");
    } catch {
      return true;
    }
  });
  if (dead.length > 0) removeNamespaces(dead);
}
