/** The effective priority of an instance: its configured one and what its tracked objects change, each part explained. */
import type { Track } from "./parameters.ts";
import type { PriorityPart, PriorityStatus } from "./status.ts";

const least = 1;
const most = 254;
const owner = 255;

/** What one tracked object adds: a negative change while it fails, a positive one while it does not. */
export function priorityChange({ priority = 0 }: Track, failing: boolean): number {
  return priority < 0 === failing ? priority : 0;
}

/**
 * RFC 9568 section 5.2.4: 0 says "I resign" and 255 "I own the address", so tracking reaches neither; and an owner
 * stays one. Always computed from the configured priority, so what tracking took it gives back exactly.
 */
export function effectivePriority(base: number, changes: readonly PriorityPart[]): PriorityStatus {
  if (base === owner) return { base, effective: base, parts: [] };
  const parts = changes.filter(({ change }) => change !== 0);
  const sum = parts.reduce((total, { change }) => total + change, base);
  const effective = Math.min(Math.max(sum, least), most);
  if (effective === sum) return { base, effective, parts };
  return { base, effective, parts: [...parts, { name: `kept within ${least} to ${most}`, change: effective - sum }] };
}

/** The names of the parts by which two priorities differ. */
export function differingParts(a: PriorityStatus, b: PriorityStatus): ReadonlySet<string> {
  const before = new Map(a.parts.map(({ name, change }) => [name, change]));
  const after = new Map(b.parts.map(({ name, change }) => [name, change]));
  return new Set([...before.keys(), ...after.keys()].filter((name) => before.get(name) !== after.get(name)));
}
