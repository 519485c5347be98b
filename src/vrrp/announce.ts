/**
 * When gratuitous ARP and unsolicited neighbour advertisements go out: a burst on becoming active, a second one a
 * little later (the first can fall into a port that is not forwarding yet), a slow refresh, and one more after a
 * foreign active router was heard. RFC 9568 section 6.4.2 asks for one; switches and hosts need more.
 */
import type { AnnounceParameters, Instant, Milliseconds } from "./parameters.ts";

/** Instants of the rounds still to come, ascending. In each round every address is announced once. */
export interface AnnounceState {
  readonly rounds: readonly Instant[];
  readonly refreshAt: Instant | undefined;
  /** No further burst for foreign routers before this instant. */
  readonly againAfter: Instant;
}

export const silentAnnouncer: AnnounceState = { rounds: [], refreshAt: undefined, againAfter: 0 };

const widestSpacing: Milliseconds = 250;
const burstGap: Milliseconds = 1000;

function burst(count: number, from: Instant): Instant[] {
  const spacing = Math.min(widestSpacing, 1000 / Math.max(count, 1));
  return Array.from({ length: count }, (_, i) => from + i * spacing);
}

/** The rounds that follow becoming active; at least one, at once. */
export function beginAnnouncing(parameters: AnnounceParameters, now: Instant): AnnounceState {
  const second = parameters.delay > 0 ? burst(parameters.delayRepeat, now + parameters.delay) : [];
  return {
    rounds: [...burst(Math.max(parameters.repeat, 1), now), ...second],
    refreshAt: parameters.refresh > 0 ? now + parameters.refresh : undefined,
    againAfter: now,
  };
}

/**
 * One more burst: a foreign active router was heard, or addresses were put back (then `least` is 1), and hosts may have
 * learned something else. Bursts keep a second apart; one that comes too early waits, and no more than one waits.
 */
export function announceAgain(
  parameters: AnnounceParameters,
  state: AnnounceState,
  now: Instant,
  least: 0 | 1,
): AnnounceState {
  const count = Math.max(parameters.lowerPriorityRepeat, least);
  const from = Math.max(now, state.againAfter);
  if (count === 0 || from - now > burstGap) return state;
  const rounds = [...state.rounds, ...burst(count, from)].sort((a, b) => a - b);
  return { ...state, rounds, againAfter: from + burstGap };
}

export function nextAnnouncement(state: AnnounceState): Instant | undefined {
  const first = state.rounds[0];
  if (first === undefined || state.refreshAt === undefined) return first ?? state.refreshAt;
  return Math.min(first, state.refreshAt);
}

/** Takes what is due at `now`. Rounds that came due together after a delay are one round: more would tell nothing new. */
export function takeAnnouncement(
  parameters: AnnounceParameters,
  state: AnnounceState,
  now: Instant,
): { readonly due: boolean; readonly state: AnnounceState } {
  const rounds = state.rounds.filter((at) => at > now);
  const refreshing = state.refreshAt !== undefined && state.refreshAt <= now;
  const due = refreshing || rounds.length < state.rounds.length;
  if (!refreshing) return { due, state: { ...state, rounds } };
  const more = burst(Math.max(parameters.refreshRepeat, 1), now).slice(1);
  return {
    due,
    state: {
      ...state,
      rounds: [...rounds, ...more].sort((a, b) => a - b),
      refreshAt: parameters.refresh > 0 ? now + parameters.refresh : undefined,
    },
  };
}
