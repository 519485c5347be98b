/** What the checks of a server together say about it, and whether it is believed. Pure. */

import type { Health, Instant, ServerMemory } from "./memory.ts";
import type { Advice, RealServerParameters, VirtualServerParameters } from "./parameters.ts";
import type { NamedAdvice } from "./weight.ts";

export interface CheckVerdict {
  /** Null: no result yet. */
  readonly up: boolean | null;
  readonly reason: string;
  readonly advice?: Advice;
}

export interface Assessment {
  readonly health: Health;
  readonly reason: string;
  readonly flaps: readonly Instant[];
  readonly damped: boolean;
  /** Until when it is damped, if it stays quiet. */
  readonly dampedUntil?: Instant;
}

/** All of its checks have to be up; one that is down decides. */
export function combine(
  checks: readonly string[],
  verdict: (check: string) => CheckVerdict | undefined,
): { readonly health: Health; readonly reason: string } {
  if (checks.length === 0) return { health: "up", reason: "it has no check" };
  let waiting: string | undefined;
  for (const check of checks) {
    const { up, reason } = verdict(check) ?? { up: null, reason: "no result yet" };
    if (up === false) return { health: "down", reason: `${check}: ${reason}` };
    if (up === null) waiting ??= `${check}: ${reason}`;
  }
  if (waiting !== undefined) return { health: "unknown", reason: waiting };
  const only = checks.length === 1 ? checks[0] : undefined;
  if (only === undefined) return { health: "up", reason: "all of its checks are up" };
  return { health: "up", reason: `${only}: ${verdict(only)?.reason ?? ""}` };
}

export function advicesOf(
  checks: readonly string[],
  verdict: (check: string) => CheckVerdict | undefined,
): readonly NamedAdvice[] {
  const advices: NamedAdvice[] = [];
  for (const check of checks) {
    const advice = verdict(check)?.advice;
    if (advice !== undefined) advices.push({ check, advice });
  }
  return advices;
}

export function assess(
  { flapDamping }: Pick<VirtualServerParameters, "flapDamping">,
  { checks }: Pick<RealServerParameters, "checks">,
  before: ServerMemory | undefined,
  verdict: (check: string) => CheckVerdict | undefined,
  instant: Instant,
): Assessment {
  const { health, reason } = combine(checks, verdict);
  if (flapDamping === undefined) return { health, reason, flaps: [], damped: false };
  const { changes, within } = flapDamping;
  // A first result is no change.
  const changed =
    before !== undefined && before.health !== "unknown" && health !== "unknown" && before.health !== health;
  const flaps = [...(before?.flaps ?? []), ...(changed ? [instant] : [])].slice(-changes - 1);
  const lately = flaps.filter((at) => instant - at < within);
  const damped = lately.length > changes || (before?.damped === true && lately.length > 0);
  if (!damped) return { health, reason, flaps: lately, damped };
  return { health, reason, flaps, damped, dampedUntil: (flaps.at(-1) ?? instant) + within };
}
