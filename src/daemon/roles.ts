/** Which state each instance is in, as far as events told. Pure. */
import type { StateName, VrrpEvent } from "../vrrp/status.ts";

export class Roles {
  readonly #roles = new Map<string, { readonly state: StateName; readonly priority: number }>();
  readonly #groups = new Map<string, StateName>();

  /** True when the event changed one. */
  take(event: VrrpEvent): boolean {
    if (event.type === "group_transition") this.#groups.set(event.group, event.to);
    if (event.type !== "transition") return false;
    this.#roles.set(event.instance, { state: event.to, priority: event.priority });
    return true;
  }

  /** Of every instance that told one. */
  *states(): Generator<readonly [name: string, state: StateName]> {
    for (const [name, { state }] of this.#roles) yield [name, state];
  }

  /** Forgets all instances and sync groups but these. */
  keep(names: ReadonlySet<string>, groups: ReadonlySet<string>): void {
    for (const name of this.#roles.keys()) if (!names.has(name)) this.#roles.delete(name);
    for (const name of this.#groups.keys()) if (!groups.has(name)) this.#groups.delete(name);
  }

  /** The transitions that a process which died could not tell. */
  lost(reason: string, at: string): VrrpEvent[] {
    const to = "initialize";
    const instances = [...this.#roles]
      .filter(([, { state }]) => state !== to)
      .map(([instance, { state, priority }]): VrrpEvent => {
        return { at, instance, type: "transition", from: state, to, reason, priority };
      });
    const groups = [...this.#groups]
      .filter(([, state]) => state !== to)
      .map(([group, from]): VrrpEvent => ({ at, group, type: "group_transition", from, to, reason }));
    return [...instances, ...groups];
  }

  describe(): string {
    return describeRoles(new Map([...this.#roles].map(([name, { state }]) => [name, state])));
  }
}

/** "active: web, inside; backup: mail"; with many instances only how many: "200 active, 12 backup". */
export function describeRoles(roles: ReadonlyMap<string, StateName>): string {
  const states: readonly StateName[] = ["active", "backup", "initialize"];
  const names = (state: StateName) => [...roles].filter(([, role]) => role === state).map(([name]) => name);
  const told = states.map((state) => [state, names(state)] as const).filter(([, members]) => members.length > 0);
  if (roles.size > 8) return told.map(([state, members]) => `${members.length} ${state}`).join(", ");
  return told.map(([state, members]) => `${state}: ${members.join(", ")}`).join("; ");
}
