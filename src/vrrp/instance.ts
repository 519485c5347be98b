/** One VRRP instance, the shell around the state machine: a router for each address family, and what they hold and tell. */
import type { AddressEntry } from "../netlink/address.ts";
import type { Link } from "../netlink/link.ts";
import type { Family, IpAddress } from "../wire/address.ts";
import { Coupling, follow } from "./coupling.ts";
import { newEntry } from "./deadlines.ts";
import { isSameRouter, type RunningParameters } from "./derive.ts";
import { Faults } from "./faults.ts";
import { History } from "./history.ts";
import type { Host } from "./host.ts";
import { describeInstance } from "./instance-status.ts";
import type { Member } from "./member.ts";
import type { InstanceParameters } from "./parameters.ts";
import { Part } from "./part.ts";
import { assess, interfacesOf, type Readiness } from "./readiness.ts";
import { type Cause, describeCause } from "./reasons.ts";
import { Standing } from "./standing.ts";
import type { InstanceStatus, StateName } from "./status.ts";
import type { GroupMember, SyncGroup } from "./sync-group.ts";

export class Instance implements GroupMember {
  readonly #host: Host;
  readonly #parts = new Map<Family, Part>();
  readonly #retry = newEntry(() => this.refresh());
  readonly #faults = new Faults();
  readonly #standing: Standing;
  /** Of its own address families; in a sync group that of the group takes its place. */
  readonly #alone: Coupling;
  #group: SyncGroup | undefined;
  #parameters: InstanceParameters;
  #told = "";
  #linkIndex: number | undefined;
  readonly #history: History;
  #lastCause: Cause | undefined;
  #ended = false;

  constructor(parameters: InstanceParameters, host: Host) {
    this.#parameters = parameters;
    this.#host = host;
    this.#history = new History(host, parameters.name);
    this.#faults.set("start", ["starting"]);
    this.#alone = new Coupling(host, [this]);
    this.#standing = new Standing(host, parameters, () => this.refresh());
    for (const family of parameters.families) this.#parts.set(family, this.#newPart(family));
  }

  get parameters(): InstanceParameters {
    return this.#parameters;
  }

  get state(): StateName {
    return this.#history.state;
  }

