/**
 * Keeps the table of the kernel as the virtual servers are to be: computes what is wanted whenever a verdict, an operator,
 * the configuration or the time changes something, and has the difference done. One thing at a time: what it reads is
 * never older than what it wrote.
 */
import { Alarms, atMost, type BalancerClock, systemClock } from "./balancer-clock.ts";
import { DriftDesk } from "./drift-desk.ts";
import { Heard } from "./heard.ts";
import { Lookout } from "./lookout.ts";
import { Mirror } from "./mirror.ts";
import { News } from "./news.ts";
import { NoteKeeper } from "./note-keeper.ts";
import type { World } from "./observe.ts";
import type { AdminEntry, Advice, LvsParameters } from "./parameters.ts";
import { Performer } from "./performer.ts";
import { reportTable } from "./report.ts";
import { Rests } from "./rests.ts";
import { Roster } from "./roster.ts";
import { type Settled, settle } from "./settle.ts";
import type { LvsEvent, TableStatus } from "./status.ts";
import { ending, farewell } from "./stopping.ts";
import { type Drift, Survey } from "./survey.ts";
import type { IpvsPort } from "./table.ts";
import type { Note } from "./table-note.ts";
import { messageOf, Troubles } from "./troubles.ts";
import type { Unit } from "./unit.ts";
import type { CoreEvent } from "./virtual-server.ts";
import { Ways } from "./ways.ts";
import { Work } from "./work.ts";

export interface BalancerOptions {
  readonly port: IpvsPort;
  readonly event: (event: LvsEvent) => void;
  /** All checks that may rest, whenever that changes: nobody needs their verdicts here. */
  readonly rest?: (checks: ReadonlySet<string>) => void;
  /** What outlives the process; without one, a restart knows only what is in the table. */
  readonly note?: Note;
  readonly clock?: BalancerClock;
}

const countInterval = 1000;
const statusLimit = 2000;
const stopLimit = 2500;

export class Balancer {
  readonly #clock: BalancerClock;
  readonly #mirror = new Mirror();
  readonly #roster = new Roster(this.#mirror);
  readonly #performer: Performer;
  readonly #survey: Survey;
  readonly #lookout: Lookout;
  readonly #drift: DriftDesk;
  readonly #rests: Rests;
  readonly #ways: Ways;
  readonly #troubles: Troubles;
  readonly #alarms: Alarms;
  readonly #news: News;
  readonly #note: NoteKeeper;
  readonly #world: World;
  readonly #verdicts = new Heard();
  #admin: readonly AdminEntry[] = [];
  #interval = 5000;
  readonly #work = new Work();
  /** Wait for the connections of some server to end, and are being counted. */
  readonly #counting = new Set<Unit>();
  #state: "new" | "started" | "stopped" = "new";
  #running = false;
  #turns: Promise<void> = Promise.resolve();

  constructor(options: BalancerOptions) {
    const { port, clock = systemClock } = options;
    this.#clock = clock;
    this.#alarms = new Alarms(clock);
    this.#news = new News(clock, this.#alarms, options.event, () => this.#running);
    this.#world = {
      mirror: this.#mirror,
      verdict: (check) => this.#verdicts.get(check),
      admin: () => this.#admin,
      owns: (service, destination) => this.#roster.owned.has(service, destination),
    };
    const tell = (event: CoreEvent) => this.#news.add([event]);
    this.#performer = new Performer(port, this.#mirror);
    this.#survey = new Survey(port, this.#mirror);
    const tools = { survey: this.#survey, performer: this.#performer, clock };
    this.#lookout = new Lookout(port, tools, () => this.#roster.services());
    this.#drift = new DriftDesk(this.#roster, this.#mirror, tell);
    this.#rests = new Rests(this.#mirror, (checks) => options.rest?.(checks));
    this.#ways = new Ways(port, clock);
    this.#troubles = new Troubles(tell);
    this.#note = new NoteKeeper(options.note, this.#roster, clock, this.#alarms, this.#troubles);
    const trouble = this.#note.restore();
    if (trouble !== undefined) tell({ type: "lvs_warning", message: trouble });
  }

