/** The table as it was last seen and as it was changed since. Holds state, touches nothing. */
import type { Family } from "../wire/address.ts";
import type { ServiceAddress } from "./parameters.ts";
import type {
  DestinationSettings,
  KernelDestination,
  KernelService,
  Operation,
  ServiceSettings,
  Traffic,
} from "./table.ts";
import { serverText, serviceText } from "./text.ts";

export interface Counts {
  readonly active: number;
  readonly inactive: number;
  readonly persistent: number;
}

export interface MirroredDestination {
  readonly settings: DestinationSettings;
  /** Undefined since its weight became 0, until they are counted again. */
  readonly counts: Counts | undefined;
  /** As they were counted last, whenever that was. */
  readonly last?: Counts;
  readonly traffic?: Traffic;
}

export interface MirroredService {
  /** "tcp 192.0.2.10:443" */
  readonly name: string;
  readonly address: ServiceAddress;
  /** Undefined: it is not in the table. */
  readonly settings: ServiceSettings | undefined;
  readonly traffic: Traffic | undefined;
  readonly destinations: Map<string, MirroredDestination>;
}

export class Mirror {
  readonly #services = new Map<string, MirroredService>();

  get(service: ServiceAddress): MirroredService | undefined {
    return this.#services.get(serviceText(service));
  }

  /** What was read of it. */
  set(service: MirroredService): void {
    this.#services.set(service.name, service);
  }

  forget(service: ServiceAddress): void {
    this.#services.delete(serviceText(service));
  }

  /** Nobody looks after the others any more: whoever does so again reads them anew. */
  retain(names: ReadonlySet<string>): void {
    for (const name of this.#services.keys()) if (!names.has(name)) this.#services.delete(name);
  }

  /** An operation that was done. */
  apply(operation: Operation): void {
    const { service } = operation;
    const known = this.get(service) ?? mirrored(service, undefined, []);
    switch (operation.type) {
      case "add-service":
      case "edit-service":
        this.#services.set(serviceText(service), { ...known, settings: operation.settings });
        break;
      case "delete-service":
        this.#services.set(serviceText(service), mirrored(service, undefined, []));
        break;
      case "add-destination":
      case "edit-destination": {
        const key = destinationText(operation.settings);
        const before = known.destinations.get(key);
        // Whoever came before it got nothing new does not show in what was counted earlier.
        const counts = operation.settings.weight === 0 && before?.settings.weight !== 0 ? undefined : before?.counts;
        known.destinations.set(key, { ...before, settings: operation.settings, counts });
        break;
      }
      case "delete-destination":
        known.destinations.delete(destinationText(operation));
        break;
    }
  }
}

export function mirrored(
  address: ServiceAddress,
  kernel: KernelService | undefined,
  destinations: readonly KernelDestination[],
): MirroredService {
  return {
    name: serviceText(address),
    address,
    settings: kernel?.settings,
    traffic: kernel?.traffic,
    destinations: new Map(
      (kernel === undefined ? [] : destinations).map(({ settings, active, inactive, persistent, traffic }) => [
        destinationText(settings),
        counted(settings, { active, inactive, persistent }, traffic),
      ]),
    ),
  };
}

/** "192.0.2.21:443": what a server goes by within its virtual server; without a port of its own, the address alone. */
export function serverKey(at: { readonly family: Family; readonly address: string; readonly port?: number }): string {
  return serverText(at.family, at.address, at.port ?? 0);
}

/** The port of a server in a service. */
export function portIn(service: ServiceAddress, port: number | undefined): number {
  return port ?? (service.kind === "address" ? service.port : 0);
}

/** "192.0.2.21:443": what it goes by within a service. */
export function destinationText(at: {
  readonly family: Family;
  readonly address: string;
  readonly port: number;
}): string {
  return serverText(at.family, at.address, at.port);
}

/** Of a server in a service. */
export function subjectOf(operation: Operation): string | undefined {
  switch (operation.type) {
    case "add-service":
    case "edit-service":
    case "delete-service":
      return undefined;
    case "add-destination":
    case "edit-destination":
      return destinationText(operation.settings);
    case "delete-destination":
      return destinationText(operation);
  }
}

function counted(settings: DestinationSettings, counts: Counts, traffic: Traffic): MirroredDestination {
  return { settings, counts, last: counts, traffic };
}
