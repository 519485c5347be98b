/**
 * A simulated VRRP process: the whole of an instance on a host in virtual time. What the engine does with the real
 * kernel - sockets, netlink, one timer - is done here with a simulated one; the instances are the real ones.
 */
import type { AddressEntry } from "../../src/netlink/address.ts";
import type { Link } from "../../src/netlink/link.ts";
import { Agenda } from "../../src/vrrp/agenda.ts";
import type { Entry } from "../../src/vrrp/deadlines.ts";
import type {
  AddressRequests,
  Channel,
  Host,
  LinkRequests,
  LogLevel,
  Preparation,
  Receiver,
  SettingRequests,
} from "../../src/vrrp/host.ts";
import { Instance } from "../../src/vrrp/instance.ts";
import { findLeftOvers } from "../../src/vrrp/left-overs.ts";
import type { InstanceParameters, Instant, Milliseconds, SyncGroupParameters } from "../../src/vrrp/parameters.ts";
import { findRoutingLeftOvers } from "../../src/vrrp/routing-plan.ts";
import { Stalls } from "../../src/vrrp/stalls.ts";
import { objectsOf } from "../../src/vrrp/statics.ts";
import type { VrrpEvent } from "../../src/vrrp/status.ts";
import { SyncGroups } from "../../src/vrrp/sync-groups.ts";
import { Verdicts } from "../../src/vrrp/verdicts.ts";
import { addressOwner } from "../../src/vrrp/virtual-entry.ts";
import { equalAddresses, type Family, formatAddress, type IpAddress } from "../../src/wire/address.ts";
import { equalBytes } from "../../src/wire/bytes.ts";
import { addressRequests } from "./simulated-addresses.ts";
import { SimulatedClaims } from "./simulated-claims.ts";
import type { KernelChange, SimulatedKernel } from "./simulated-kernel.ts";
import { linkRequests, settingRequests } from "./simulated-links.ts";
import { SimulatedRouting } from "./simulated-routing.ts";
import { SimulatedSocket } from "./simulated-socket.ts";
import type { Cancel } from "./simulated-time.ts";

export interface Delays {
  /** From the deadline to the timer's callback; asked each time. */
  readonly timer: () => Milliseconds;
  /** From a change in the kernel, or a packet in the queue, to the process's callback. */
  readonly wake: () => Milliseconds;
}

/** Some day in 2026, when the simulation begins. */
const simulatedEpoch = 1_790_000_000_000;

/** What the simulation counts as one turn of the event loop: not all work of one instant has to happen in one. */
const promptly: Delays = { timer: () => 0, wake: () => 0 };

