/**
 * Keeps the table of the kernel as the virtual servers are to be: computes what is wanted whenever a verdict, an operator,
 * the configuration or the time changes something, and has the difference done. One thing at a time: what it reads is
 * never older than what it wrote.
 */
import type { CheckVerdict } from "./assess.ts";
import { type BalancerClock, systemClock } from "./balancer-clock.ts";
import { Mirror } from "./mirror.ts";
import { observe, type World } from "./observe.ts";
import type { AdminEntry, Advice, LvsParameters } from "./parameters.ts";
import { Performer } from "./performer.ts";
import { reconcile } from "./reconcile.ts";
import { reportUnit, type Told } from "./report.ts";
import { serviceSettings } from "./service-settings.ts";
import type { LvsEvent, TableStatus } from "./status.ts";
import type { IpvsPort, KernelService, Operation } from "./table.ts";
import { serviceText } from "./text.ts";
import { Unit } from "./unit.ts";
import { type CoreEvent, decide } from "./virtual-server.ts";

export interface BalancerOptions {
  readonly port: IpvsPort;
  readonly event: (event: LvsEvent) => void;
  readonly clock?: BalancerClock;
}

/** So many virtual servers are worked on before something more urgent gets its turn. */
const portion = 16;
const firstRetry = 1000;
const longestRetry = 60_000;

export class Balancer {
  readonly #port: IpvsPort;
  readonly #event: (event: LvsEvent) => void;
  readonly #clock: BalancerClock;
  readonly #mirror = new Mirror();
  readonly #performer: Performer;
  readonly #units = new Map<string, Unit>();
  readonly #verdicts = new Map<string, CheckVerdict>();
  /** Check → virtual servers. */
  #users = new Map<string, Unit[]>();
  #admin: readonly AdminEntry[] = [];
  readonly #world: World;
  /** Verdicts and operators are dealt with before what can wait. */
  readonly #urgent = new Set<Unit>();
  readonly #waiting = new Set<Unit>();
  readonly #instances = new Map<string, string>();
  #started = false;
  #running = false;
  #turns: Promise<void> = Promise.resolve();

