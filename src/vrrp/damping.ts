/**
 * Flap damping, after RFC 2439: each failure adds to a penalty that decays by half in every half-life. An object whose
 * penalty is above `suppress` is held in its worse state until the penalty has decayed to `reuse`.
 */
import type { FlapDamping, Instant } from "./parameters.ts";

export interface Flapping {
  /** As it was at the last failure. */
  readonly penalty: number;
  readonly at: Instant;
  readonly held: boolean;
}

export const steady: Flapping = { penalty: 0, at: 0, held: false };

export function penaltyAt({ halfLife }: FlapDamping, { penalty, at }: Flapping, now: Instant): number {
  return penalty * 2 ** ((at - now) / halfLife);
}

/** One more failure. The penalty has a ceiling, so that nothing is held for ever after a bad night. */
export function flapped(damping: FlapDamping, flapping: Flapping, now: Instant): Flapping {
  const penalty = Math.min(penaltyAt(damping, flapping, now) + 1, 2 * damping.suppress);
  return { penalty, at: now, held: flapping.held || penalty > damping.suppress };
}

/** When the hold ends unless it fails again; undefined when it is not held. */
export function heldUntil({ halfLife, reuse }: FlapDamping, { penalty, at, held }: Flapping): Instant | undefined {
  return held ? at + halfLife * Math.max(0, Math.log2(penalty / reuse)) : undefined;
}

export function released(damping: FlapDamping, flapping: Flapping, now: Instant): Flapping {
  const until = heldUntil(damping, flapping);
  return until !== undefined && now >= until ? { ...flapping, held: false } : flapping;
}
