/**
 * Routers that become active together, or not yet: those of the address families of an instance, and those of all
 * instances of a sync group. Each is willing when its time has come; all of them are granted the role when all are
 * willing; and when one loses it to another router, the others give it up with it.
 */
import { newEntry } from "./deadlines.ts";
import type { Host } from "./host.ts";
import { Limiter } from "./limiter.ts";
import type { Member } from "./member.ts";
import type { InstanceParameters, Milliseconds } from "./parameters.ts";
import { type Cause, describeCause } from "./reasons.ts";

/** An instance, as its coupling sees it. */
export interface Partner {
  readonly parameters: InstanceParameters;
  readonly members: readonly Member[];
  /** Gives the role up with priority 0. */
  resign(why: string): void;
  /** Runs again when it can: now behind the routers of other nodes, until it is its turn. */
  refresh(): void;
}

/** Half of it active for so many of the longest Active_Down_Intervals, of at most four advertisement intervals each. */
const patience = 3;
const longestDown = 4;

export class Coupling {
  readonly #host: Host;
  readonly #group: string | undefined;
  readonly #limiter = new Limiter(1000);
  readonly #impatient = newEntry(() => this.#giveUpHalf());
  #partners: readonly Partner[];
  #looking = false;

  /** `group` is its name in words, when it is one. */
  constructor(host: Host, partners: readonly Partner[], group?: string) {
    this.#host = host;
    this.#partners = partners;
    this.#group = group;
  }

  get members(): readonly Member[] {
    return this.#partners.flatMap(({ members }) => members);
  }

  /** Whether anybody has to wait for somebody. */
  get couples(): boolean {
    return this.#partners.length > 1 || (this.first?.parameters.families.length ?? 0) > 1;
  }

  /** Its first router decides ties for all. */
  get first(): Partner | undefined {
    return this.#partners[0];
  }

  set partners(partners: readonly Partner[]) {
    this.#partners = partners;
    this.changed();
  }

  stop(): void {
    this.#partners = [];
    this.#host.scheduleBackground(this.#impatient, undefined);
  }

  /** The time of one of the partner's routers has come, for the second time when `again`. */
  willing(partner: Partner, again: boolean): void {
    if (this.#partners.every(({ members }) => members.every(isReady))) {
      for (const member of this.members) member.handle({ type: "grant" });
      return;
    }
    const { name } = partner.parameters;
    if (!again || this.#limiter.allow(name, this.#host.now()) === undefined) return;
    this.#host.log("info", name, `willing to become active, waiting for ${this.#reluctant().join(", ")}`);
  }

  /** A router of the partner went from active to backup, and the partner with it: the others follow. */
  lost(partner: Partner, cause: Cause): void {
    const why = `${this.#group}: ${partner.parameters.name} lost the role: ${describeCause(cause)}`;
    for (const other of this.#partners) if (other !== partner) follow(other, cause, why);
  }

  /** The partner has lost what it holds: it resigns, and the others with it. */
  giveUp(partner: Partner, why: string): void {
    const others = this.#partners.filter(
      (other) => other !== partner && other.members.some(({ state }) => state.name === "active"),
    );
    partner.resign(why);
    const told = `${this.#group}: ${partner.parameters.name}: ${why}`;
    for (const other of others) other.resign(told);
    for (const each of [partner, ...others]) each.refresh();
  }

  /** Some router is in another state, or another one came or went. Many do so at once: one look afterwards is enough. */
  changed(): void {
    if (this.#looking) return;
    this.#looking = true;
    this.#host.soon(() => this.#look());
  }

  #look(): void {
    this.#looking = false;
    const { members } = this;
    const waiting = members.flatMap(({ state }) => (state.name === "backup" ? [state.activeAdverInterval] : []));
    if (waiting.length === 0 || !members.some(({ state }) => state.name === "active")) {
      this.#host.scheduleBackground(this.#impatient, undefined);
    } else if (this.#impatient.slot < 0) {
      const delay = Math.max(...this.#partners.map(({ parameters }) => parameters.preemptDelay));
      const limit: Milliseconds = delay + patience * longestDown * Math.max(...waiting);
      this.#host.scheduleBackground(this.#impatient, this.#host.now() + limit);
    }
  }

  /**
   * Members that came by a reload and cannot become active, because a better router is, leave the others alone with the
   * role. All or nothing: the better router's node has the others, too, or will take them over now.
   */
  #giveUpHalf(): void {
    const why = `${this.#group ?? "moving together"}: waited in vain for ${this.#reluctant().join(", ")}`;
    for (const member of this.members) member.handle({ type: "yield", why });
  }

  /** Who keeps the others waiting. */
  #reluctant(): string[] {
    const now = this.#host.now();
    return this.#partners.flatMap(({ parameters, members }) =>
      members
        .filter((member) => !isReady(member))
        .map((member) => {
          const family = `IPv${member.family}`;
          const name = this.#partners.length === 1 ? family : `${parameters.name} ${members.length > 1 ? family : ""}`;
          const active = member.activeRouter(now);
          return active === null ? name.trim() : `${name.trim()} (${active.address} is active there)`;
        }),
    );
  }
}

function isReady(member: Member): boolean {
  return member.isWilling || member.state.name === "active";
}

/** Its active routers give the role up with another one. */
export function follow({ members }: Partner, cause: Cause, why?: string): void {
  for (const member of members) {
    if (member.state.name !== "active") continue;
    if (cause.type === "stalled") member.handle({ type: "stalled", silent: cause.silent });
    else member.handle({ type: "yield", ...(why === undefined ? {} : { why }) });
  }
}
