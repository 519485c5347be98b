/** Which virtual servers there are, which of them a check or an address concerns, and whose the services of the table are. */
import { type Moment, newMemory } from "./memory.ts";
import type { Mirror } from "./mirror.ts";
import { Owned } from "./owned.ts";
import type { LvsParameters, ServiceAddress, VirtualServerParameters } from "./parameters.ts";
import type { Noted } from "./table-note.ts";
import { serviceText } from "./text.ts";
import { Unit } from "./unit.ts";

export class Roster {
  readonly owned = new Owned();
  readonly #mirror: Mirror;
  /** By name, in the order of the file; behind them those that have left it. */
  #units = new Map<string, Unit>();
  #retired = new Set<Unit>();
  #byCheck = new Map<string, Unit[]>();
  #byProbe = new Map<string, Unit[]>();
  #byAddress = new Map<string, Unit[]>();
  #byService = new Map<string, Unit>();
  /** From the note of an earlier run, until the first configuration. */
  #noted: readonly Noted[] = [];

  constructor(mirror: Mirror) {
    this.#mirror = mirror;
  }

  *[Symbol.iterator](): Iterator<Unit> {
    yield* this.#units.values();
    yield* this.#retired;
  }

  has(unit: Unit): boolean {
    return unit.retired ? this.#retired.has(unit) : this.#units.get(unit.parameters.name) === unit;
  }

  services(): readonly ServiceAddress[] {
    return [...this].flatMap(({ parameters }) => parameters.services);
  }

  byCheck(check: string): readonly Unit[] {
    return this.#byCheck.get(check) ?? [];
  }

  /** Those whose services it goes through. */
  byProbe(check: string): readonly Unit[] {
    return this.#byProbe.get(check) ?? [];
  }

  byAddress(address: string): readonly Unit[] {
    return this.#byAddress.get(address) ?? [];
  }

  byService(service: string): Unit | undefined {
    return this.#byService.get(service);
  }

  /** What an earlier run has left; before the first configuration. */
  restore(noted: readonly Noted[]): void {
    this.#noted = noted;
    for (const { services } of noted)
      for (const { address, destinations } of services) this.owned.add(address, destinations);
  }

