/**
 * The VRRP state machine: RFC 9568 section 6.4 and, for version 2, RFC 3768 section 6.4.
 *
 * `step` is a pure function of (parameters, state, event, now). Its types are in router-state.ts.
 */
import { compareAddresses, type IpAddress } from "../wire/address.ts";
import type { Instant, Milliseconds } from "./parameters.ts";
import type { Cause } from "./reasons.ts";
import type { Action, Active, Backup, Event, Initialize, Peer, RouterParameters, State, Step } from "./router-state.ts";
import { activeDownInterval, listeningTime, nextOnGrid, skewTime } from "./timing.ts";

export type { Action, Active, Backup, Event, Initialize, Peer, RouterParameters, State, Step } from "./router-state.ts";

export const initialState: Initialize = { name: "initialize" };

export function deadline(state: State): Instant | undefined {
  switch (state.name) {
    case "initialize":
      return undefined;
    case "backup":
      return state.activeDownTimer;
    case "active":
      return state.adverTimer;
  }
}

export function step(router: RouterParameters, state: State, event: Event, now: Instant): Step {
  switch (state.name) {
    case "initialize":
      return initialize(router, state, event, now);
    case "backup":
      return backup(router, state, event, now);
    case "active":
      return active(router, state, event, now);
  }
}

// Section 6.4.1
function initialize(router: RouterParameters, state: Initialize, event: Event, now: Instant): Step {
  if (event.type !== "startup") return stay(state);
  if (router.priority === 255) return becomeActive(router, now, { type: "owner" });
  return { state: waiting(router, router.interval, now), actions: [], cause: { type: "startup" } };
}

// Section 6.4.2
function backup(router: RouterParameters, state: Backup, event: Event, now: Instant): Step {
  switch (event.type) {
    case "startup":
    case "yield":
      return stay(state);
    case "shutdown":
      return { state: initialState, actions: [], cause: { type: "shutdown", why: event.why } };
    case "timer":
      if (now < state.activeDownTimer) return stay(state);
      if (router.coupled) return stay({ ...restarted(router, state, now), willing: true });
      return becomeActive(router, now, takeoverCause(router, state, now));
    case "grant":
      return state.willing ? becomeActive(router, now, takeoverCause(router, state, now)) : stay(state);
    case "parameters":
      if (router.priority === 255) return becomeActive(router, now, { type: "owner" });
      return stay(recomputed(router, state));
    case "stalled":
      return stay(listening(router, state, now));
    case "advertisement":
      return backupHears(router, state, event);
  }
}

function backupHears(router: RouterParameters, state: Backup, event: Event & { type: "advertisement" }): Step {
  if (isOwnPacket(router, event)) return stay(state, { type: "own-packet" });
  const peer: Peer = { source: event.source, priority: event.priority, at: event.at };
  if (event.priority === 0) {
    // The interval of a router that resigns is not learned.
    const skewed = event.at + skewTime(router.version, router.priority, state.activeAdverInterval);
    const activeDownTimer = notBefore(state.listenUntil, skewed);
    return stay({ ...state, activeDownTimer, timerStart: event.at, resigned: true, active: peer, willing: false });
  }
  if (router.preempt && event.priority < router.priority) {
    const delaySince = state.delaySince ?? event.at;
    // A preemption delay accepts the living lesser router for a while; a dead one is not waited for.
    if (event.at < delaySince + router.preemptDelay)
      return stay({ ...followed(router, state, event, peer), delaySince });
    return stay({ ...state, delaySince, lesser: peer });
  }
  return stay(followed(router, state, event, peer));
}

// Section 6.4.3
function active(router: RouterParameters, state: Active, event: Event, now: Instant): Step {
  switch (event.type) {
    case "startup":
    case "grant":
      return stay(state);
    case "shutdown":
      return {
        // Addresses first: at the highest priorities the next active router announces within a millisecond of the 0.
        state: initialState,
        actions: [{ type: "remove-addresses" }, { type: "send-advertisement", priority: 0 }],
        cause: { type: "shutdown", why: event.why },
      };
    case "yield":
      return {
        state: waiting(router, router.interval, now),
        actions: [{ type: "remove-addresses" }],
        cause: { type: "group" },
      };
    case "stalled":
      // The address owner has nobody to ask.
      if (router.priority === 255) return stay(state);
      return {
        state: listening(router, { ...waiting(router, router.interval, now), activeDownTimer: now }, now),
        actions: [{ type: "remove-addresses" }],
        cause: { type: "stalled", silent: event.silent },
      };
    case "timer":
      if (now < state.adverTimer) return stay(state);
      return stay(
        {
          ...state,
          adverTimer: nextOnGrid(state.adverTimer, router.interval, now),
          answerAfter: state.adverTimer === state.answerAfter ? now + answerGap(router) : state.answerAfter,
        },
        advertise(router),
      );
    case "parameters":
      // The next advertisement carries the change, no later than a new and shorter interval allows.
      return stay({ ...state, adverTimer: Math.min(state.adverTimer, now + router.interval) });
    case "advertisement":
      return activeHears(router, state, event, now);
  }
}