  get members(): readonly Member[] {
    return [...this.#parts.values()].map(({ member }) => member);
  }

  get ownFaults(): readonly string[] | undefined {
    return this.#faults.has("start") ? undefined : this.#faults.reasons("group", "devices");
  }

  /** Becomes a member of the group, or of none. */
  join(group: SyncGroup | undefined): void {
    if (group === this.#group) return;
    this.#group = group;
    this.#standing.group = group?.tracker;
    this.recouple();
    if (this.ownFaults !== undefined) this.refresh();
  }

  recouple(): void {
    for (const member of this.members) member.configure(this.#running);
  }

  /** Whether new parameters can be taken over by the running routers, or mean another virtual router. */
  accepts(parameters: InstanceParameters): boolean {
    return isSameRouter(parameters, this.#parameters);
  }

  configure(parameters: InstanceParameters): void {
    const { priority } = this.#parameters;
    this.#parameters = parameters;
    this.#faults.set("kernel", []);
    this.#standing.configure(parameters, this.state !== "initialize");
    const change = this.#standing.look();
    this.#changeFamilies(parameters.families);
    // Addresses first, so that none is missing from the host that the next advertisement lists.
    for (const part of this.#parts.values()) part.configureAddresses(parameters);
    this.recouple();
    if (priority === parameters.priority) this.#takeOver(change);
    this.refresh();
  }

  /** A family that comes starts as a backup beside an active one; a family that goes takes its addresses with it. */
  #changeFamilies(families: readonly Family[]): void {
    for (const [family, part] of this.#parts) {
      if (families.includes(family)) continue;
      this.#parts.delete(family);
      part.stop("the family is not configured any more");
      part.discard();
    }
    for (const family of families) if (!this.#parts.has(family)) this.#parts.set(family, this.#newPart(family));
  }

  /** Decides afresh whether it can run, as something it needs has changed; `mended`: the kernel may take what it refused. */
  refresh(mended = false): void {
    if (mended) this.#faults.set("kernel", []);
    this.#decide();
    this.#group?.report(this, this.#faults.has("devices"));
  }

  #decide(): void {
    const { link, reasons, source4, source6 } = this.#assess();
    const moved = link !== undefined && link.index !== (this.#linkIndex ?? link.index);
    if (moved) this.#closeChannels(`interface ${this.#parameters.interface} is another one now`);
    const wasRunning = this.state !== "initialize";
    const change = this.#standing.look();
    const needs = [...this.#parts.values()].map((part) => part.prepare(link));
    needs.push(this.#host.filter.state(this.#parameters));
    const problems = needs.flatMap(({ problem }) => problem ?? []);
    for (const source of ["start", "sockets", "devices"] as const) this.#faults.set(source, []);
    this.#faults.set("surroundings", [...reasons, ...problems]);
    this.#faults.set("tracked", this.#standing.faults);
    this.#faults.set("group", this.#group?.faultsFor(this) ?? []);
    if (this.#faults.any || link === undefined) {
      this.#halt(link);
      this.#takeOver(change);
      return;
    }
    this.#takeOver(change);
    const pending = needs.flatMap(({ pending }) => pending ?? []);
    if (!wasRunning && (pending.length > 0 || this.#group?.isGathering(this) === true)) {
      this.#faults.set("devices", pending);
      this.#faults.set("group", pending.length > 0 ? [] : ["waiting for the other members of its sync group"]);
      return;
    }
    this.#linkIndex = link.index;
    this.#told = "";
    for (const [family, part] of this.#parts) {
      const source = family === 4 ? source4 : source6;
      if (source !== undefined) this.#run(part, link, source);
    }
    // One family alone must not run when the other could not start.
    if (this.#faults.any) this.#halt(link);
    else if (!wasRunning) this.addressAppeared();
  }

  /** Gives the role up for good: addresses away, priority 0 on the wire, sockets closed. */
  stop(why: string): void {
    this.#host.scheduleBackground(this.#retry, undefined);
    this.#standing.stop();
    this.#alone.stop();
    this.#faults.set("stop", [why]);
    this.#ended = true;
    for (const part of this.#parts.values()) part.stop(why);
    this.#linkIndex = undefined;
  }

  /** After stop(): nothing of ours stays on the host. */
  discard(): void {
    for (const part of this.#parts.values()) part.discard();
  }

  /** `isMeant` tells whether a configured interface name stands for the interface that changed. */
  linkChanged(isMeant: (name: string) => boolean): void {
    const isUsed = interfacesOf(this.#parameters).some(isMeant);
    if (isUsed) this.#faults.set("kernel", []);
    if (isUsed || this.#standing.tracksInterface(isMeant)) this.refresh();
    for (const part of this.#parts.values()) part.linkChanged(isMeant);
  }

  /** Whether it has this address in the kernel now. */
  holds(entry: AddressEntry): boolean {
    return [...this.#parts.values()].some(({ keeper }) => keeper.holds(entry));
  }

  addressRemoved(entry: AddressEntry, port?: number): void {
    for (const { keeper } of this.#parts.values()) keeper.removed(entry, port);
  }

  /** One of its addresses appeared. In initialize it may be all that the host has; then it is left alone. */
  addressAppeared(): void {
    if (this.state === "initialize") return;
    for (const { keeper } of this.#parts.values()) keeper.appeared();
  }

  status(): InstanceStatus {
    return describeInstance(this.#parameters, [...this.#parts.values()], this.#history, {
      reasons: this.#faults.reasons(),
      priority: this.#standing.priority,
      tracking: this.#standing.status(),
      syncGroup: this.#group?.name,
      now: this.#host.now(),
    });
  }

  /** What the routers are told: the configuration with the effective priority. */
  get #running(): RunningParameters {
    const decidesTies = this.#coupling.first === this ? (this.#parameters.families[0] ?? null) : null;
    const priority = this.#standing.priority.effective;
    return { ...this.#parameters, priority, coupled: this.#coupling.couples, decidesTies };
  }

  get #coupling(): Coupling {
    return this.#group?.coupling ?? this.#alone;
  }

  /** `change` is what is to be told of a changed priority; what starts has one when it starts to run. */
  #takeOver(change: string | undefined): void {
    if (change === undefined) return;
    this.recouple();
    if (this.state === "initialize") return;
    this.#tell({ type: "priority", message: change });
  }

  #newPart(family: Family): Part {
    return new Part(family, this.#running, this.#host, {
      refused: (message) => {
        this.#faults.add("kernel", message);
        this.refresh();
      },
      deviceChanged: () => this.refresh(),
      lost: (message) => this.#coupling.giveUp(this, `${message}; on_removal: yield`),
      changed: (changed, _, cause) => this.#memberChanged(changed, cause),
      willing: (again) => this.#coupling.willing(this, again),
      warn: (message) => this.#warn(message),
    });
  }

  #assess(): Readiness {
    const link = this.#host.linkByName(this.#parameters.interface);
    return assess(this.#parameters, {
      link,
      addresses: link === undefined ? [] : this.#host.addressesOn(link.index),
      isVirtual: (entry) => this.#host.isVirtual(entry),
      exists: (name) => this.#host.linkByName(name) !== undefined,
    });
  }

  #run(part: Part, link: Link, source: IpAddress): void {
    try {
      part.start(link, source);
    } catch (error) {
      this.#faults.add("sockets", error instanceof Error ? error.message : String(error));
      // Memory, descriptors, an interface that is being renamed: perhaps there is no event when it is over.
      this.#host.scheduleBackground(this.#retry, this.#host.now() + 2000);
    }
  }

  #halt(link: Link | undefined): void {
    const why = this.#faults.reasons().join("; ");
    const wasRunning = this.state !== "initialize";
    for (const { member } of this.#parts.values()) member.stop(why, link?.up === true);
    // What an interface loses with its addresses or its MTU can include the group memberships of our sockets.
    this.#closeChannels();
    // A transition tells its reason; what never started has to say why, and again when the reasons change.
    if (!wasRunning && why !== this.#told) this.#warn(`cannot run: ${why}`, why);
    this.#told = why;
  }

  /** The others hear of it at once; this router stands behind them until it is its turn again. */
  resign(why: string): void {
    for (const member of this.members) member.stop(why, true);
  }

  /** `why`: the role is given up first. */
  #closeChannels(why?: string): void {
    for (const member of this.members) {
      if (why !== undefined) member.stop(why, true);
      member.closeChannel();
    }
    this.#linkIndex = undefined;
  }

  #memberChanged(changed: Member, cause: Cause): void {
    // Noted first: the others follow within this call, and the last of them reports.
    if (cause.type !== "group" || cause.why !== undefined) this.#lastCause = cause;
    const lost = changed.state.name === "backup" && (cause.type === "outranked" || cause.type === "stalled");
    if (lost) follow(this, cause);
    const states = this.members.map(({ state }) => state.name);
    const to = states.includes("initialize") ? "initialize" : states.includes("active") ? "active" : "backup";
    if (to !== this.state) {
      const reason = describeCause(this.#lastCause ?? cause);
      this.#history.enter(to, reason, this.#standing.priority.effective, this.#ended);
      this.#group?.memberChanged(`${this.#parameters.name}: ${reason}`);
    }
    if (lost) this.#coupling.lost(this, cause);
    this.#coupling.changed();
  }

  #warn(message: string, fault?: string): void {
    this.#tell({ type: "warning", message, ...(fault === undefined ? {} : { fault }) });
  }

  #tell(event: { type: "priority" | "warning"; message: string; fault?: string }): void {
    this.#host.event({ at: this.#host.wallClock(), instance: this.#parameters.name, ...event });
  }
}
