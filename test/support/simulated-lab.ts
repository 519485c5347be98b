/** Nodes on one simulated LAN, and the questions that tests ask about them. */
import type { Instance } from "../../src/vrrp/instance.ts";
import type { InstanceParameters, Instant, Milliseconds, SyncGroupParameters } from "../../src/vrrp/parameters.ts";
import type { InstanceStatus, StateName } from "../../src/vrrp/status.ts";
import { instance } from "../vrrp/samples.ts";
import { type Delays, SimulatedHost } from "./simulated-host.ts";
import { SimulatedKernel } from "./simulated-kernel.ts";
import { type Advert, SimulatedLan } from "./simulated-lan.ts";
import { SimulatedTime } from "./simulated-time.ts";

export interface Transition {
  readonly at: Milliseconds;
  readonly to: StateName;
  readonly reason: string;
}

/** A machine: its kernel, and the process while there is one. */
export class Node {
  readonly name: string;
  readonly kernel: SimulatedKernel;
  readonly transitions: Transition[] = [];
  delays: Delays | undefined;
  groups: readonly SyncGroupParameters[] = [];
  #instances: readonly InstanceParameters[];
  #host: SimulatedHost | undefined;

  constructor(name: string, kernel: SimulatedKernel, instances: readonly InstanceParameters[]) {
    this.name = name;
    this.kernel = kernel;
    this.#instances = instances;
  }

  get parameters(): InstanceParameters {
    const [first] = this.#instances;
    if (first === undefined) throw new Error(`${this.name} has no instance`);
    return first;
  }

  /** The process that runs, or that ran last. */
  get host(): SimulatedHost {
    if (this.#host === undefined) throw new Error(`${this.name} was never started`);
    return this.#host;
  }

  get running(): boolean {
    return this.#host?.dead === false;
  }

  get instance(): Instance {
    const running = this.host.instances.get(this.parameters.name);
    if (running === undefined) throw new Error(`${this.name} has no instance ${this.parameters.name}`);
    return running;
  }

  /** Of the first instance; a node without a process is in no state. */
  get state(): StateName | "dead" {
    return this.running ? this.instance.state : "dead";
  }

  get status(): InstanceStatus {
    return this.instance.status();
  }

  start(): void {
    if (this.running) return;
    const host = new SimulatedHost(this.kernel, this.#instances, this.delays, this.groups);
    this.#host = host;
    const { time } = this.kernel;
    const remember = (event: SimulatedHost["events"][number]) => {
      if (event.type !== "transition" || event.instance !== this.parameters.name) return;
      this.transitions.push({ at: time.now, to: event.to, reason: event.reason });
    };
    for (const event of host.events) remember(event);
    host.event = (event) => {
      host.events.push(event);
      remember(event);
    };
  }

  stop(): void {
    if (this.running) this.host.stop();
  }

  crash(): void {
    if (this.running) this.host.kill();
  }

  pause(): void {
    if (this.running) this.host.paused = true;
  }

  resume(): void {
    if (this.running) this.host.paused = false;
  }

  reload(changes: Partial<InstanceParameters>): void {
    const [first, ...rest] = this.#instances;
    if (first === undefined) return;
    const parameters = { ...first, ...changes };
    this.#instances = [parameters, ...rest];
    if (this.running) this.host.configure(parameters);
  }

  /** Which of the first instance's addresses the kernel has. */
  get held(): string[] {
    return this.parameters.virtualAddresses.map(({ address }) => address).filter((text) => this.kernel.holds(text));
  }
}

export class Lab {
  readonly time: SimulatedTime;
  readonly lan: SimulatedLan;
  readonly nodes: Node[] = [];

  constructor(seed = 1) {
    this.time = new SimulatedTime(seed);
    this.lan = new SimulatedLan(this.time);
  }

  /** A node that is not started yet, with the addresses 192.0.2.number and fe80::number. */
  node(name: string, number: number, ...instances: readonly Partial<InstanceParameters>[]): Node {
    return this.add(new SimulatedKernel(name, number, this.lan), ...instances);
  }

  add(kernel: SimulatedKernel, ...instances: readonly Partial<InstanceParameters>[]): Node {
    const { name } = kernel;
    const node = new Node(
      name,
      kernel,
      (instances.length === 0 ? [{}] : instances).map((changes) => instance(changes)),
    );
    this.nodes.push(node);
    return node;
  }

  get now(): Instant {
    return this.time.now;
  }

  run(duration: Milliseconds): void {
    this.time.runFor(duration);
  }

  start(...nodes: readonly Node[]): void {
    for (const node of nodes.length === 0 ? this.nodes : nodes) node.start();
  }

  /** Names of the nodes that are active now. */
  get actives(): string[] {
    return this.nodes.filter(({ state }) => state === "active").map(({ name }) => name);
  }

  adverts(filter: Partial<Advert> & { readonly from?: Instant; readonly to?: Instant } = {}): Advert[] {
    const { from = 0, to = Number.POSITIVE_INFINITY, ...wanted } = filter;
    return this.lan.adverts.filter(
      (advert) =>
        advert.at >= from &&
        advert.at <= to &&
        Object.entries(wanted).every(([name, value]) => advert[name as keyof Advert] === value),
    );
  }

  /** From the last advertisement of one node to the first of another one after it. */
  takeover(former: Node, next: Node): Milliseconds {
    const last = this.adverts({ node: former.name }).at(-1)?.at ?? Number.NaN;
    const first = this.adverts({ node: next.name, from: last })[0]?.at ?? Number.NaN;
    return first - last;
  }
}