  /** Returns those for which there may be something to do: one that is as it was and is not held up goes on as it is. */
  configure({ virtualServers, probes = [] }: LvsParameters, now: Moment): Iterable<Unit> {
    const all = [...virtualServers, ...probes];
    const before = [...this.#units.values()].map(({ parameters, memory }) => ({ parameters, memory }));
    const known = this.#units;
    // Those that are leaving may have a name more than once: whoever moves twice leaves two behind.
    const memories = new Map(this.#noted.flatMap(({ name, retired, memory }) => (retired ? [] : [[name, memory]])));
    this.#units = new Map();
    const changed: Unit[] = [];
    for (const parameters of all) {
      const unit = known.get(parameters.name) ?? new Unit(parameters, false, memories.get(parameters.name));
      const same = JSON.stringify(unit.parameters) === JSON.stringify(parameters);
      if (!same || unit.decision === undefined || unit.doubt || unit.accepted.size > 0) changed.push(unit);
      // Whoever reads the file anew wants it applied; what is not looked at stays as somebody made it.
      if (parameters.onDrift !== "ignore") unit.accepted.clear();
      // What is taken away for good reasons may be the last, if somebody else has been at work.
      if (!same) unit.doubt = true;
      unit.parameters = parameters;
      this.#units.set(parameters.name, unit);
    }
    this.owned.prune(all, this.#mirror);
    this.#retire(before, now);
    this.#noted = [];
    this.#mirror.retain(new Set(this.services().map(serviceText)));
    this.#index();
    return [...changed, ...this.#retired];
  }

  /** A retired one that has no service left in the table. */
  forgetGone(unit: Unit): boolean {
    const { services } = unit.parameters;
    if (!unit.retired || services.some((service) => this.#mirror.get(service)?.settings !== undefined)) return false;
    this.#retired.delete(unit);
    for (const service of services) {
      this.owned.forget(service);
      this.#mirror.forget(service);
    }
    this.#index();
    return true;
  }

  noted(): readonly Noted[] {
    const now: Moment = { instant: 0, wall: 0 };
    return [...this].map(({ parameters, retired, memory }) => ({
      name: parameters.name,
      retired,
      services: parameters.services.map((address) => ({ address, destinations: this.owned.destinations(address) })),
      drainTimeout: parameters.drainTimeout,
      onStop: parameters.onStop,
      memory: memory ?? newMemory(now),
    }));
  }

  /** Services of ours that nobody declares any more, each with what is remembered of its virtual server. */
  #retire(before: readonly Pick<Unit, "parameters" | "memory">[], now: Moment): void {
    const declared = new Set(
      [...this.#units.values()].flatMap(({ parameters }) => parameters.services.map(serviceText)),
    );
    const undeclared = (services: readonly ServiceAddress[]) =>
      services.filter((service) => !declared.has(serviceText(service)));
    for (const unit of this.#retired) {
      const services = undeclared(unit.parameters.services);
      if (services.length === unit.parameters.services.length) continue;
      unit.parameters = { ...unit.parameters, services };
      if (services.length === 0) this.#retired.delete(unit);
    }
    for (const unit of this.#retired)
      for (const service of unit.parameters.services) declared.add(serviceText(service));
    const left = new Map(undeclared(this.owned.services()).map((service) => [serviceText(service), service]));
    const of = (services: readonly ServiceAddress[]) => services.filter((service) => left.delete(serviceText(service)));
    for (const { parameters, memory } of before) {
      this.#addRetired(parameters, of(parameters.services), memory);
    }
    for (const { name, retired, services, memory, drainTimeout, onStop } of this.#noted) {
      const parameters = { ...template, name: retired ? name.slice(0, -suffix.length) : name, drainTimeout, onStop };
      this.#addRetired(parameters, of(services.map(({ address }) => address)), memory);
    }
    // Nobody remembers them.
    this.#addRetired({ ...template, name: "earlier services" }, [...left.values()], newMemory(now));
  }

  #addRetired(parameters: VirtualServerParameters, services: readonly ServiceAddress[], memory: Unit["memory"]): void {
    if (services.length === 0) return;
    const { sorryServer: _, suspendUnless: __, ...rest } = parameters;
    const name = `${parameters.name}${suffix}`;
    // All in it goes, whoever put it there: the service goes, too.
    this.#retired.add(new Unit({ ...rest, name, services, servers: [], onDrift: "repair" }, true, memory));
  }

  #index(): void {
    this.#byCheck = new Map();
    this.#byProbe = new Map();
    this.#byAddress = new Map();
    this.#byService = new Map();
    for (const unit of this) {
      const { servers, services, probedBy = [] } = unit.parameters;
      if (!unit.retired) for (const check of probedBy) push(this.#byProbe, check, unit);
      for (const check of new Set(servers.flatMap(({ checks }) => checks))) push(this.#byCheck, check, unit);
      for (const address of new Set(servers.map(({ address }) => address))) push(this.#byAddress, address, unit);
      for (const service of services) this.#byService.set(serviceText(service), unit);
    }
  }
}

const suffix = " (leaving)";

/** What counts of a virtual server that is no longer in the file. */
const template: VirtualServerParameters = {
  name: "",
  services: [],
  scheduler: { name: "wlc", fallback: false, port: false, flags: [] },
  onePacket: false,
  servers: [],
  quorum: 1,
  hysteresis: 0,
  omega: false,
  panicThreshold: 0,
  slowStart: 0,
  drainTimeout: 0,
  onDrift: "repair",
  onStop: "keep",
};

function push(map: Map<string, Unit[]>, key: string, unit: Unit): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [unit]);
  else list.push(unit);
}
