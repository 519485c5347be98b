/**
 * The VRRP process on the real kernel: its sockets, its one timer, its picture of links and addresses, and the
 * instances on top of them.
 */
import type { AddressEntry } from "../netlink/address.ts";
import { openAside } from "../netlink/aside.ts";
import { Connection } from "../netlink/connection.ts";
import type { Link } from "../netlink/link.ts";
import { type Change, Watch } from "../netlink/watch.ts";
import { now, suspended } from "../socket/clock.ts";
import { errnoName } from "../socket/errno.ts";
import type { LatenessFigures } from "../socket/lateness.ts";
import { OneShotTimer } from "../socket/timer.ts";
import type { Family } from "../wire/address.ts";
import { equalBytes } from "../wire/bytes.ts";
import { AddressClaims } from "./address-claims.ts";
import { KernelAddresses } from "./address-requests.ts";
import { Agenda } from "./agenda.ts";
import { Channels } from "./channels.ts";
import { type Entry, newEntry } from "./deadlines.ts";
import { Filter } from "./filter.ts";
import type { Channel, Host, LogLevel, Receiver } from "./host.ts";
import { Instance } from "./instance.ts";
import { KernelRouting } from "./kernel-routing.ts";
import { KnownLinks } from "./known-links.ts";
import { KernelLinks } from "./link-requests.ts";
import type { InstanceParameters, Instant, Milliseconds } from "./parameters.ts";
import type { StaticParameters } from "./routing-parameters.ts";
import { Secondaries } from "./secondaries.ts";
import { Settings } from "./settings.ts";
import { Stalls } from "./stalls.ts";
import { objectsOf, Statics, staticHolder } from "./statics.ts";
import type { InstanceStatus, InterfaceStatus, VrrpEvent } from "./status.ts";
import { sweep } from "./sweep.ts";
import { SyncGroups } from "./sync-groups.ts";
import { FrameSender } from "./transport.ts";
import { Verdicts } from "./verdicts.ts";
import { addressOwner } from "./virtual-entry.ts";
import { VirtualRegistry } from "./virtual-registry.ts";

/** A thousand instances stop in portions: one system call removes the addresses of each. */
const stopTogether = 32;
/** Longer than the kernel takes to wake this process, and spent only when a takeover is due. */
const headStart = 0.4;

export interface EngineReports {
  log(level: LogLevel, instance: string | undefined, message: string, fields?: Readonly<Record<string, unknown>>): void;
  event(event: VrrpEvent): void;
}

