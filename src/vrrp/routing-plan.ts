/** What is wanted against what is there, for routes and rules. */
import type { Route } from "../netlink/route.ts";
import type { Rule } from "../netlink/rule.ts";
import { routePlace, rulePlace } from "../netlink/subjects.ts";
import { isSameRoute, routingOwner } from "./route-entry.ts";
import type { KernelObject } from "./routing.ts";

export type Standing =
  | { readonly state: "present" }
  | { readonly state: "absent" }
  /** The same, put there by somebody else. */
  | { readonly state: "foreign"; readonly by: Route }
  /** The kernel has room for one route at this place, and it is another one. */
  | { readonly state: "taken"; readonly by: Route };

/** `there` is what stands at the place of the wanted route. */
export function standingOfRoute(wanted: Route, there: readonly Route[]): Standing {
  const same = there.filter((route) => isSameRoute(wanted, route));
  if (same.some(({ protocol }) => protocol === wanted.protocol)) return { state: "present" };
  const [foreign] = same;
  if (foreign !== undefined) return { state: "foreign", by: foreign };
  const [other] = there;
  return other === undefined ? { state: "absent" } : { state: "taken", by: other };
}

/** The same rule of somebody else stands beside ours and is no concern. */
export function standingOfRule(wanted: Rule, there: readonly Rule[]): Standing {
  return { state: there.some(({ protocol }) => protocol === wanted.protocol) ? "present" : "absent" };
}

/**
 * What an earlier run left: everything with our number, less what is to be held whatever the roles are. A route that is
 * configured with another number is known by being the very route that is configured.
 */
export function findRoutingLeftOvers(
  routes: readonly Route[],
  rules: readonly Rule[],
  kept: readonly KernelObject[],
  configured: readonly KernelObject[],
): KernelObject[] {
  const keep = new Map(kept.map((object) => [placeOf(object), object]));
  const virtual = new Map(configured.map((object) => [placeOf(object), object]));
  const isWanted = (wanted: KernelObject | undefined, route: Route) =>
    wanted?.type === "route" && wanted.route.protocol === route.protocol && isSameRoute(wanted.route, route);
  const leftRoutes = routes.filter((route) => {
    const place = routePlace(route);
    if (isWanted(keep.get(place), route)) return false;
    return route.protocol === routingOwner || isWanted(virtual.get(place), route);
  });
  const leftRules = rules.filter((rule) => rule.protocol === routingOwner && !keep.has(rulePlace(rule)));
  return [
    // Nothing is to be looked up in a table that is half empty already.
    ...leftRules.map((rule) => ({ type: "rule", rule }) as const),
    ...leftRoutes.map((route) => ({ type: "route", route }) as const),
  ];
}

export function placeOf(object: KernelObject): string {
  return object.type === "route" ? routePlace(object.route) : rulePlace(object.rule);
}
