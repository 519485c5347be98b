/** For how long a backup waits: Active_Down_Timer as it is started, restarted and corrected. RFC 9568 section 6.4.2. */
import type { Instant, Milliseconds } from "./parameters.ts";
import type { Backup, Event, Peer, RouterParameters } from "./router-state.ts";
import { activeDownInterval, listeningTime, skewTime } from "./timing.ts";

export function waiting(router: RouterParameters, interval: Milliseconds, from: Instant): Backup {
  return {
    name: "backup",
    activeAdverInterval: interval,
    activeDownTimer: from + activeDownInterval(router.version, router.priority, interval),
    timerStart: from,
    resigned: false,
    learned: false,
    willing: false,
  };
}

export function accepted(router: RouterParameters, event: Event & { type: "advertisement" }, peer: Peer): Backup {
  const interval = Math.min(event.interval, router.maxLearnedInterval ?? Number.POSITIVE_INFINITY);
  // RFC 3768 section 6.1: in version 2 the local interval counts, and every accepted advertisement has the same.
  return { ...waiting(router, interval, event.at), learned: router.version === 3, active: peer };
}

export function followed(
  router: RouterParameters,
  state: Backup,
  event: Event & { type: "advertisement" },
  peer: Peer,
): Backup {
  const next = accepted(router, event, peer);
  const listenUntil = listeningAfter(router, state, event.at);
  if (listenUntil === undefined) return next;
  return { ...next, listenUntil, activeDownTimer: notBefore(listenUntil, next.activeDownTimer) };
}

/** What arrived before or during the absence does not shorten the listening; what is heard now is as good as ever. */
export function listeningAfter(router: RouterParameters, state: Backup, at: Instant): Instant | undefined {
  const { listenUntil, activeAdverInterval } = state;
  if (listenUntil === undefined) return undefined;
  return at < listenUntil - listeningTime(router.version, router.priority, activeAdverInterval)
    ? listenUntil
    : undefined;
}

/**
 * Silence is not believed before the router has listened from now on. A host that is late each time would listen for
 * ever: absences in which nobody else can have taken over prolong the listening to one Active_Down_Interval in all.
 */
export function listening(router: RouterParameters, state: Backup, absent: Milliseconds, now: Instant): Backup {
  const { version, priority } = router;
  const { activeAdverInterval, listenUntil: before } = state;
  const longest = activeDownInterval(version, priority, activeAdverInterval);
  // Half an interval between two absences is not enough to hear anybody in.
  const goesOn = before !== undefined && absent <= longest && now - absent <= before + activeAdverInterval / 2;
  const listenSince = goesOn ? (state.listenSince ?? now) : now;
  const listenUntil = Math.min(now + listeningTime(version, priority, activeAdverInterval), listenSince + longest);
  // Who was willing before may not be so any more when it has listened.
  const activeDownTimer = state.willing ? listenUntil : notBefore(listenUntil, state.activeDownTimer);
  return { ...state, listenSince, listenUntil, activeDownTimer, willing: false };
}

export function notBefore(earliest: Instant | undefined, at: Instant): Instant {
  return earliest === undefined ? at : Math.max(earliest, at);
}

export function restarted(router: RouterParameters, state: Backup, now: Instant): Backup {
  const activeDownTimer = now + activeDownInterval(router.version, router.priority, state.activeAdverInterval);
  return { ...state, activeDownTimer };
}

/** A changed priority or interval counts from when the running timer was started. */
export function recomputed(router: RouterParameters, state: Backup): Backup {
  const { version, priority } = router;
  const learned = Math.min(state.activeAdverInterval, router.maxLearnedInterval ?? Number.POSITIVE_INFINITY);
  const activeAdverInterval = state.learned ? learned : router.interval;
  const length = state.resigned
    ? skewTime(version, priority, activeAdverInterval)
    : activeDownInterval(version, priority, activeAdverInterval);
  const activeDownTimer = notBefore(state.listenUntil, state.timerStart + length);
  return { ...state, activeAdverInterval, activeDownTimer };
}

/** With a lower priority of our own a lesser router is a better one: its last advertisement counts as accepted. */
export function overtaken(router: RouterParameters, state: Backup): Backup {
  const { lesser } = state;
  if (lesser === undefined || (router.preempt && lesser.priority < router.priority)) return state;
  // It has resigned since.
  if (state.resigned && state.timerStart >= lesser.at) return state;
  const { lesser: _, delaySince: __, ...rest } = state;
  const length = activeDownInterval(router.version, router.priority, state.activeAdverInterval);
  return {
    ...rest,
    active: lesser,
    timerStart: lesser.at,
    activeDownTimer: Math.max(lesser.at + length, state.activeDownTimer),
    willing: false,
    resigned: false,
  };
}
