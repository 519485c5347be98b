/**
 * What the VRRP process does next. Protocol deadlines come first, always; then work that follows from them (addresses,
 * announcements); then background deadlines (renewals). After a few milliseconds the loop is given back, so that
 * packets are read whatever there is to do.
 */

import { Lateness } from "../socket/lateness.ts";
import { Deadlines, type Entry } from "./deadlines.ts";
import type { Instant, Milliseconds } from "./parameters.ts";

export interface Alarm {
  arm(at: Instant): void;
  disarm(): void;
}

const turn: Milliseconds = 4;

export class Agenda {
  readonly lateness = new Lateness();
  readonly #now: () => Instant;
  readonly #alarm: Alarm;
  readonly #headStart: Milliseconds;
  readonly #protocol = new Deadlines();
  readonly #background = new Deadlines();
  #work: (() => void)[] = [];
  #running = false;

  /**
   * With a head start the alarm rings that much before an exact deadline, and the rest of the time is waited for with the
   * processor held: a process that sleeps until the deadline begins its work only when it has been woken, with cold caches.
   */
  constructor(now: () => Instant, alarm: (expire: () => void) => Alarm, headStart: Milliseconds = 0) {
    this.#now = now;
    this.#headStart = headStart;
    this.#alarm = alarm(() => this.#turn());
  }

  schedule(entry: Entry, at: Instant | undefined): void {
    this.#protocol.set(entry, at);
    this.#rearm();
  }

  scheduleBackground(entry: Entry, at: Instant | undefined): void {
    this.#background.set(entry, at);
    this.#rearm();
  }

  soon(work: () => void): void {
    this.#work.push(work);
    this.#rearm();
  }

  #turn(): void {
    this.#running = true;
    const end = this.#now() + turn;
    try {
      this.#runProtocol(end);
      for (let now = this.#now(); now < end; now = this.#now()) {
        if (!this.#runOne(now)) break;
        this.#runProtocol(end);
      }
    } finally {
      this.#running = false;
      this.#rearm();
    }
  }

  /** Even an overloaded process has to hear that it is to stop: what is still due at `end` runs in the next turn. */
  #runProtocol(end: Instant): void {
    for (let now = this.#now(); now < end; now = this.#now()) {
      const entry = this.#protocol.take(now);
      if (entry === undefined) {
        if (!this.#awaitExact(now)) return;
        continue;
      }
      this.lateness.add(now - entry.at);
      entry.fire(now);
    }
  }

  /** True when an exact deadline was near: it is due now, unless its preparation has moved it. */
  #awaitExact(now: Instant): boolean {
    const next = this.#protocol.first;
    if (next === undefined || !next.exact || next.at - now > this.#headStart) return false;
    const { at } = next;
    next.prepare(at);
    if (this.#protocol.first !== next || next.at !== at) return true;
    while (this.#now() < at);
    return true;
  }

  /** One piece of work, or one background deadline. */
  #runOne(now: Instant): boolean {
    const work = this.#work.shift();
    if (work !== undefined) {
      work();
      return true;
    }
    const entry = this.#background.take(now);
    entry?.fire(now);
    return entry !== undefined;
  }

  #rearm(): void {
    if (this.#running) return;
    if (this.#work.length > 0) {
      this.#alarm.arm(0);
      return;
    }
    const next = this.#protocol.first;
    const protocol = next?.exact === true ? next.at - this.#headStart : next?.at;
    const background = this.#background.first?.at;
    const at =
      protocol === undefined || background === undefined ? (protocol ?? background) : Math.min(protocol, background);
    if (at === undefined) this.#alarm.disarm();
    else this.#alarm.arm(at);
  }
}