export class Engine implements Host {
  readonly log: EngineReports["log"];
  readonly event: EngineReports["event"];
  readonly addresses: KernelAddresses;
  readonly addressClaims: AddressClaims;
  readonly links: KernelLinks;
  readonly settings: Settings;
  readonly filter: Filter;
  readonly routing: KernelRouting;
  readonly statics: Statics;
  readonly verdicts = new Verdicts();
  readonly #agenda = new Agenda(now, (expire) => new OneShotTimer(expire), headStart);
  readonly #flush = newEntry(() => this.addresses.flush());
  readonly #instances = new Map<string, Instance>();
  readonly groups = new SyncGroups(this, this.#instances);
  readonly #channels: Channels;
  readonly #frames: FrameSender;
  readonly #connection: Connection;
  readonly #watch: Watch;
  readonly #known: KnownLinks;
  readonly #virtual = new VirtualRegistry();
  #started = false;
  readonly #stalls = new Stalls(this, suspended);
  readonly #secondaries = new Secondaries(this, () => [...this.#allParameters(), this.statics]);

  /** `settingsNote` is the file that remembers changed kernel settings. Throws when the kernel refuses the sockets. */
  constructor(reports: EngineReports, settingsNote?: string) {
    this.log = reports.log;
    this.event = reports.event;
    this.#connection = Connection.open({ onError: (error) => reports.log("error", undefined, error.message) });
    this.links = new KernelLinks(this.#connection);
    this.settings = new Settings(settingsNote, (level, message) => reports.log(level, undefined, message));
    this.filter = new Filter(this, () => (this.#started ? this.#instances.values() : []), reports);
    const nameOf = (index: number) => this.#watch.links.get(index)?.name ?? `interface ${index}`;
    const flushSoon = (after: Milliseconds) => this.#agenda.scheduleBackground(this.#flush, now() + after);
    this.addresses = new KernelAddresses(this.#connection, openAside("netlink socket for renewals"), nameOf, flushSoon);
    this.#watch = Watch.open({
      links: true,
      addresses: true,
      connection: this.#connection,
      onChange: (change) => this.#changed(change),
      onResync: (reason) => reports.log("warn", undefined, `netlink: ${reason}; reading links and addresses again`),
    });
    this.#known = new KnownLinks(this.#watch);
    this.routing = new KernelRouting(this.#connection, (level, message) => reports.log(level, undefined, message));
    this.statics = new Statics(this);
    this.#frames = FrameSender.open();
    this.#channels = new Channels(this.#frames, (message) => reports.log("warn", undefined, message));
    const isOwnMac = (mac: Uint8Array) => [...this.#watch.links.values()].some((link) => equalBytes(link.mac, mac));
    this.addressClaims = new AddressClaims(this, isOwnMac, (message) => reports.log("warn", undefined, message));
  }

  get lateness(): LatenessFigures {
    return this.#agenda.lateness.figures;
  }

  get stalls(): Stalls["figures"] {
    return this.#stalls.figures;
  }

  get authenticates(): boolean {
    return this.#allParameters().some(({ authHmac }) => authHmac !== undefined);
  }

  /** Before start() it is only noted. Afterwards a changed instance keeps its state where that is possible. */
  configure(parameters: InstanceParameters): void {
    const running = this.#instances.get(parameters.name);
    this.filter.refresh();
    if (this.#started) this.#secondaries.keep(parameters);
    if (running?.accepts(parameters)) {
      this.#virtual.remove(running);
      running.configure(parameters);
      this.#virtual.add(running);
      return;
    }
    if (running !== undefined) this.remove(parameters.name, "it becomes another virtual router");
    const instance = new Instance(parameters, this);
    this.#instances.set(parameters.name, instance);
    this.#virtual.add(instance);
    this.groups.instanceChanged(parameters.name);
    if (!this.#started) return;
    instance.refresh();
    // Its addresses may be on the host already; our own last deletions may not have been heard of yet.
    instance.addressAppeared();
  }

  remove(name: string, why: string): void {
    const instance = this.#instances.get(name);
    if (instance === undefined) return;
    this.#instances.delete(name);
    this.groups.instanceChanged(name);
    instance.stop(why);
    instance.discard();
    this.#secondaries.release(name);
    this.#virtual.remove(instance);
    this.filter.refresh();
  }

  /** A check found something else than before, or is new. Before start() it is only noted. */
  verdict(check: string, up: boolean | null, reason: string): void {
    if (this.#started) this.verdicts.set(check, { up, reason });
    else this.verdicts.note(check, { up, reason });
  }

  /** What is held whatever the roles are. */
  configureStatics(parameters: StaticParameters | undefined): void {
    this.statics.configure(parameters);
    if (this.#started) this.#secondaries.keep(this.statics);
  }

  async start(): Promise<void> {
    await this.#watch.ready;
    const configured = this.#allParameters().flatMap((parameters) => objectsOf(this, parameters));
    await this.routing.start(this.statics.objects(), configured);
    this.#started = true;
    this.settings.recover();
    this.#secondaries.keepAll();
    const log = (level: LogLevel, message: string) => this.log(level, undefined, message);
    const isKept = (entry: AddressEntry) => this.statics.includes(entry);
    sweep(this.#allParameters(), [...this.#watch.links.values()], this, log, isKept);
    this.statics.hold();
    this.groups.refresh();
    for (const instance of this.#instances.values()) instance.refresh();
    this.settings.restoreUnused();
    this.filter.refresh();
  }

  /** Every role is given up and every address removed when this returns; the promise waits for the kernel's answers. */
  async stop(): Promise<void> {
    // What links and addresses do from now on concerns nobody.
    this.#started = false;
    const instances = [...this.#instances.values()];
    this.groups.stop();
    for (let start = 0; start < instances.length; start += stopTogether) {
      // Addresses first, as everywhere: the farewells wait until those of the portion are gone.
      this.#channels.sendingAfterwards(() =>
        this.addresses.deletingTogether(() => {
          for (const instance of instances.slice(start, start + stopTogether)) instance.stop("viprd is stopping");
        }),
      );
    }
    this.statics.release();
    this.links.deletingTogether(() => {
      for (const instance of instances) instance.discard();
    }, this.#watch.links.values());
    this.settings.restoreAll();
    this.routing.close();
    await Promise.all([this.addresses.settle(), this.links.settle(), this.filter.remove()]);
  }

  *status(): Iterable<InstanceStatus> {
    for (const instance of this.#instances.values()) yield instance.status();
  }

  instanceStatus(name: string): InstanceStatus | undefined {
    return this.#instances.get(name)?.status();
  }

  interfaces(): InterfaceStatus[] {
    return this.#channels.status();
  }

  // What the instances ask of their host.
  readonly now = now;
  readonly wallClock = (ago: Milliseconds = 0) => new Date(Date.now() - ago).toISOString();
  readonly timeOfDay = () => Date.now();
  readonly errnoName = errnoName;

  linkByName(name: string): Link | undefined {
    return this.#known.byName(name);
  }

  addressesOn(index: number): readonly AddressEntry[] {
    return this.#watch.addresses(index);
  }

  isVirtual(entry: AddressEntry): boolean {
    return !this.statics.includes(entry) && this.#virtual.isVirtual(entry);
  }

  isHeldElsewhere(entry: AddressEntry, instance: string): boolean {
    if (instance !== staticHolder && this.statics.holds(entry)) return true;
    return this.#virtual.isHeldElsewhere(entry, instance);
  }

  openChannel(link: Link, family: Family, receiver: Receiver): Channel {
    return this.#channels.open(link, family, receiver);
  }

  sendFrame(link: Link, frame: Uint8Array): number {
    return this.#frames.send(link, frame);
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

  #changed(change: Change): void {
    if (!this.#started) return;
    if (change.object === "link") this.#linkChanged(change.link, change.before);
    if (change.object === "address") this.#addressChanged(change.address, change.kind, change.port);
    this.routing.surroundingsChanged();
  }

  #linkChanged(link: Link, before: Link | undefined): void {
    const isMeant = (name: string) => this.#known.isMeant(name, link);
    if (before !== undefined && before.name !== link.name) this.settings.renamed(before.name, link.name);
    if (before?.name !== link.name) {
      this.filter.refresh();
      this.#secondaries.nameChanged(isMeant);
    }
    this.statics.linkChanged(isMeant);
    this.groups.linkChanged(isMeant);
    for (const instance of this.#instances.values()) instance.linkChanged(isMeant);
  }

  #addressChanged(entry: AddressEntry, kind: string, port: number | undefined): void {
    const holders = this.#virtual.holdersOf(entry);
    const isStatic = this.statics.includes(entry);
    if (isStatic && kind === "removed") this.statics.addressRemoved(entry, port);
    for (const instance of holders ?? []) {
      if (kind === "removed") instance.addressRemoved(entry, port);
      else if (kind === "added") instance.addressAppeared();
      // The owner's own address is also what it speaks from, and nobody else's is in its place.
      if (instance.parameters.priority === 255 || entry.protocol !== addressOwner) instance.refresh();
    }
    if (holders !== undefined || (entry.protocol === addressOwner && !isStatic)) return;
    for (const instance of this.#instances.values()) {
      const isIts = this.linkByName(instance.parameters.interface)?.index === entry.index;
      // An address that comes may mean that IPv6 was disabled, and is enabled.
      if (isIts) instance.refresh(kind === "added");
    }
  }

  #allParameters(): readonly InstanceParameters[] {
    return [...this.#instances.values()].map(({ parameters }) => parameters);
  }
}
