/** Keeps the note of the table up to date: soon after something changed, and the more seldom the longer it takes to write. */
import type { Alarms, BalancerClock } from "./balancer-clock.ts";
import type { Roster } from "./roster.ts";
import type { Note } from "./table-note.ts";
import type { Troubles } from "./troubles.ts";

const shortestDelay = 1000;
/** Of the time that passes, writing may take one part in so many. */
const share = 20;

export class NoteKeeper {
  readonly #note: Note | undefined;
  readonly #roster: Pick<Roster, "restore" | "noted">;
  readonly #clock: BalancerClock;
  readonly #alarms: Alarms;
  readonly #troubles: Pick<Troubles, "note">;
  #delay = shortestDelay;

  /** Without a note, a restart knows only what is in the table. */
  constructor(
    note: Note | undefined,
    roster: Pick<Roster, "restore" | "noted">,
    clock: BalancerClock,
    alarms: Alarms,
    troubles: Pick<Troubles, "note">,
  ) {
    this.#note = note;
    this.#roster = roster;
    this.#clock = clock;
    this.#alarms = alarms;
    this.#troubles = troubles;
  }

  /** What an earlier run has left. Returns what was wrong with it. */
  restore(): string | undefined {
    const { noted, trouble } = this.#note?.read() ?? { noted: [] };
    this.#roster.restore(noted);
    return trouble;
  }

  writeSoon(): void {
    this.#alarms.set("note", this.#delay, () => this.write());
  }

  write(): void {
    if (this.#note === undefined) return;
    const before = this.#clock.now().instant;
    const trouble = this.#note.write(this.#roster.noted());
    this.#delay = Math.max(shortestDelay, share * (this.#clock.now().instant - before));
    this.#troubles.note(trouble);
  }
}
