/** Which state an instance is in, since when, and how it came there. */
import type { Host } from "./host.ts";
import type { StateName, TransitionStatus } from "./status.ts";

const remembered = 20;

export class History {
  readonly #host: Host;
  readonly #instance: string;
  #state: StateName = "initialize";
  #since: string;
  #transitions: readonly TransitionStatus[] = [];

  constructor(host: Host, instance: string) {
    this.#host = host;
    this.#instance = instance;
    this.#since = host.wallClock();
  }

  get state(): StateName {
    return this.#state;
  }

  /** ISO 8601 time of the last transition. */
  get since(): string {
    return this.#since;
  }

  /** Newest last. */
  get transitions(): readonly TransitionStatus[] {
    return this.#transitions;
  }

  /** Remembers a transition and tells it. `ended`: the instance is about to go. */
  enter(to: StateName, reason: string, priority: number, ended: boolean): void {
    const transition = { at: this.#host.wallClock(), from: this.#state, to, reason };
    this.#state = to;
    this.#since = transition.at;
    this.#transitions = [...this.#transitions, transition].slice(-remembered);
    const more = { priority, ...(ended ? { ended } : {}) };
    this.#host.event({ type: "transition", instance: this.#instance, ...transition, ...more });
  }
}
