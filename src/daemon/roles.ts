import type { StateName } from "../vrrp/status.ts";

/** "active: web, inside; backup: mail"; with many instances only how many: "200 active, 12 backup". Pure. */
export function describeRoles(roles: ReadonlyMap<string, StateName>): string {
  const states: readonly StateName[] = ["active", "backup", "initialize"];
  const names = (state: StateName) => [...roles].filter(([, role]) => role === state).map(([name]) => name);
  const told = states.map((state) => [state, names(state)] as const).filter(([, members]) => members.length > 0);
  if (roles.size > 8) return told.map(([state, members]) => `${members.length} ${state}`).join(", ");
  return told.map(([state, members]) => `${state}: ${members.join(", ")}`).join("; ");
}
