/**
 * The VRRP state machine: RFC 9568 section 6.4 and, for version 2, RFC 3768 section 6.4.
 *
 * `step` is a pure function of (parameters, state, event, now). Its types are in router-state.ts.
 */
import { compareAddresses, type IpAddress } from "../wire/address.ts";
import {
  accepted,
  followed,
  listening,
  listeningAfter,
  notBefore,
  overtaken,
  recomputed,
  restarted,
  waiting,
} from "./backup-timer.ts";
import type { Instant, Milliseconds } from "./parameters.ts";
import type { Cause } from "./reasons.ts";
import type { Action, Active, Backup, Event, Initialize, Peer, RouterParameters, State, Step } from "./router-state.ts";
import { nextOnGrid, skewTime } from "./timing.ts";

export type { Action, Active, Backup, Event, Initialize, Peer, RouterParameters, State, Step } from "./router-state.ts";

export const initialState: Initialize = { name: "initialize" };

export function deadline(state: State): Instant | undefined {
  switch (state.name) {
    case "initialize":
      return undefined;
    case "backup":
      return state.activeDownTimer;
    case "active":
      return state.owed === undefined ? state.adverTimer : Math.min(state.adverTimer, state.answerAfter);
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
      // The others that it waited for are not there any more.
      if (state.willing && !router.coupled) return becomeActive(router, now, takeoverCause(router, state, now));
      return stay(overtaken(router, recomputed(router, state)));
    case "stalled":
      return stay(listening(router, state, event.silent, now));
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
    const activeDownTimer = notBefore(listeningAfter(router, state, event.at), skewed);
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
        cause: { type: "group", ...(event.why === undefined ? {} : { why: event.why }) },
      };
    case "stalled":
      // The address owner has nobody to ask.
      if (router.priority === 255) return stay(state);
      return {
        state: listening(router, { ...waiting(router, router.interval, now), activeDownTimer: now }, event.silent, now),
        actions: [{ type: "remove-addresses" }],
        cause: { type: "stalled", silent: event.silent },
      };
    case "timer":
      return activeTimer(router, state, now);
    case "parameters": {
      const { priority } = event;
      const owed = priority === "lowered" && router.yieldOnLowerPriority ? "yield" : "advertisement";
      // No later than a new and shorter interval allows.
      const changed = { ...state, adverTimer: Math.min(state.adverTimer, now + router.interval) };
      return priority === undefined ? stay(changed) : activeTimer(router, { ...changed, owed }, now);
    }
    case "advertisement":
      return activeHears(router, state, event, now);
  }
}

/** On the grid, and off it as soon as that is allowed when a changed priority is still to be told. */
function activeTimer(router: RouterParameters, state: Active, now: Instant): Step {
  const due = now >= state.adverTimer;
  const tells = state.owed !== undefined && now >= state.answerAfter;
  if (!due && !tells) return stay(state);
  const { owed, ...rest } = state;
  const offGrid = tells || state.adverTimer === state.answerAfter;
  const next: Active = {
    ...rest,
    adverTimer: due ? nextOnGrid(state.adverTimer, router.interval, now) : state.adverTimer,
    answerAfter: offGrid ? now + answerGap(router) : state.answerAfter,
    ...(owed === "yield" && !tells ? { owed } : {}),
  };
  if (!tells || owed !== "yield") return stay(next, advertise(router));
  // The 0 lets every backup wait for its Skew_Time only. The priority right after it holds back those that are no better
  // than this router: they accept it, and wait as before. The role and the addresses stay here until a better one speaks.
  // It is told once more, as a lesser router that missed it would take over in vain.
  return stay({ ...next, owed: "advertisement" }, { type: "send-advertisement", priority: 0 }, advertise(router));
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
