/**
 * From what a service is to be and what it is to the operations in between, in an order that may be cut short anywhere:
 * what takes connections comes before what stops taking them, and what disappears comes last. Never a flush, and never a
 * removal where a change will do: it keeps the connections. Pure.
 */
import { destinationText, portIn } from "./mirror.ts";
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
  for (const placement of wanted.placements) {
    const weight = weightIn(service, placement);
    const { family, address } = placement.settings;
    const port = portIn(service, placement.settings.port);
    const present = absent ? undefined : actual.destinations.get(destinationText({ family, address, port }));
    if (weight === null) {
      if (present !== undefined) deleting.push({ type: "delete-destination", service, family, address, port });
      continue;
    }
    const destination = { ...placement.settings, port, weight };
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

function weightIn(service: ServiceAddress, { weight, datagramWeight }: Placement): number | null {
  return service.kind === "address" && service.protocol === "udp" ? datagramWeight : weight;
}

/** A service that is not declared any more: nothing new, and at last it goes with all that is in it. */
export function retire(service: ServiceAddress, actual: ActualService, over: boolean): Plan {
  if (actual.settings === undefined) return nothing;
  if (over) return { giving: [], taking: [{ type: "delete-service", service }] };
  const taking = [...actual.destinations.values()]
    .filter(({ weight }) => weight > 0)
    .map((settings): Operation => ({ type: "edit-destination", service, settings: { ...settings, weight: 0 } }));
  return { giving: [], taking };
}

/**
 * What was refused in `giving` must not leave a service without a destination: what would take its last one away is left
 * out, to be tried again. Servers that are down go in any case; that is said by `mayStay`.
 */
export function withoutLast(
  actual: ActualService,
  taking: readonly Operation[],
  mayStay: (destination: string) => boolean,
  key: (operation: Operation) => string | undefined,
): readonly Operation[] {
  const usable = new Set([...actual.destinations].filter(([, { weight }]) => weight > 0).map(([name]) => name));
  const losing = new Set(taking.flatMap((operation) => (endsService(operation) ? [key(operation) ?? ""] : [])));
  if ([...usable].some((name) => !losing.has(name))) return taking;
  return taking.filter((operation) => {
    const name = key(operation);
    return name === undefined || !usable.has(name) || !endsService(operation) || !mayStay(name);
  });
}

/** Afterwards the destination takes nothing new. */
function endsService(operation: Operation): boolean {
  return (
    operation.type === "delete-destination" ||
    (operation.type === "edit-destination" && operation.settings.weight === 0)
  );
}
