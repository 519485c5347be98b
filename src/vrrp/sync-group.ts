/**
 * Instances that are active together or not at all. A fault of one member is a fault of all; what the group tracks
 * counts for every member; and they become active when all are willing, by the coupling they share.
 */
import { Coupling, type Partner } from "./coupling.ts";
import { newEntry } from "./deadlines.ts";
import type { GroupMemberStatus, GroupStatus } from "./group-status.ts";
import type { Host } from "./host.ts";
import type { Milliseconds, SyncGroupParameters } from "./parameters.ts";
import type { StateName, TransitionStatus } from "./status.ts";
import { Tracker } from "./tracker.ts";

export interface GroupMember extends Partner {
  readonly state: StateName;
  /** What keeps it from running, the group aside; undefined until it has looked. */
  readonly ownFaults: readonly string[] | undefined;
  /** Its routers hear whether they are coupled, and who decides ties. */
  recouple(): void;
}

const remembered = 20;
/** Faults of other members that one member repeats. */
const repeated = 3;
/** A network card takes the interfaces of all members with it, one after the other. */
const retellDelay: Milliseconds = 100;

export class SyncGroup {
  readonly tracker: Tracker;
  readonly coupling: Coupling;
  readonly #host: Host;
  #parameters: SyncGroupParameters;
  #members: readonly GroupMember[] = [];
  readonly #reported = new Map<GroupMember, readonly string[]>();
  /** Their devices are being made ready, which is no fault. */
  readonly #preparing = new Set<GroupMember>();
  readonly #retell = newEntry(() => this.#settle());
  #settling = false;
  #again = false;
  #state: StateName = "initialize";
  #since: string;
  #transitions: readonly TransitionStatus[] = [];

  /** `running`: made by a reload, of instances that run already. */
  constructor(parameters: SyncGroupParameters, host: Host, running: boolean) {
    this.#host = host;
    this.#parameters = parameters;
    this.#since = host.wallClock();
    this.tracker = new Tracker(host, () => this.refresh());
    this.tracker.configure(parameters, running);
    this.tracker.look();
    this.coupling = new Coupling(host, [], `sync group ${parameters.name}`);
  }

  get parameters(): SyncGroupParameters {
    return this.#parameters;
  }

  get name(): string {
    return this.#parameters.name;
  }