function activeHears(
  router: RouterParameters,
  state: Active,
  event: Event & { type: "advertisement" },
  now: Instant,
): Step {
  const peer: Peer = { source: event.source, priority: event.priority, at: event.at };
  const mayAnswer = now >= state.answerAfter;
  const answerAfter = now + answerGap(router);
  if (event.priority === 0) {
    // Every backup's timer runs for Skew_Time now: an answer that comes too early waits, but it does not fall out.
    if (!mayAnswer) return stay({ ...state, adverTimer: Math.min(state.adverTimer, state.answerAfter) });
    return stay({ ...state, adverTimer: now + router.interval, answerAfter }, advertise(router));
  }
  if (isOwnPacket(router, event)) return stay(state, { type: "own-packet" });
  if (event.priority === router.priority && !router.decidesTies) {
    const tie = ongoingTie(router, state, now);
    // Peers whose address families are not coupled may leave the tie open for ever: then it is decided here after all.
    if (now - tie.since <= 3 * router.interval) return stay({ ...state, tie });
  }
  if (outranks(event, router)) {
    // A router that we took for dead was active all the time and cannot know that hosts have learned our announcements.
    // One last advertisement makes it announce itself again.
    const returned = state.silenced !== undefined && compareAddresses(state.silenced, event.source) === 0;
    return {
      state: accepted(router, event, peer),
      actions: [...(returned ? [advertise(router)] : []), { type: "remove-addresses" }],
      cause: { type: "outranked", peer, own: router.priority },
    };
  }
  // New in RFC 9568: a lesser router is answered at once. RFC 3768 discards in silence. The advertisement timer keeps
  // its grid in both, so that nothing that is received can postpone the next advertisement.
  const lesser: Action = { type: "lesser-active", peer, interval: event.interval };
  if (router.version === 2 || !mayAnswer) return stay(state, lesser);
  return stay({ ...state, answerAfter }, advertise(router), lesser);
}

function answerGap(router: RouterParameters): Milliseconds {
  return Math.min(router.interval / 4, 100);
}

function ongoingTie(router: RouterParameters, state: Active, now: Instant): { since: Instant; last: Instant } {
  const { tie } = state;
  return { since: tie !== undefined && now - tie.last < 2 * router.interval ? tie.since : now, last: now };
}

/** Section 6.4.3: the higher priority, then the higher source address as an unsigned number. */
function outranks(event: { readonly priority: number; readonly source: IpAddress }, router: RouterParameters): boolean {
  if (event.priority !== router.priority) return event.priority > router.priority;
  return compareAddresses(event.source, router.address) > 0;
}

/**
 * A looped frame or a cloned router; answering would never end. The priority does not matter: a late copy of an
 * advertisement from before ours was lowered would outrank us for as long as nobody speaks.
 */
function isOwnPacket(router: RouterParameters, event: Event & { type: "advertisement" }): boolean {
  return compareAddresses(event.source, router.address) === 0;
}

function becomeActive(router: RouterParameters, now: Instant, cause: Cause): Step {
  return {
    state: {
      name: "active",
      adverTimer: now + router.interval,
      answerAfter: now,
      ...(cause.type === "silent" ? { silenced: cause.peer.source } : {}),
    },
    // The former active router must let go before the addresses are announced.
    actions: [advertise(router), { type: "add-addresses" }, { type: "announce-addresses" }],
    cause,
  };
}

function advertise(router: RouterParameters): Action {
  return { type: "send-advertisement", priority: router.priority };
}

function waiting(router: RouterParameters, interval: Milliseconds, from: Instant): Backup {
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

function accepted(router: RouterParameters, event: Event & { type: "advertisement" }, peer: Peer): Backup {
  const interval = Math.min(event.interval, router.maxLearnedInterval ?? Number.POSITIVE_INFINITY);
  // RFC 3768 section 6.1: in version 2 the local interval counts, and every accepted advertisement has the same.
  return { ...waiting(router, interval, event.at), learned: router.version === 3, active: peer };
}

/** What a packet says that arrived before or during the absence does not shorten the listening. */
function followed(
  router: RouterParameters,
  state: Backup,
  event: Event & { type: "advertisement" },
  peer: Peer,
): Backup {
  const next = accepted(router, event, peer);
  const { listenUntil } = state;
  if (listenUntil === undefined || event.at >= listenUntil) return next;
  return { ...next, listenUntil, activeDownTimer: notBefore(listenUntil, next.activeDownTimer) };
}

function listening(router: RouterParameters, state: Backup, now: Instant): Backup {
  const listenUntil = now + listeningTime(router.version, router.priority, state.activeAdverInterval);
  return { ...state, listenUntil, activeDownTimer: notBefore(listenUntil, state.activeDownTimer) };
}

function notBefore(earliest: Instant | undefined, at: Instant): Instant {
  return earliest === undefined ? at : Math.max(earliest, at);
}

function restarted(router: RouterParameters, state: Backup, now: Instant): Backup {
  const activeDownTimer = now + activeDownInterval(router.version, router.priority, state.activeAdverInterval);
  return { ...state, activeDownTimer };
}

/** A changed priority or interval counts from when the running timer was started. */
function recomputed(router: RouterParameters, state: Backup): Backup {
  const { version, priority } = router;
  const learned = Math.min(state.activeAdverInterval, router.maxLearnedInterval ?? Number.POSITIVE_INFINITY);
  const activeAdverInterval = state.learned ? learned : router.interval;
  const length = state.resigned
    ? skewTime(version, priority, activeAdverInterval)
    : activeDownInterval(version, priority, activeAdverInterval);
  const activeDownTimer = notBefore(state.listenUntil, state.timerStart + length);
  return { ...state, activeAdverInterval, activeDownTimer };
}

function takeoverCause(router: RouterParameters, state: Backup, now: Instant): Cause {
  if (state.resigned && state.active !== undefined) return { type: "resigned", peer: state.active };
  const silent = now - (state.active?.at ?? state.timerStart);
  const lesserLives = state.lesser !== undefined && now - state.lesser.at < 2 * state.activeAdverInterval;
  if (state.lesser !== undefined && lesserLives) {
    return { type: "preempted", peer: state.lesser, own: router.priority };
  }
  return state.active === undefined ? { type: "nobody", silent } : { type: "silent", peer: state.active, silent };
}

function stay(state: State, ...actions: readonly Action[]): Step {
  return { state, actions };
}