  configure(parameters: LvsParameters): void {
    this.#verdicts.drop();
    const changed = this.#roster.configure(parameters, this.#clock.now());
    this.#survey.relist();
    this.#rests.configure(this.#roster);
    this.#work.later(changed);
    // What is ours has to be known before it is in the table.
    this.#note.write();
    if (this.#interval !== parameters.reconcileInterval) this.#alarms.cancel("verify");
    this.#interval = parameters.reconcileInterval;
    if (this.#state === "started") this.#verifyLater();
    this.#drift.applying = true;
    this.#lookout.verifyAll();
    this.#wake();
  }

  /** The configuration was given anew, and is the same: what was refused, or only told of, becomes as it says. */
  reread(): void {
    const units = this.#drift.reread();
    if (units.length === 0) return;
    this.#work.later(units);
    this.#lookout.verifyAll();
    this.#wake();
  }

  start(): void {
    if (this.#state !== "new") return;
    this.#state = "started";
    this.#wake();
    this.#verifyLater();
  }

  verdict(check: string, up: boolean | null, reason: string, advice?: Advice): void {
    this.#verdicts.set(check, { up, reason, ...(advice === undefined ? {} : { advice }) });
    this.#work.soon(this.#roster.byCheck(check));
    this.#wake();
  }

  /** There is no such check any more. */
  forget(check: string): void {
    this.#verdicts.forget(check);
  }

  /** Why a run of a check that goes through a service says nothing; it began `elapsed` ms ago, and ended well or not. */
  async doubt(check: string, elapsed: number, ok: boolean): Promise<string | undefined> {
    const doubt = await this.#ways.doubt(this.#roster.byProbe(check), elapsed, ok);
    if (doubt === undefined || doubt.units.length === 0) return doubt?.message;
    // Whoever has changed that may have changed more.
    this.#lookout.verify();
    this.#readAnew(doubt.units);
    return doubt.message;
  }

  /** Of an instance of VRRP: "active" or another state. */
  instance(name: string, state: string): void {
    this.#rests.instance(name, state);
  }

  admin(entries: readonly AdminEntry[]): void {
    const addresses = new Set([...this.#admin, ...entries].map(({ address }) => address));
    this.#admin = entries;
    // Before what works is taken away, it is looked whether what is left is there.
    this.#readAnew([...addresses].flatMap((address) => this.#roster.byAddress(address)));
  }

  /** With connections and counters as they are now, as far as the kernel answers in time. */
  async status(): Promise<TableStatus> {
    if (this.#state === "started") {
      const read = this.#lookout.ask();
      this.#wake();
      await atMost(this.#clock, statusLimit, read);
    }
    return reportTable(this.#roster, {
      mirror: this.#mirror,
      verdict: this.#world.verdict,
      admin: this.#admin,
      ...this.#clock.now(),
      suspended: (instance) => this.#rests.suspends(instance),
      iso: (at) => new Date(at).toISOString(),
      listed: this.#survey.listed,
      drift: this.#drift.counted,
      errors: this.#performer.errors,
      trouble: this.#troubles.current(this.#roster),
    });
  }

  /** The daemon ends: the table is left as the configuration says. Settles when nothing more is written, in bounded time. */
  async stop(): Promise<void> {
    const before = this.#state;
    this.#state = "stopped";
    this.#alarms.cancel();
    for (const unit of this.#roster) unit.alarm(undefined);
    if (before !== "started") return;
    const end = this.#turns
      .then(() => this.#performer.perform([...this.#roster].flatMap((unit) => ending(unit, this.#mirror))))
      .then(
        () => {},
        (error: unknown) => this.#troubles.port(messageOf(error)),
      );
    await atMost(this.#clock, stopLimit, end);
    this.#news.add([...this.#roster].flatMap(farewell));
    this.#news.tell();
    this.#note.write();
  }

  #wake(): void {
    if (this.#state !== "started" || this.#running) return;
    this.#running = true;
    this.#turns = new Promise((resolve) => this.#clock.soon(() => resolve(this.#run())));
  }

  async #run(): Promise<void> {
    while (this.#state === "started") {
      if (!this.#work.pending) this.#news.tell();
      if (this.#work.pending) await this.#settle(this.#work.take().filter((unit) => this.#roster.has(unit)));
      else if (this.#lookout.busy) await this.#look();
      else break;
    }
    this.#running = false;
    this.#news.tell();
  }

  #readAnew(units: readonly Unit[]): void {
    for (const unit of units) unit.doubt = true;
    this.#work.soon(units);
    this.#wake();
  }

  async #settle(units: readonly Unit[]): Promise<void> {
    let unread: string | undefined;
    try {
      this.#drift.receive(await this.#survey.prepare(units, this.#world, this.#clock.now()));
    } catch (error) {
      unread = messageOf(error);
    }
    const [known, unknown] = this.#survey.sort(units);
    const options = { performer: this.#performer, now: this.#clock.now(), failure: unread };
    const { settled, failure } = await settle(known, this.#world, options);
    this.#troubles.port(failure);
    for (const each of settled) this.#conclude(each);
    this.#rests.look();
    for (const unit of unknown) this.#postpone(unit, unread ?? "its table has not been read");
  }

  #conclude({ unit, events, refusal, doubtful, wrote, took }: Settled): void {
    this.#news.add(events);
    if (wrote) unit.writtenAt = this.#clock.now().instant;
    if (took) this.#survey.ask(unit.parameters.services);
    this.#drift.settled(unit, refusal);
    unit.doubt = doubtful;
    // A service that somebody took away is made again at once, and when that does not last, after a while.
    if (doubtful && unit.refused === 0) this.#work.later([unit]);
    if (refusal !== undefined) {
      this.#postpone(unit, refusal);
      return;
    }
    unit.refused = doubtful ? 1 : 0;
    this.#troubles.unit(unit, undefined);
    const { wakeAt = Number.POSITIVE_INFINITY, counting = false } = unit.decision ?? {};
    unit.alarm(Number.isFinite(wakeAt) ? this.#clock.at(wakeAt, () => this.#again(unit)) : undefined);
    if (counting) this.#counting.add(unit);
    if (this.#counting.size > 0) this.#alarms.set("count", countInterval, () => this.#count());
    const gone = this.#roster.forgetGone(unit);
    if (gone || took || events.length > 0) this.#note.writeSoon();
  }

  #postpone(unit: Unit, message: string): void {
    this.#troubles.unit(unit, message);
    unit.doubt = true;
    const next = unit.refuse(this.#clock.now().instant);
    unit.alarm(this.#clock.at(next, () => this.#again(unit)));
  }

  #again(unit: Unit): void {
    this.#work.soon([unit]);
    this.#wake();
  }

  async #look(): Promise<void> {
    let drifts: readonly Drift[] = [];
    try {
      drifts = await this.#lookout.step();
      this.#troubles.port(undefined);
    } catch (error) {
      this.#troubles.port(messageOf(error));
    }
    this.#work.soon(this.#drift.receive(drifts));
    if (this.#lookout.busy) return;
    this.#drift.applying = false;
    this.#work.later(this.#counting);
    this.#counting.clear();
  }

  #count(): void {
    for (const { parameters } of this.#counting) this.#lookout.count(parameters.services);
    this.#wake();
  }

  #verifyLater(): void {
    this.#alarms.set("verify", this.#interval, () => {
      this.#lookout.verify();
      this.#wake();
      this.#verifyLater();
    });
  }
}
