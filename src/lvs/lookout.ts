/**
 * When the table is looked at, and all of it or a part: at every interval if its fingerprint has changed, for whoever asks
 * for the status, and for connections that somebody waits for.
 */

import type { BalancerClock } from "./balancer-clock.ts";
import type { Instant } from "./memory.ts";
import type { ServiceAddress } from "./parameters.ts";
import type { Performer } from "./performer.ts";
import type { Drift, Survey } from "./survey.ts";
import type { IpvsPort } from "./table.ts";

/** Thresholds, tunnels and flags of schedulers do not show in the fingerprint: whatever it says, all is read so often. */
const looksUntilFull = 10;
const fullLookEvery = 60_000;

export interface LookoutTools {
  readonly survey: Survey;
  readonly performer: Performer;
  readonly clock: BalancerClock;
}

export class Lookout {
  readonly #port: IpvsPort;
  readonly #clock: BalancerClock;
  readonly #survey: Survey;
  readonly #performer: Performer;
  readonly #services: () => readonly ServiceAddress[];
  #verify = false;
  #full = false;
  /** Looks since all was read, and when that was. */
  #looks = 0;
  #fullAt: Instant = Number.NEGATIVE_INFINITY;
  /** As the table was when all of it was as it was thought to be. */
  #fingerprint: string | undefined;
  /** Of the look that goes on now: what holds when it finds nothing, unless something was written meanwhile. */
  #begun: { readonly fingerprint: string; readonly writes: number } | undefined;
  #askers: (() => void)[] = [];

  constructor(port: IpvsPort, { survey, performer, clock }: LookoutTools, services: () => readonly ServiceAddress[]) {
    this.#port = port;
    this.#clock = clock;
    this.#survey = survey;
    this.#performer = performer;
    this.#services = services;
  }

  get busy(): boolean {
    return this.#verify || this.#survey.pending || this.#askers.length > 0;
  }

  verify(): void {
    this.#verify = true;
  }

  /** Whatever the fingerprint says. */
  verifyAll(): void {
    this.#verify = true;
    this.#full = true;
  }

  /** Settles when all has been read, or cannot be. */
  ask(): Promise<void> {
    this.#survey.ask(this.#services());
    return new Promise((resolve) => this.#askers.push(resolve));
  }

  count(services: readonly ServiceAddress[]): void {
    this.#survey.ask(services);
  }

  /** One small piece of work; returns what somebody else changed. Rejects when the table cannot be read. */
  async step(): Promise<readonly Drift[]> {
    try {
      if (this.#verify) {
        this.#verify = false;
        await this.#compare();
        return [];
      }
      const drifts = await this.#survey.step();
      if (drifts.length > 0) this.#begun = undefined;
      if (!this.#survey.pending) this.#finish();
      return drifts;
    } catch (error) {
      this.#survey.drop();
      this.#begun = undefined;
      this.#fingerprint = undefined;
      this.#answer();
      throw error;
    }
  }

  async #compare(): Promise<void> {
    const fingerprint = await this.#port.fingerprint();
    const now = this.#clock.now().instant;
    const due = this.#full || ++this.#looks >= looksUntilFull || now - this.#fullAt >= fullLookEvery;
    if (fingerprint === this.#fingerprint && !due) return;
    this.#full = false;
    this.#looks = 0;
    this.#fullAt = now;
    this.#begun = { fingerprint, writes: this.#performer.writes };
    this.#survey.ask(this.#services());
  }

  #finish(): void {
    if (this.#begun?.writes === this.#performer.writes) this.#fingerprint = this.#begun.fingerprint;
    this.#begun = undefined;
    this.#answer();
  }

  #answer(): void {
    for (const done of this.#askers.splice(0)) done();
  }
}
