/** Configured routes and rules under one face, for the keeper of both. */
import type { Route } from "../netlink/route.ts";
import type { Host } from "./host.ts";
import { describeStranger, isSameRoute, routeText, toRoute } from "./route-entry.ts";
import type { KernelObject, RoutePart } from "./routing.ts";
import type { RouteParameters, RuleParameters } from "./routing-parameters.ts";
import { placeOf, type Standing, standingOfRoute, standingOfRule } from "./routing-plan.ts";
import { ruleText, toRule } from "./rule-entry.ts";

export interface Thing {
  readonly kind: "route" | "rule";
  /** In the words of ip. */
  readonly text: string;
  readonly place: string;
  readonly part: RoutePart | undefined;
  /** Everything that was configured. */
  readonly identity: string;
  /** With the interfaces of this moment; or the name of the one that does not exist. */
  object(host: Pick<Host, "linkByName">): KernelObject | string;
}

export function routeThing(parameters: RouteParameters): Thing {
  const { family, table, prefixLength, tos } = parameters;
  // A place says nothing of interfaces.
  const route = toRoute(parameters, () => 0);
  if (typeof route === "string") throw new Error(`no index for ${route}`);
  return {
    kind: "route",
    text: routeText(parameters),
    place: placeOf({ type: "route", route }),
    part: { family, table, prefixLength, tos },
    identity: JSON.stringify(parameters),
    object: (host) => {
      const built = toRoute(parameters, (name) => host.linkByName(name)?.index);
      return typeof built === "string" ? built : { type: "route", route: built };
    },
  };
}

export function ruleThing(parameters: RuleParameters): Thing {
  const object = { type: "rule", rule: toRule(parameters) } as const;
  return {
    kind: "rule",
    text: ruleText(parameters),
    place: placeOf(object),
    part: undefined,
    identity: JSON.stringify(parameters),
    object: () => object,
  };
}

export function standingOf({ routing }: Pick<Host, "routing">, object: KernelObject): Standing {
  const place = placeOf(object);
  return object.type === "route"
    ? standingOfRoute(object.route, routing.routesAt(place))
    : standingOfRule(object.rule, routing.rulesAt(place));
}

/** Whether a route that stands at the place of ours was put there by us, as its number says. */
export function isOurs(route: Route, object: KernelObject): boolean {
  return object.type === "route" && route.protocol === object.route.protocol;
}

/** Routes of ours at the place of this one that somebody changed. */
export function alteredOf({ routing }: Pick<Host, "routing">, object: KernelObject): KernelObject[] {
  if (object.type === "rule") return [];
  const there = routing.routesAt(placeOf(object));
  const altered = there.filter((route) => isOurs(route, object) && !isSameRoute(object.route, route));
  return altered.map((route) => ({ type: "route", route }));
}

/** What became of something of ours, as far as the kernel tells. */
export function describeLoss(standing: Standing, port: number | undefined): string {
  const who = port === undefined || port === 0 ? "" : ` (netlink port ${port})`;
  switch (standing.state) {
    case "foreign":
    case "taken":
      return `was replaced by ${describeStranger(standing.by)}${who}`;
    case "absent":
    case "present":
      return who === ""
        ? "was removed by the kernel, with an interface or address"
        : `was removed by somebody else${who}`;
  }
}