  constructor({ port, event, clock = systemClock }: BalancerOptions) {
    this.#port = port;
    this.#event = event;
    this.#clock = clock;
    this.#performer = new Performer(port, this.#mirror);
    this.#world = {
      mirror: this.#mirror,
      verdict: (check) => this.#verdicts.get(check),
      admin: [],
      owns: () => true,
    };
  }

  configure({ virtualServers }: LvsParameters): void {
    const names = new Set(virtualServers.map(({ name }) => name));
    for (const name of [...this.#units.keys()]) if (!names.has(name)) this.#units.delete(name);
    this.#users = new Map();
    for (const parameters of virtualServers) {
      const unit = this.#units.get(parameters.name) ?? new Unit(parameters);
      this.#units.set(parameters.name, unit);
      unit.parameters = parameters;
      for (const check of new Set(parameters.servers.flatMap(({ checks }) => checks))) {
        this.#users.set(check, [...(this.#users.get(check) ?? []), unit]);
      }
      this.#waiting.add(unit);
    }
    this.#wake();
  }

  start(): void {
    this.#started = true;
    this.#wake();
  }

  /** The table stays as it is. Settles when nothing more is written. */
  async stop(): Promise<void> {
    this.#started = false;
    for (const unit of this.#units.values()) unit.alarm(undefined);
    await this.#turns;
  }

  verdict(check: string, up: boolean | null, reason: string, advice?: Advice): void {
    this.#verdicts.set(check, { up, reason, ...(advice === undefined ? {} : { advice }) });
    for (const unit of this.#users.get(check) ?? []) this.#urgent.add(unit);
    this.#wake();
  }

  /** Of an instance of VRRP: "active" or another state. */
  instance(name: string, state: string): void {
    if (this.#instances.get(name) === state) return;
    this.#instances.set(name, state);
  }

  async status(): Promise<TableStatus> {
    const { wall } = this.#clock.now();
    const told: Told = {
      mirror: this.#mirror,
      verdict: this.#world.verdict,
      admin: this.#admin,
      wall,
      suspended: (instance) => instance !== undefined && this.#instances.get(instance) !== "active",
      iso: (at) => new Date(at).toISOString(),
    };
    const units = [...this.#units.values()];
    return {
      virtual_servers: units.map((unit) => reportUnit(unit, told)),
      unmanaged: [],
      drift: { found: 0, repaired: 0, last: null },
      errors: this.#performer.errors,
      trouble: units.find(({ trouble }) => trouble !== undefined)?.trouble ?? null,
    };
  }

  admin(entries: readonly AdminEntry[]): void {
    this.#admin = entries;
    for (const unit of this.#units.values()) this.#urgent.add(unit);
    this.#wake();
  }

  #wake(): void {
    if (!this.#started || this.#running) return;
    this.#running = true;
    this.#turns = new Promise((resolve) => this.#clock.soon(() => resolve(this.#run())));
  }

  async #run(): Promise<void> {
    while (this.#started && this.#urgent.size + this.#waiting.size > 0) {
      const units = this.#next();
      try {
        await this.#settle(units);
      } catch (error) {
        this.#postpone(units, error instanceof Error ? error.message : String(error));
      }
    }
    this.#running = false;
  }

  #next(): Unit[] {
    const from = this.#urgent.size > 0 ? this.#urgent : this.#waiting;
    const units = [...from].slice(0, portion);
    for (const unit of units) {
      this.#urgent.delete(unit);
      this.#waiting.delete(unit);
    }
    return units.filter((unit) => this.#units.get(unit.parameters.name) === unit);
  }

  async #settle(units: readonly Unit[]): Promise<void> {
    await this.#read(units.filter(({ read }) => !read));
    const giving: Operation[] = [];
    const taking: Operation[] = [];
    const events: CoreEvent[] = [];
    const now = this.#clock.now();
    for (const unit of units) {
      const decision = decide(
        unit.parameters,
        unit.memory,
        observe(unit.parameters, { ...this.#world, admin: this.#admin }),
        now,
      );
      unit.memory = decision.memory;
      unit.decision = decision;
      events.push(...decision.events);
      for (const service of unit.parameters.services) {
        const known = this.#mirror.get(service);
        const actual = {
          settings: known?.settings,
          destinations: new Map([...(known?.destinations ?? [])].map(([key, { settings }]) => [key, settings])),
        };
        const settings = serviceSettings(unit.parameters, service);
        const plan = reconcile(service, actual, { settings, placements: decision.placements });
        giving.push(...plan.giving);
        taking.push(...plan.taking);
      }
      unit.alarm(this.#alarm(unit, decision.wakeAt));
    }
    const { refusals, doubtful } = await this.#performer.perform([...giving, ...taking]);
    const at = new Date(now.wall).toISOString();
    for (const event of events) this.#event({ at, ...event });
    for (const unit of units) {
      const names = new Set(unit.parameters.services.map(serviceText));
      const refusal = refusals.find(({ service }) => names.has(service));
      if ([...doubtful].some((name) => names.has(name))) unit.read = false;
      if (refusal !== undefined) this.#postpone([unit], refusal.message);
      else {
        unit.refused = 0;
        unit.trouble = undefined;
        if (!unit.read) this.#waiting.add(unit);
      }
    }
  }

  async #read(units: readonly Unit[]): Promise<void> {
    if (units.length === 0) return;
    const services = new Map<string, KernelService>();
    for (const service of await this.#port.services()) services.set(serviceText(service.address), service);
    for (const unit of units) {
      for (const service of unit.parameters.services) {
        const kernel = services.get(serviceText(service));
        this.#mirror.set(service, kernel, kernel === undefined ? [] : await this.#port.destinations(service));
      }
      unit.read = true;
    }
  }

  #alarm(unit: Unit, instant: number): (() => void) | undefined {
    if (!Number.isFinite(instant)) return undefined;
    return this.#clock.at(instant, () => {
      this.#urgent.add(unit);
      this.#wake();
    });
  }

  #postpone(units: readonly Unit[], message: string): void {
    const { instant } = this.#clock.now();
    for (const unit of units) {
      unit.read = false;
      unit.trouble = message;
      const delay = Math.min(firstRetry * 2 ** unit.refused, longestRetry);
      unit.refused++;
      unit.alarm(this.#alarm(unit, Math.min(instant + delay, unit.decision?.wakeAt ?? Number.POSITIVE_INFINITY)));
    }
  }
}
