/** Quorum with hysteresis by weight, and the limit to what failures may take out. Pure. */

export interface QuorumInput {
  readonly quorum: number;
  readonly hysteresis: number;
  /** Undefined: not decided yet. */
  readonly before: boolean | undefined;
  /** Of the servers in service. */
  readonly weight: number;
  /** Of all that may be in service. */
  readonly total: number;
  /** Of the servers that have no result yet and are not in service. */
  readonly pending: number;
}

/**
 * As keepalived has it: never more than all servers together weigh; lost below quorum less hysteresis, regained from
 * quorum plus hysteresis on. Results that are still to come may hold up a decision, but never one that is clear already.
 */
export function quorumAfter({ quorum, hysteresis, before, weight, total, pending }: QuorumInput): boolean | undefined {
  const required = Math.min(quorum, total);
  const toRegain = Math.min(before === undefined ? quorum : quorum + hysteresis, total);
  const holds = (sum: number) => sum > 0 && sum >= required - hysteresis;
  const regains = (sum: number) => sum > 0 && sum >= toRegain;
  if (before === true) return holds(weight + pending);
  if (regains(weight)) return true;
  return before === undefined && pending > 0 ? undefined : false;
}

export interface Failing {
  readonly key: string;
  readonly failedAt: number;
}

/**
 * Which of the failed servers stay in service, because fewer than the share would be left: the last ones to fail.
 * `left` counts the servers in service that have not failed, `total` all that could be.
 */
export function heldByPanic(
  failing: readonly Failing[],
  { left, total, threshold }: { left: number; total: number; threshold: number },
): ReadonlySet<string> {
  const least = Math.ceil((total * threshold) / 100);
  const byTime = failing.toSorted((a, b) => a.failedAt - b.failedAt || (a.key < b.key ? -1 : 1));
  const mayGo = Math.max(0, left + failing.length - least);
  return new Set(byTime.slice(mayGo).map(({ key }) => key));
}
