/**
 * Two routers active at the same time, as the one that stays and the one that gives way see it: since when, with whom,
 * how often it was heard, and how it ended. RFC 9568 section 6.4.3 settles it; operators have to know that it was so.
 */
import { equalAddresses, formatAddress } from "../wire/address.ts";
import { newEntry } from "./deadlines.ts";
import type { Host } from "./host.ts";
import type { Instant, Milliseconds } from "./parameters.ts";
import { type Cause, formatDuration } from "./reasons.ts";
import type { Peer } from "./router.ts";
import type { ActiveView, RivalStatus, SplitBrainStatus } from "./status.ts";

/** A sender can invent addresses. */
const mostRivals = 8;
const remembered = 5;
/** Advertisements of the rival that have to stay out before it is said to be over; one that is lost is not the end. */
const quietIntervals = 3;
const reminder: Milliseconds = 60_000;

interface Episode {
  readonly began: string;
  readonly since: Instant;
  readonly own: ActiveView;
  readonly rivals: Map<string, { priority: number; adverts: number }>;
  /** Of rivals that found no room in the list. */
  unlisted: number;
  last: Instant;
  told: Instant;
}

export class SplitBrain {
  readonly #host: Host;
  readonly #instance: string;
  readonly #end = newEntry(() => this.#close("kept"));
  #episode: Episode | undefined;
  #past: readonly SplitBrainStatus[] = [];
  /** How this router became active, and when. */
  #taken:
    | { readonly cause: Cause; readonly at: Instant; readonly wallClock: string; readonly own: ActiveView }
    | undefined;

  constructor(host: Host, instance: string) {
    this.#host = host;
    this.#instance = instance;
  }

  /** The router has become active as `own`. */
  taken(cause: Cause, own: ActiveView): void {
    this.#taken = { cause, at: this.#host.now(), wallClock: this.#host.wallClock(), own };
  }

  /** A lesser router, which advertises each `interval`, was heard while this one is active. */
  heard(peer: Peer, interval: Milliseconds, own: ActiveView): void {
    const now = this.#host.now();
    if (this.#episode === undefined && this.#isFarewell(peer, interval, now)) return;
    const episode = this.#episode ?? this.#begin(peer, own, now, this.#host.wallClock());
    count(episode, peer);
    episode.last = now;
    this.#host.scheduleBackground(this.#end, now + quietIntervals * interval);
    if (now - episode.told < reminder) return;
    episode.told = now;
    const message = `two routers are active for ${formatDuration(now - episode.since)}: ${rivalsOf(episode)}`;
    this.#host.event({ type: "conflict", at: this.#host.wallClock(), instance: this.#instance, message });
  }

  /** The router is not active any more. */
  left(cause: Cause): void {
    const taken = this.#taken;
    this.#taken = undefined;
    if (taken === undefined) return;
    if (cause.type !== "outranked") {
      this.#close("left");
      return;
    }
    // A better router that comes up looks the same as one that was active behind a cut: that one can tell. An equal one
    // would not have preempted us.
    if (this.#episode === undefined && cause.peer.priority !== cause.own) return;
    const own = { ...taken.own, priority: cause.own };
    const episode = this.#episode ?? this.#begin(cause.peer, own, taken.at, taken.wallClock);
    count(episode, cause.peer);
    episode.last = this.#host.now();
    this.#close("lost");
  }

  /** Newest last; the one that goes on has no end. */
  status(): readonly SplitBrainStatus[] {
    const episode = this.#episode;
    return episode === undefined ? this.#past : [...this.#past, describe(episode, null, "ongoing")];
  }

  /** The last word of the router that was just relieved. */
  #isFarewell(peer: Peer, interval: Milliseconds, now: Instant): boolean {
    if (this.#taken?.cause.type !== "preempted") return false;
    const { cause, at } = this.#taken;
    return equalAddresses(cause.peer.source, peer.source) && now - at < interval;
  }

  #begin(peer: Peer, own: ActiveView, since: Instant, began: string): Episode {
    const now = this.#host.now();
    const episode: Episode = { began, since, own, rivals: new Map(), unlisted: 0, last: now, told: now };
    this.#episode = episode;
    const rival = { address: formatAddress(peer.source), priority: peer.priority };
    this.#host.event({
      type: "split_brain_start",
      at: this.#host.wallClock(),
      instance: this.#instance,
      began,
      own,
      rival,
      message: `two routers are active: ${nameOf(rival)} beside this one, ${nameOf(own)}`,
    });
    return episode;
  }

  #close(outcome: SplitBrainStatus["outcome"]): void {
    const episode = this.#episode;
    if (episode === undefined) return;
    this.#episode = undefined;
    this.#host.scheduleBackground(this.#end, undefined);
    const status = describe(episode, this.#host.wallClock(), outcome);
    // Who gives way counts from when it became active: the other one may have been so for a shorter time.
    const length = `${outcome === "lost" ? "at most " : ""}${formatDuration(status.duration_ms)}`;
    this.#past = [...this.#past, status].slice(-remembered);
    this.#host.event({
      type: "split_brain_end",
      at: this.#host.wallClock(),
      instance: this.#instance,
      ...status,
      message: `two routers were active for ${length}: ${rivalsOf(episode)}; ${endings[outcome]}`,
    });
  }
}

const endings: Record<SplitBrainStatus["outcome"], string> = {
  ongoing: "it goes on",
  kept: "this router stayed, the other one is not heard any more",
  lost: "this router gave way",
  left: "this router is not active any more",
};

function count(episode: Episode, peer: Peer): void {
  const key = formatAddress(peer.source);
  const known = episode.rivals.get(key);
  if (known !== undefined) {
    known.priority = peer.priority;
    known.adverts++;
  } else if (episode.rivals.size < mostRivals) episode.rivals.set(key, { priority: peer.priority, adverts: 1 });
  else episode.unlisted++;
}

function describe(episode: Episode, ended: string | null, outcome: SplitBrainStatus["outcome"]): SplitBrainStatus {
  const { began, since, last, own, unlisted } = episode;
  const rivals: RivalStatus[] = [...episode.rivals].map(([address, rival]) => ({ address, ...rival }));
  return { began, ended, duration_ms: Math.round(last - since), own, rivals, unlisted, outcome };
}

function nameOf({ address, priority }: ActiveView): string {
  return `${address} with priority ${priority}`;
}

function rivalsOf({ own, rivals, unlisted }: Episode): string {
  const others = [...rivals].map(
    ([address, { priority, adverts }]) =>
      `${nameOf({ address, priority })}, heard ${adverts === 1 ? "once" : `${adverts} times`}`,
  );
  const more = unlisted === 0 ? "" : ` and more, heard ${unlisted} times`;
  return `${others.join("; ")}${more}, beside this one, ${nameOf(own)}`;
}