  configure(parameters: SyncGroupParameters): void {
    this.#parameters = parameters;
    this.tracker.configure(parameters, this.#state !== "initialize");
    this.tracker.look();
  }

  /** In the order of the configuration: the first decides ties. */
  set members(members: readonly GroupMember[]) {
    this.#members = members;
    for (const member of this.#reported.keys()) {
      if (members.includes(member)) continue;
      this.#reported.delete(member);
      this.#preparing.delete(member);
    }
    const { couples, first } = this.coupling;
    this.coupling.partners = members;
    // Whoever came learns it when it joins.
    const same = couples === this.coupling.couples && first === this.coupling.first;
    if (!same) for (const member of members) member.recouple();
    this.memberChanged("its members have changed");
  }

  stop(): void {
    this.tracker.stop();
    this.coupling.stop();
    this.#host.scheduleBackground(this.#retell, undefined);
  }

  /** Looks at what the group tracks; it counts for every member. */
  refresh(): void {
    this.tracker.look();
    this.#settle();
  }

  linkChanged(isMeant: (name: string) => boolean): void {
    if (this.tracker.tracksInterface(isMeant)) this.refresh();
  }

  /** Why a member may not run although nothing is wrong with itself. */
  faultsFor(member: GroupMember): readonly string[] {
    const prefix = `sync group ${this.name}: `;
    const own = this.tracker.faults.map((fault) => prefix + fault);
    if ((member.ownFaults ?? []).length > 0) return own;
    const others: string[] = [];
    for (const [other, faults] of this.#reported) {
      if (other === member) continue;
      for (const fault of faults) others.push(`${prefix}${other.parameters.name}: ${fault}`);
      if (others.length > repeated) break;
    }
    // How many would be told anew with each.
    const more = others.length > repeated ? [`${prefix}more faults than these`] : [];
    return [...own, ...others.slice(0, repeated), ...more];
  }

  /** Some other member has not looked yet whether it can run, or is being made ready. */
  isGathering(member: GroupMember): boolean {
    return this.#preparing.size > (this.#preparing.has(member) ? 1 : 0) || this.#isUnheard(member);
  }

  /** A member has looked whether it can run. `preparing`: it will look again when its devices are there. */
  report(member: GroupMember, preparing: boolean): void {
    const faults = member.ownFaults ?? [];
    const before = this.#reported.get(member);
    const same = before?.length === faults.length && before.every((fault, i) => fault === faults[i]);
    if (same && this.#preparing.has(member) === preparing) return;
    this.#reported.set(member, faults);
    if (preparing) this.#preparing.add(member);
    else this.#preparing.delete(member);
    // Nobody starts before the last has looked.
    if (this.#isUnheard(member)) return;
    // Whoever waits for others already has only their reasons to hear, and those of all at once.
    if (before !== undefined && this.#hasFault(member)) this.#tellLater();
    else this.#settle();
  }

  /** `reason` is that of the transition of a member. */
  memberChanged(reason: string): void {
    const to = this.#common();
    if (to === this.#state) return;
    const transition = { at: this.#host.wallClock(), from: this.#state, to, reason } as const;
    this.#state = to;
    this.#since = transition.at;
    this.#transitions = [...this.#transitions, transition].slice(-remembered);
    this.#host.event({ type: "group_transition", group: this.name, ...transition });
  }

  status(): GroupStatus {
    const faults = this.tracker.faults;
    const members = this.#members.map((member) => this.#memberStatus(member));
    const blocked = members.flatMap(({ name, blocks }) => (blocks === null ? [] : [`${name}: ${blocks}`]));
    return {
      name: this.name,
      state: this.#state,
      since: this.#since,
      reasons: this.#state === "active" ? [] : [...faults, ...blocked],
      members,
      tracking: this.tracker.status(),
      transitions: this.#transitions,
    };
  }

  #common(): StateName {
    let common: StateName | undefined;
    for (const member of this.#members) {
      // One that has only just come has no say yet.
      if (member.state === "initialize" && !this.#reported.has(member) && member.ownFaults === undefined) continue;
      if (member.state === "initialize") return "initialize";
      if (member.state === "backup") common = "backup";
      else common ??= "active";
    }
    return common ?? "initialize";
  }

  #memberStatus(member: GroupMember): GroupMemberStatus {
    const { name } = member.parameters;
    const { state } = member;
    const faults = member.ownFaults ?? [];
    if (faults.length > 0) return { name, state, blocks: faults.join("; ") };
    if (this.#preparing.has(member)) return { name, state, blocks: "its devices are being made ready" };
    const reluctant = member.members.find((router) => router.state.name === "backup" && !router.isWilling);
    const ready = this.coupling.members.some((router) => router.isWilling || router.state.name === "active");
    const active = reluctant?.activeRouter(this.#host.now());
    if (!ready || reluctant === undefined) return { name, state, blocks: null };
    const blocks =
      active == null ? "its time has not come" : `${active.address} is active, priority ${active.priority}`;
    return { name, state, blocks };
  }

  /** Members report within: then everybody looks again, until nobody has news. One round shows the faults of all. */
  #settle(): void {
    this.#again = true;
    if (this.#settling) return;
    this.#settling = true;
    for (let round = 0; this.#again && round < 4; round++) {
      this.#again = false;
      for (const member of this.#members) if (this.#reported.has(member)) member.refresh();
    }
    this.#settling = false;
  }

  /** Whether some member besides this one has said nothing yet. */
  #isUnheard(member: GroupMember): boolean {
    return this.#members.length - this.#reported.size > (this.#reported.has(member) ? 0 : 1);
  }

  /** Some member besides this one. */
  #hasFault(but: GroupMember): boolean {
    for (const [member, faults] of this.#reported) if (member !== but && faults.length > 0) return true;
    return false;
  }

  #tellLater(): void {
    if (this.#retell.slot < 0) this.#host.scheduleBackground(this.#retell, this.#host.now() + retellDelay);
  }
}
