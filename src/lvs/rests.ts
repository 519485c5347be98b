/**
 * Which checks may rest: those that only virtual servers need whose instance is not active here; and those through a
 * service that is not in the table, which would ask whatever server the balancer chooses.
 */
import type { Mirror } from "./mirror.ts";
import type { Unit } from "./unit.ts";

export class Rests {
  readonly #mirror: Mirror;
  readonly #tell: (checks: ReadonlySet<string>) => void;
  readonly #instances = new Map<string, string>();
  #units: readonly Unit[] = [];
  /** Undefined: nothing yet. */
  #told: ReadonlySet<string> | undefined;

  constructor(mirror: Mirror, tell: (checks: ReadonlySet<string>) => void) {
    this.#mirror = mirror;
    this.#tell = tell;
  }

  configure(units: Iterable<Unit>): void {
    this.#units = [...units];
    // Those that are new wait for a word.
    this.#decide(this.#probes());
  }

  /** Something was written to the table. */
  look(): void {
    if (this.#probes()) this.#decide();
  }

  instance(name: string, state: string): void {
    if (this.#instances.get(name) === state) return;
    this.#instances.set(name, state);
    if (this.#told !== undefined) this.#decide();
  }

  /** Of an instance nothing is known until it is told: it is not active. */
  suspends(instance: string | undefined): boolean {
    return instance !== undefined && this.#instances.get(instance) !== "active";
  }

  #probes(): boolean {
    return this.#units.some(({ parameters }) => parameters.probedBy !== undefined);
  }

  #decide(always = false): void {
    const resting = new Set<string>();
    const needed = new Set<string>();
    for (const { parameters } of this.#units) {
      const into = this.suspends(parameters.suspendUnless) ? resting : needed;
      for (const { checks } of parameters.servers) for (const check of checks) into.add(check);
    }
    for (const check of needed) resting.delete(check);
    for (const unit of this.#units)
      if (!this.#leads(unit)) for (const check of unit.parameters.probedBy ?? []) resting.add(check);
    const told = this.#told;
    if (!always && resting.size === told?.size && [...resting].every((check) => told.has(check))) return;
    this.#told = resting;
    this.#tell(resting);
  }

  /** To its server, and nowhere else. */
  #leads({ retired, parameters: { services, probedBy } }: Unit): boolean {
    if (retired || probedBy === undefined) return true;
    return services.every((service) => {
      const destinations = [...(this.#mirror.get(service)?.destinations.values() ?? [])];
      return destinations.length === 1 && destinations.every(({ settings }) => settings.weight > 0);
    });
  }
}
