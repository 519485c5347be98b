/**
 * Looks at the table in small steps: for counters, and for what somebody else changed. The kernel tells nobody of changes,
 * and a dump that races one may miss or repeat entries: a difference counts when it is seen twice.
 */
import { type Difference, differences } from "./drift.ts";
import type { Instant, Moment } from "./memory.ts";
import { type Mirror, type MirroredService, mirrored } from "./mirror.ts";
import type { World } from "./observe.ts";
import type { Milliseconds, ServiceAddress } from "./parameters.ts";
import { makesWay } from "./plan.ts";
import type { IpvsPort, KernelService } from "./table.ts";
import { serviceText } from "./text.ts";
import type { Unit } from "./unit.ts";

export interface Drift {
  readonly service: ServiceAddress;
  readonly differences: readonly Difference[];
}

/** So many services are read before something more urgent gets its turn. */
const portion = 8;
/** Reads of a service whose every read is another. */
const mostReads = 5;
/** How long a list of all services is good enough for those that are read for the first time. */
const listLasts: Milliseconds = 1000;

export class Survey {
  readonly #port: IpvsPort;
  readonly #mirror: Mirror;
  readonly #queue = new Map<string, ServiceAddress>();
  #listed: ReadonlyMap<string, KernelService> | undefined;
  #unlisted = true;
  #listedAt: Instant = Number.NEGATIVE_INFINITY;

  constructor(port: IpvsPort, mirror: Mirror) {
    this.#port = port;
    this.#mirror = mirror;
  }

  /** The names of all services, as they were listed last. */
  get listed(): ReadonlyMap<string, KernelService> | undefined {
    return this.#listed;
  }

  get pending(): boolean {
    return this.#queue.size > 0;
  }

  ask(services: Iterable<ServiceAddress>): void {
    for (const service of services) this.#queue.set(serviceText(service), service);
    this.#unlisted = true;
  }

  drop(): void {
    this.#queue.clear();
  }

  /** There are other services now, or soon. */
  relist(): void {
    this.#unlisted = true;
  }

  /** What it reads is in the mirror afterwards; returns what somebody else changed. */
  async step(): Promise<readonly Drift[]> {
    if (this.#unlisted) await this.list();
    const drifts: Drift[] = [];
    let left = portion;
    for (const [name, service] of this.#queue) {
      if (left-- === 0) break;
      this.#queue.delete(name);
      const drift = await this.look(service);
      if (drift !== undefined) drifts.push(drift);
    }
    return drifts;
  }

  /** Before something is decided for them: reads what was not read before, or is in doubt. */
  async prepare(units: readonly Unit[], world: World, now: Moment): Promise<readonly Drift[]> {
    const unread = units.flatMap(({ doubt, parameters: { services } }) =>
      services.filter((service) => doubt || this.#mirror.get(service) === undefined),
    );
    const drifts = await this.#lookAt(unread, units.some(({ doubt }) => doubt) ? undefined : now.instant);
    // Whether the sorry server is there has to be known before it takes the place of servers that work.
    const [known] = this.sort(units.filter(({ doubt }) => !doubt));
    const making = known.filter((unit) => makesWay(unit, world, now));
    return [...drifts, ...(await this.#lookAt(making.flatMap(({ parameters: { services } }) => services)))];
  }

  /** `now`: what is read for the first time goes by a list that is not old; what has come since is found out by writing. */
  async #lookAt(services: readonly ServiceAddress[], now?: Instant): Promise<readonly Drift[]> {
    if (services.length === 0) return [];
    if (now === undefined || this.#unlisted || now - this.#listedAt >= listLasts) {
      await this.list();
      this.#listedAt = now ?? this.#listedAt;
    }
    const drifts: Drift[] = [];
    for (const service of services) {
      const drift = await this.look(service);
      if (drift !== undefined) drifts.push(drift);
    }
    return drifts;
  }

  /** Those of which all is known, at least as it once was, and the others. */
  sort(units: readonly Unit[]): readonly [known: readonly Unit[], unknown: readonly Unit[]] {
    const known = (unit: Unit) => unit.parameters.services.every((service) => this.#mirror.get(service) !== undefined);
    return [units.filter(known), units.filter((unit) => !known(unit))];
  }

  async list(): Promise<void> {
    const services = await this.#port.services();
    this.#listed = new Map(services.map((service) => [serviceText(service.address), service]));
    this.#unlisted = false;
  }

  /** Of a service that was not read before, everything is as it is. */
  async look(service: ServiceAddress): Promise<Drift | undefined> {
    const left = this.#mirror.get(service);
    let read = await this.#read(service);
    let found = left === undefined ? [] : differences(left, read);
    for (let reads = 1; found.length > 0 && reads < mostReads; reads++) {
      await this.list();
      const again = await this.#read(service);
      const same = differences(read, again).length === 0;
      read = again;
      found = left === undefined ? [] : differences(left, read);
      if (same) break;
    }
    this.#mirror.set(read);
    return found.length === 0 ? undefined : { service, differences: found };
  }

  async #read(service: ServiceAddress): Promise<MirroredService> {
    const kernel = this.#listed?.get(serviceText(service));
    return mirrored(service, kernel, kernel === undefined ? [] : await this.#port.destinations(service));
  }
}
