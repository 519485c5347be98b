/** Brings the table from what it is to what is wanted, for some virtual servers at once. */
import type { Moment } from "./memory.ts";
import type { Mirror } from "./mirror.ts";
import type { World } from "./observe.ts";
import type { Outcome, Performer } from "./performer.ts";
import { actualService, planUnit, type UnitPlan, wishes } from "./plan.ts";
import { withoutLast } from "./reconcile.ts";
import type { Operation } from "./table.ts";
import { serviceText } from "./text.ts";
import { messageOf } from "./troubles.ts";
import type { Unit } from "./unit.ts";
import type { CoreEvent, Decision } from "./virtual-server.ts";

export interface Settled {
  readonly unit: Unit;
  readonly events: readonly CoreEvent[];
  /** Why the table is not as wanted, in words; undefined when it is. */
  readonly refusal: string | undefined;
  /** Something was to be changed in the table. */
  readonly wrote: boolean;
  /** Something takes no more connections: what is left is worth a look. */
  readonly took: boolean;
  /** A service was not as it was thought to be: it has to be read again. */
  readonly doubtful: boolean;
}

export interface Settlement {
  readonly settled: readonly Settled[];
  /** Why the table could not be reached: nothing is known of what was done. */
  readonly failure: string | undefined;
}

/** What is decided is told even when nothing can be done about it; `failure` is why it is not even tried. */
export async function settle(
  units: readonly Unit[],
  world: World,
  { performer, now, failure }: { performer: Performer; now: Moment; failure: string | undefined },
): Promise<Settlement> {
  const plans = units.map((unit) => ({ unit, plan: planUnit(unit, world, now) }));
  for (const { unit, plan } of plans) {
    unit.memory = plan.decision.memory;
    unit.decision = plan.decision;
    noLongerAccepted(unit, plan.decision);
  }
  const without = (why: string): Settlement => ({
    settled: plans.map(({ unit, plan }) => ({ ...settled(unit, plan, []), refusal: why })),
    failure: why,
  });
  if (failure !== undefined) return without(failure);
  try {
    const gave = await performer.perform(plans.flatMap(({ plan }) => plan.giving));
    const refused = new Set(gave.refusals.map(({ service }) => service));
    const taking = plans.flatMap(({ unit, plan }) => takingOf(unit, plan, refused, world.mirror));
    const took = await performer.perform(taking);
    return { settled: plans.map(({ unit, plan }) => settled(unit, plan, [gave, took])), failure };
  } catch (error) {
    return without(messageOf(error));
  }
}

/** What somebody else made was left until something else is wanted there, and counts for nothing from then on. */
function noLongerAccepted(unit: Unit, decision: Decision): void {
  if (unit.accepted.size === 0) return;
  const wanted = wishes(unit, decision);
  for (const [of, wish] of unit.accepted) if (wanted.get(of) !== wish) unit.accepted.delete(of);
}

function takingOf(
  { parameters }: Unit,
  { taking, decision }: UnitPlan,
  refused: ReadonlySet<string>,
  mirror: Mirror,
): readonly Operation[] {
  if (refused.size === 0) return taking;
  return parameters.services.flatMap((service) => {
    const name = serviceText(service);
    const own = taking.filter((operation) => serviceText(operation.service) === name);
    return refused.has(name) ? withoutLast(service, actualService(mirror.get(service)), own, decision.placements) : own;
  });
}

function settled(unit: Unit, { decision, giving, taking }: UnitPlan, outcomes: readonly Outcome[]): Settled {
  const names = new Set(unit.parameters.services.map(serviceText));
  const refusals = outcomes.flatMap(({ refusals }) => refusals.filter(({ service }) => names.has(service)));
  const more = refusals.length > 1 ? ` (and ${refusals.length - 1} more)` : "";
  return {
    unit,
    // Of one that is gone from the file only its servers are told of.
    events: decision.events.filter(({ type }) => !unit.retired || type === "server"),
    refusal: refusals[0] === undefined ? undefined : `${refusals[0].message}${more}`,
    wrote: giving.length + taking.length > 0,
    took: taking.length > 0,
    doubtful: outcomes.some(({ doubtful }) => [...doubtful].some((name) => names.has(name))),
  };
}
