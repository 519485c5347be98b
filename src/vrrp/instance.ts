/** One VRRP instance, the shell around the state machine: a router for each address family, and what they hold and tell. */
import type { AddressEntry } from "../netlink/address.ts";
import type { Link } from "../netlink/link.ts";
import type { Family, IpAddress } from "../wire/address.ts";
import { mergeAuthentication } from "./authenticator.ts";
import { instanceCounters } from "./counters.ts";
import { newEntry } from "./deadlines.ts";
import { isSameRouter } from "./derive.ts";
import { Faults } from "./faults.ts";
import { History } from "./history.ts";
import type { Host } from "./host.ts";
import { Limiter } from "./limiter.ts";
import type { Member } from "./member.ts";
import type { InstanceParameters } from "./parameters.ts";
import { Part } from "./part.ts";
import { assess, type Readiness } from "./readiness.ts";
import { type Cause, describeCause } from "./reasons.ts";
import { Standing } from "./standing.ts";
import type { InstanceStatus, StateName } from "./status.ts";
import { macDeviceNames } from "./virtual-mac.ts";

const retryDelay = 2000;

export class Instance {
  readonly #host: Host;
  readonly #parts = new Map<Family, Part>();
  readonly #limiter = new Limiter(1000);
  readonly #retry = newEntry(() => this.refresh());
  readonly #faults = new Faults();
  readonly #standing: Standing;
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
    this.#standing = new Standing(host, parameters, () => this.refresh());
    for (const family of parameters.families) this.#parts.set(family, this.#newPart(family));
  }

  get parameters(): InstanceParameters {
    return this.#parameters;
  }

  get state(): StateName {
    return this.#history.state;
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
    for (const { member } of this.#parts.values()) member.configure(this.#effective);
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

  /** Decides afresh whether the instance can run: called when anything about its interface, or what it tracks, changed. */
  refresh(): void {
    const readiness = this.#assess();
    const wasRunning = this.state !== "initialize";
    const change = this.#standing.look();
    const { link } = readiness;
    const devices = link === undefined ? [] : [...this.#parts.values()].map((part) => part.prepare(link));
    const problems = devices.flatMap(({ problem }) => (problem === undefined ? [] : [problem]));
    for (const source of ["start", "sockets", "devices"] as const) this.#faults.set(source, []);
    this.#faults.set("surroundings", [...readiness.reasons, ...problems]);
    this.#faults.set("tracked", this.#standing.faults);
    if (this.#faults.any || link === undefined) {
      this.#halt(link);
      this.#takeOver(change);
      return;
    }
    this.#takeOver(change);
    const pending = devices.flatMap(({ pending }) => (pending === undefined ? [] : [pending]));
    if (pending.length > 0 && !wasRunning) {
      this.#faults.set("devices", pending);
      return;
    }
    if (this.#linkIndex !== link.index) this.#closeChannels();
    this.#linkIndex = link.index;
    this.#told = "";
    for (const [family, part] of this.#parts) {
      const source = family === 4 ? readiness.source4 : readiness.source6;
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
    const { virtualAddresses, excludedAddresses } = this.#parameters;
    const devices = [...virtualAddresses, ...excludedAddresses].map(({ device }) => device);
    if ([this.#parameters.interface, ...devices, ...macDeviceNames(this.#parameters)].some(isMeant)) {
      this.#faults.set("kernel", []);
      this.refresh();
    } else if (this.#standing.tracksInterface(isMeant)) this.refresh();
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
    const now = this.#host.now();
    const parts = [...this.#parts.values()];
    const { name, vrid, version, advertisementInterval, preempt } = this.#parameters;
    const authentication = mergeAuthentication(parts.flatMap(({ member }) => member.authenticator?.status() ?? []));
    return {
      name,
      interface: this.#parameters.interface,
      vrid,
      version,
      families: this.#parameters.families.map((family) => (family === 4 ? "ipv4" : "ipv6")),
      state: this.state,
      reasons: this.state === "initialize" ? this.#faults.reasons() : [],
      since: this.#history.since,
      priority: this.#standing.priority,
      advert_int_ms: advertisementInterval,
      preempt,
      ...(authentication === undefined ? {} : { authentication }),
      active_router: parts[0]?.member.activeRouter(now) ?? null,
      tracking: this.#standing.status(),
      addresses: parts.flatMap(({ keeper }) => keeper.status()),
      virtual_macs: parts.flatMap((part) => part.macStatus()),
      routes: parts.flatMap(({ routing }) => routing.status("route")),
      rules: parts.flatMap(({ routing }) => routing.status("rule")),
      routers: parts.map(({ member }) => member.status(now)),
      counters: instanceCounters(parts.map(({ member }) => member.counters)),
      split_brains: parts.flatMap(({ splitBrain }) => splitBrain.status()),
      transitions: this.#history.transitions,
    };
  }

  /** What the routers are told: the configuration with the effective priority. */
  get #effective(): InstanceParameters {
    return { ...this.#parameters, priority: this.#standing.priority.effective };
  }

  /** `change` is what is to be told of a changed priority; what starts has one when it starts to run. */
  #takeOver(change: string | undefined): void {
    if (change === undefined) return;
    for (const { member } of this.#parts.values()) member.configure(this.#effective);
    if (this.state === "initialize") return;
    const at = this.#host.wallClock();
    this.#host.event({ type: "priority", at, instance: this.#parameters.name, message: change });
  }

  #newPart(family: Family): Part {
    return new Part(family, this.#effective, this.#host, {
      refused: (message) => {
        this.#faults.add("kernel", message);
        this.refresh();
      },
      deviceChanged: () => this.refresh(),
      lost: (message) => this.#giveUp(message),
      changed: (changed, _, cause) => this.#memberChanged(changed, cause),
      willing: (again) => this.#grantWhenAllAreWilling(again),
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
      this.#host.scheduleBackground(this.#retry, this.#host.now() + retryDelay);
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
  #giveUp(why: string): void {
    for (const { member } of this.#parts.values()) member.stop(`${why}; on_removal: yield`, true);
    this.refresh();
  }

  #closeChannels(): void {
    for (const { member } of this.#parts.values()) member.closeChannel();
    this.#linkIndex = undefined;
  }

  /** The routers of an instance become active together, or not yet. */
  #grantWhenAllAreWilling(again: boolean): void {
    const members = [...this.#parts.values()].map(({ member }) => member);
    if (!members.every((member) => member.isWilling || member.state.name === "active")) {
      if (!again) return;
      const waiting = members.filter((member) => !member.isWilling).map(({ family }) => `IPv${family}`);
      if (this.#limiter.allow("waiting", this.#host.now()) !== undefined) {
        this.#host.log("info", this.#parameters.name, `willing to become active, waiting for ${waiting.join(", ")}`);
      }
      return;
    }
    for (const member of members) member.handle({ type: "grant" });
  }

  #memberChanged(changed: Member, cause: Cause): void {
    // Noted first: the others yield within this call, and the last of them reports.
    if (cause.type !== "group") this.#lastCause = cause;
    if (changed.state.name === "backup" && cause.type === "outranked") {
      for (const { member } of this.#parts.values()) if (member !== changed) member.handle({ type: "yield" });
    }
    if (changed.state.name === "backup" && cause.type === "stalled") {
      const { silent } = cause;
      for (const { member } of this.#parts.values()) {
        if (member.state.name === "active") member.handle({ type: "stalled", silent });
      }
    }
    const states = [...this.#parts.values()].map(({ member }) => member.state.name);
    const to = states.includes("initialize") ? "initialize" : states.includes("active") ? "active" : "backup";
    if (to === this.state) return;
    this.#history.enter(to, describeCause(this.#lastCause ?? cause), this.#standing.priority.effective, this.#ended);
  }

  #warn(message: string, fault?: string): void {
    const at = this.#host.wallClock();
    const more = fault === undefined ? {} : { fault };
    this.#host.event({ type: "warning", at, instance: this.#parameters.name, message, ...more });
  }
}
