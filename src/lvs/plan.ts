/** What is to be done for a virtual server now. Pure but for reading the mirror. */
import type { Moment } from "./memory.ts";
import { type Mirror, type MirroredService, subjectOf } from "./mirror.ts";
import { observe, type World } from "./observe.ts";
import type { ServiceAddress } from "./parameters.ts";
import { type ActualService, nothing, type Plan, reconcile, wishesOf } from "./reconcile.ts";
import { serviceSettings } from "./service-settings.ts";
import type { Operation } from "./table.ts";
import { serviceText } from "./text.ts";
import type { Unit } from "./unit.ts";
import { type Decision, decide } from "./virtual-server.ts";

export interface UnitPlan extends Plan {
  readonly decision: Decision;
}

export function planUnit(unit: Unit, world: World, now: Moment): UnitPlan {
  const decision = decide(unit.parameters, unit.memory, observe(unit.parameters, world), now);
  return { decision, ...planFor(unit, decision, world.mirror) };
}

/** Servers that work make way for the sorry server now. */
export function makesWay({ parameters, memory }: Unit, world: World, now: Moment): boolean {
  if (parameters.sorryServer === undefined || memory === undefined || memory.suppressedAt !== undefined) return false;
  const next = decide(parameters, memory, observe(parameters, world), now);
  return next.memory.suppressedAt !== undefined && next.placements.some(({ mayStay }) => mayStay);
}

export function planFor(unit: Unit, decision: Decision, mirror: Mirror): Plan {
  const { services } = unit.parameters;
  const plans = services.map((service) => planService(unit, service, mirror.get(service), decision));
  return {
    giving: plans.flatMap(({ giving }) => giving),
    taking: plans.flatMap(({ taking }) => taking),
  };
}

function planService(
  unit: Unit,
  service: ServiceAddress,
  known: MirroredService | undefined,
  decision: Decision,
): Plan {
  const { parameters, retired } = unit;
  const { placements } = decision;
  const actual = actualService(known);
  if (retired && actual.settings === undefined) return nothing;
  const settings = retired ? actual.settings : undefined;
  const wanted = { settings: settings ?? serviceSettings(parameters, service), placements };
  const plan = withoutAccepted(reconcile(service, actual, wanted), unit, decision);
  if (!retired) return plan;
  // With the last server it goes itself: nothing has connections any more, or has had its time.
  const deleted = plan.taking.filter(({ type }) => type === "delete-destination").length;
  return deleted < actual.destinations.size ? plan : { giving: [], taking: [{ type: "delete-service", service }] };
}

export function actualService(known: MirroredService | undefined): ActualService {
  return {
    settings: known?.settings,
    destinations: new Map([...(known?.destinations ?? [])].map(([key, { settings }]) => [key, settings])),
  };
}

/** A subject of changes: a service, or a destination in it. */
export function subject(service: string, destination: string | undefined): string {
  return `${service} ${destination ?? ""}`;
}

export function subjectOfOperation(operation: Operation): string {
  return subject(serviceText(operation.service), subjectOf(operation));
}

/** What is wanted of each subject, as text that changes with it. */
export function wishes({ parameters }: Unit, { placements }: Decision): ReadonlyMap<string, string> {
  return new Map(
    parameters.services.flatMap((service): [string, string][] => {
      const name = serviceText(service);
      return [
        [subject(name, undefined), JSON.stringify(serviceSettings(parameters, service))],
        ...wishesOf(service, placements).map(([key, wish]): [string, string] => [subject(name, key), wish]),
      ];
    }),
  );
}

/** What was left as somebody made it stays so, until something else is wanted there. */
function withoutAccepted(plan: Plan, unit: Unit, decision: Decision): Plan {
  const { accepted } = unit;
  if (accepted.size === 0) return plan;
  const wanted = wishes(unit, decision);
  const asLeft = (operation: Operation) => {
    const of = subjectOfOperation(operation);
    return accepted.has(of) && accepted.get(of) === wanted.get(of);
  };
  // A service that was taken away stays away with all of its servers.
  if (plan.giving.some((operation) => operation.type === "add-service" && asLeft(operation))) return nothing;
  return {
    giving: plan.giving.filter((operation) => !asLeft(operation)),
    taking: plan.taking.filter((operation) => !asLeft(operation)),
  };
}
