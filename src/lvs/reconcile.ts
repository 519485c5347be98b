/**
 * From what a service is to be and what it is to the operations in between, in an order that may be cut short anywhere:
 * what takes connections comes before what stops taking them, and what disappears comes last. Never a flush, and never a
 * removal where a change will do: it keeps the connections. Pure.
 */
import { destinationText, portIn, subjectOf } from "./mirror.ts";
import type { ServiceAddress } from "./parameters.ts";
import type { Placement } from "./placement.ts";
import { equalDestinations, equalServices } from "./service-settings.ts";
import type { DestinationSettings, Operation, ServiceSettings } from "./table.ts";

/** A service as it is in the table. */
export interface ActualService {
  /** Undefined: it is not there. */
  readonly settings: ServiceSettings | undefined;
  readonly destinations: ReadonlyMap<string, DestinationSettings>;
}

export interface Plan {
  /** Adds and raises: afterwards all that is to take connections does. */
  readonly giving: readonly Operation[];
  /** Lowers and deletes. */
  readonly taking: readonly Operation[];
}

export const nothing: Plan = { giving: [], taking: [] };

export function reconcile(
  service: ServiceAddress,
  actual: ActualService,
  wanted: { readonly settings: ServiceSettings; readonly placements: readonly Placement[] },
): Plan {
  const giving: Operation[] = [];
  const raising: Operation[] = [];
  const lowering: Operation[] = [];
  const deleting: Operation[] = [];
  const { settings } = wanted;
  if (actual.settings === undefined) giving.push({ type: "add-service", service, settings });
  else if (!equalServices(actual.settings, settings)) giving.push({ type: "edit-service", service, settings });
  const absent = actual.settings === undefined;
  for (const [key, { placement, weight, port }] of placesIn(service, wanted.placements)) {
    const { family, address } = placement.settings;
    const present = absent ? undefined : actual.destinations.get(key);
    if (weight === null) {
      if (present !== undefined) deleting.push({ type: "delete-destination", service, family, address, port });
      continue;
    }
    // What is not declared keeps what it has, and loses its weight.
    const destination = { ...placement.settings, port, ...(placement.onlyWherePresent ? present : {}), weight };
    // In canonical order: the kernel puts each before those that are there, on every director alike.
    if (present === undefined) {
      if (!placement.onlyWherePresent) giving.push({ type: "add-destination", service, settings: destination });
    } else if (!equalDestinations(present, destination)) {
      const edit: Operation = { type: "edit-destination", service, settings: destination };
      (weight < present.weight ? lowering : raising).push(edit);
    }
  }
  return { giving: [...giving, ...raising], taking: [...lowering, ...deleting] };
}

/** By destination, what is wanted of it, as text that changes with it. */
export function wishesOf(service: ServiceAddress, placements: readonly Placement[]): readonly [string, string][] {
  return [...placesIn(service, placements)].map(([key, { placement, weight }]): [string, string] => {
    const { settings, onlyWherePresent } = placement;
    return [key, JSON.stringify(onlyWherePresent ? [weight] : [weight, settings])];
  });
}

interface Place {
  readonly placement: Placement;
  readonly weight: number | null;
  readonly port: number;
}

/** By destination. Should two servers be the same one in this service, it has the larger weight of the two. */
function placesIn(service: ServiceAddress, placements: readonly Placement[]): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>();
  for (const placement of placements) {
    const { family, address } = placement.settings;
    const port = portIn(service, placement.settings.port);
    const key = destinationText({ family, address, port });
    const weight = weightIn(service, placement);
    if ((weight ?? -1) >= (places.get(key)?.weight ?? -1)) places.set(key, { placement, weight, port });
  }
  return places;
}

function weightIn(service: ServiceAddress, { weight, datagramWeight }: Placement): number | null {
  return service.kind === "address" && service.protocol === "udp" ? datagramWeight : weight;
}

/**
 * Something of `giving` was refused. What would then take the last destination of the service away, although it need not
 * go, is left for the next try.
 */
export function withoutLast(
  service: ServiceAddress,
  actual: ActualService,
  taking: readonly Operation[],
  placements: readonly Placement[],
): readonly Operation[] {
  const usable = new Set([...actual.destinations].filter(([, { weight }]) => weight > 0).map(([name]) => name));
  for (const operation of taking) if (ends(operation)) usable.delete(subjectOf(operation) ?? "");
  if (usable.size > 0) return taking;
  const spare = new Set(
    placements.flatMap(({ settings: { family, address, port }, mayStay }) =>
      mayStay ? [destinationText({ family, address, port: portIn(service, port) })] : [],
    ),
  );
  return taking.filter((operation) => !ends(operation) || !spare.has(subjectOf(operation) ?? ""));
}

/** Afterwards the destination takes nothing new. */
function ends(operation: Operation): boolean {
  const stops = operation.type === "edit-destination" && operation.settings.weight === 0;
  return stops || operation.type === "delete-destination";
}