export class SimulatedHost implements Host {
  readonly instances = new Map<string, Instance>();
  readonly events: VrrpEvent[] = [];
  readonly logs: { readonly level: LogLevel; readonly instance: string | undefined; readonly message: string }[] = [];
  readonly addresses: AddressRequests;
  readonly addressClaims = new SimulatedClaims((mac) =>
    [...this.#links.values()].some((link) => equalBytes(link.mac, mac)),
  );
  readonly links: LinkRequests;
  readonly settings: SettingRequests;
  readonly routing: SimulatedRouting;
  /** There is no packet filter in the simulation; what the kernel would answer. */
  filtering: Preparation = {};
  readonly filter = { state: ({ accept }: InstanceParameters) => (accept ? {} : this.filtering) };
  /** How far the wall clock of this host is ahead of the others'. */
  clockError: Milliseconds = 0;
  readonly verdicts = new Verdicts();
  readonly groups = new SyncGroups(this, this.instances);
  readonly #kernel: SimulatedKernel;
  readonly #delays: Delays;
  /** Clocks of different hosts have nothing to do with each other. */
  readonly #offset: Instant;
  readonly #agenda: Agenda;
  readonly #stalls: Stalls;
  readonly #sockets = new Map<string, SimulatedSocket>();
  readonly #links = new Map<number, Link>();
  readonly #known = new Map<string, number>();
  readonly #table = new Map<number, AddressEntry[]>();
  /** The queue of the netlink socket. */
  readonly #news: KernelChange[] = [];
  /** Callbacks that wait while the process is stopped. */
  #waiting: { readonly urgent: boolean; readonly run: () => void }[] = [];
  #stopped = false;
  #dead = false;
  /** A timer never fires early, not even by the rounding of a clock's offset. */
  #reached: Instant = 0;

  constructor(
    kernel: SimulatedKernel,
    instances: readonly InstanceParameters[],
    delays: Delays = promptly,
    groups: readonly SyncGroupParameters[] = [],
  ) {
    this.#kernel = kernel;
    this.#delays = delays;
    this.#offset = 1_000_000.123 * kernel.number;
    this.addresses = addressRequests(kernel, (answer) => this.#later(answer));
    this.links = linkRequests(kernel, (answer) => this.#later(answer));
    this.settings = settingRequests(kernel);
    this.routing = new SimulatedRouting(kernel.tables, (work) => this.#later(work));
    this.#agenda = new Agenda(
      () => this.now(),
      (expire) => this.#alarm(expire),
    );
    this.#stalls = new Stalls(this, () => kernel.suspended);
    kernel.onChange = (change) => {
      this.#news.push(change);
      this.#later(() => this.#readNews());
    };
    kernel.onClaim = (index, address, mac) => this.#later(() => this.addressClaims.hear(index, address, mac));
    kernel.onPacket = (index, family, bytes) => this.#packet(index, family, bytes);
    for (const link of kernel.links.values()) {
      this.#links.set(link.index, link);
      this.#table.set(
        link.index,
        kernel.held(link.index).map(({ entry }) => entry),
      );
    }
    this.groups.configure(groups);
    for (const parameters of instances) {
      this.instances.set(parameters.name, new Instance(parameters, this));
      this.groups.instanceChanged(parameters.name);
    }
    this.#sweep(instances);
    for (const instance of this.instances.values()) instance.refresh();
  }

  /** The configuration is read again. */
  configure(parameters: InstanceParameters): void {
    const running = this.instances.get(parameters.name);
    if (running?.accepts(parameters)) {
      running.configure(parameters);
      return;
    }
    if (running !== undefined) this.remove(parameters.name, "configuration changed: another virtual router");
    const instance = new Instance(parameters, this);
    this.instances.set(parameters.name, instance);
    this.groups.instanceChanged(parameters.name);
    instance.refresh();
  }

  remove(name: string, why: string): void {
    const instance = this.instances.get(name);
    this.instances.delete(name);
    this.groups.instanceChanged(name);
    instance?.stop(why);
    instance?.discard();
  }

  /** SIGTERM. The kernel still does what it was asked. */
  stop(): void {
    this.groups.stop();
    for (const instance of this.instances.values()) instance.stop("viprd is stopping");
    for (const instance of this.instances.values()) instance.discard();
    this.kill();
  }

  /** SIGKILL: nothing runs any more, the sockets are closed, the addresses stay where they are. */
  kill(): void {
    this.#dead = true;
    this.#kernel.onChange = () => {};
    this.#kernel.tables.onChange = () => {};
    this.#kernel.onPacket = () => {};
    this.#kernel.onClaim = () => {};
  }

  /** SIGSTOP and SIGCONT. What arrives meanwhile queues up. */
  set paused(paused: boolean) {
    this.#stopped = paused;
    if (paused) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    // Which descriptor the loop looks at first is not known: the timer may well come before the packets.
    const timerFirst = this.#kernel.time.random() < 0.5;
    for (const { run } of waiting.sort(
      (a, b) => Number(timerFirst ? b.urgent : a.urgent) - Number(timerFirst ? a.urgent : b.urgent),
    )) {
      this.#kernel.time.after(0, () => this.#run(run, false));
    }
  }

  get paused(): boolean {
    return this.#stopped;
  }

  get stalls(): Stalls["figures"] {
    return this.#stalls.figures;
  }

  get dead(): boolean {
    return this.#dead;
  }

  now(): Instant {
    return Math.max(this.#offset + this.#kernel.time.now, this.#reached);
  }

  wallClock(ago: Milliseconds = 0): string {
    return new Date(Date.UTC(1970, 1) + this.#kernel.time.now + this.#kernel.wallClockOffset - ago).toISOString();
  }

  timeOfDay(): Milliseconds {
    return simulatedEpoch + this.#kernel.time.now + this.clockError;
  }

  linkByName(name: string): Link | undefined {
    const link = [...this.#links.values()].find((candidate) => candidate.name === name);
    if (link !== undefined) this.#known.set(name, link.index);
    return link ?? this.#links.get(this.#known.get(name) ?? 0);
  }

  /** What the checks process would tell. */
  report(check: string, up: boolean | null, reason = ""): void {
    if (!this.#dead) this.verdicts.set(check, { up, reason });
  }

  addressesOn(index: number): readonly AddressEntry[] {
    return this.#table.get(index) ?? [];
  }

  isVirtual(entry: AddressEntry): boolean {
    return entry.protocol === addressOwner || this.#holders(entry).length > 0;
  }

  isHeldElsewhere(entry: AddressEntry, instance: string): boolean {
    return this.#holders(entry).some((other) => other.parameters.name !== instance && other.holds(entry));
  }

  openChannel(link: Link, family: Family, receiver: Receiver): Channel {
    const key = `${link.index}/${family}`;
    const socket = this.#sockets.get(key) ?? new SimulatedSocket(family);
    this.#sockets.set(key, socket);
    socket.receivers.set(receiver.vrid, receiver);
    return {
      send: (datagram: Uint8Array, destination: IpAddress) =>
        this.#kernel.sendDatagram(link.index, family, datagram.slice(), destination),
      sendFrame: (frame: Uint8Array) => this.#kernel.sendMulticast(link.index, family, frame.slice()),
      drain: () => socket.read(Number.POSITIVE_INFINITY),
      close: () => {
        if (socket.receivers.get(receiver.vrid) === receiver) socket.receivers.delete(receiver.vrid);
        if (socket.receivers.size === 0) this.#sockets.delete(key);
      },
    };
  }

  sendFrame(link: Link, frame: Uint8Array): number {
    return this.#kernel.sendFrame(link.index, frame);
  }

  errnoName(errno: number): string {
    return `errno ${errno}`;
  }

  stalled(late: Milliseconds): void {
    this.#stalls.report(late);
  }

  schedule(entry: Entry, at: Instant | undefined): void {
    this.#agenda.schedule(entry, at);
  }

  scheduleBackground(entry: Entry, at: Instant | undefined): void {
    this.#agenda.scheduleBackground(entry, at);
  }

  soon(work: () => void): void {
    this.#agenda.soon(work);
  }

  log(level: LogLevel, instance: string | undefined, message: string): void {
    this.logs.push({ level, instance, message });
  }

  event(event: VrrpEvent): void {
    this.events.push(event);
  }

  #alarm(expire: () => void): { arm(at: Instant): void; disarm(): void } {
    const { time } = this.#kernel;
    let cancel: Cancel = () => {};
    let armedFor: Instant | undefined;
    return {
      arm: (at) => {
        if (at === armedFor) return;
        cancel();
        armedFor = at;
        const due = Math.max(at - this.#offset, time.now);
        // Work that is due at once is the next turn of the loop, not a timer.
        const late = at <= this.now() ? 0 : this.#delays.timer();
        cancel = time.at(due + late, () => {
          this.#run(() => {
            armedFor = undefined;
            this.#reached = Math.max(this.#reached, at);
            expire();
          }, true);
        });
      },
      disarm: () => {
        cancel();
        armedFor = undefined;
      },
    };
  }

  #run(run: () => void, urgent: boolean): void {
    if (this.#dead) return;
    if (this.#stopped) this.#waiting.push({ urgent, run });
    else run();
  }

  #later(run: () => void): void {
    this.#kernel.time.after(this.#delays.wake(), () => this.#run(run, false));
  }

  #packet(index: number, family: Family, bytes: Uint8Array): void {
    const socket = this.#sockets.get(`${index}/${family}`);
    if (socket === undefined) return;
    socket.arrive(bytes, this.#offset + this.#kernel.time.now);
    this.#later(() => socket.read(64));
  }

  #readNews(): void {
    for (let change = this.#news.shift(); change !== undefined; change = this.#news.shift()) this.#changed(change);
  }

  #changed(change: KernelChange): void {
    // The renewal of an address is no change that a watch would tell of.
    if (change.object === "link" || change.kind !== "changed") this.#later(() => this.routing.surroundingsChanged());
    if (change.object === "link") {
      const { link } = change;
      if (change.kind === "removed") this.#links.delete(link.index);
      else this.#links.set(link.index, link);
      const isMeant = (name: string) => name === link.name || this.#known.get(name) === link.index;
      this.groups.linkChanged(isMeant);
      for (const instance of this.instances.values()) instance.linkChanged(isMeant);
      return;
    }
    const { address: entry, kind } = change;
    const others = this.addressesOn(entry.index).filter(
      (other) => !(equalAddresses(other.address, entry.address) && other.prefixLength === entry.prefixLength),
    );
    this.#table.set(entry.index, kind === "removed" ? others : [...others, entry]);
    const holders = this.#holders(entry);
    for (const instance of holders) {
      if (kind === "removed") instance.addressRemoved(entry);
      else if (kind === "added") instance.addressAppeared();
      if (instance.parameters.priority === 255 || entry.protocol !== addressOwner) instance.refresh();
    }
    if (holders.length > 0 || entry.protocol === addressOwner) return;
    for (const instance of this.instances.values()) {
      const isIts = this.linkByName(instance.parameters.interface)?.index === entry.index;
      if (isIts) instance.refresh(kind === "added");
    }
  }

  #holders(entry: AddressEntry): Instance[] {
    const text = formatAddress(entry.address);
    return [...this.instances.values()].filter(({ parameters }) =>
      [...parameters.virtualAddresses, ...parameters.excludedAddresses].some((virtual) => virtual.address === text),
    );
  }

  #sweep(instances: readonly InstanceParameters[]): void {
    const interfaces = [...this.#links.values()].map(({ index, name }) => ({
      name,
      addresses: this.addressesOn(index),
    }));
    for (const entry of findLeftOvers(instances, interfaces)) this.#kernel.deleteAddress(entry);
    const { routes, rules } = this.#kernel.tables;
    const configured = instances.flatMap((parameters) => objectsOf(this, parameters));
    const found = findRoutingLeftOvers(routes, rules, [], configured);
    this.routing.perform(found.map((object) => ({ action: "delete", object, done: () => {} })));
  }
}
