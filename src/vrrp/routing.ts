/** What the keepers of routes and rules ask of their host. */
import type { Route } from "../netlink/route.ts";
import type { Rule } from "../netlink/rule.ts";
import type { Refusal } from "./host.ts";

/** A route or a rule as the kernel has it. */
export type KernelObject =
  | { readonly type: "route"; readonly route: Route }
  | { readonly type: "rule"; readonly rule: Rule };

export interface RoutingRequest {
  /** "replace" takes the place of another route; "add" does not. */
  readonly action: "add" | "replace" | "delete";
  readonly object: KernelObject;
  readonly done: (error?: Refusal) => void;
}

/** Where a route is listed, and what tells its message from most others. */
export type RoutePart = Pick<Route, "family" | "table" | "prefixLength" | "tos">;

/** Who wants to hear of a place. */
export interface Claimant {
  /** `port` is that of the netlink socket that asked for it; 0 or undefined when the kernel did it by itself. */
  changed(place: string, port: number | undefined): void;
  /** Whether it has put something there. */
  holds(place: string): boolean;
  /** For those that wait: a link or an address is another one now. */
  surroundingsChanged(): void;
}

/** A place is what the kernel takes for the same route or rule: see routePlace() and rulePlace(). */
export interface Routing {
  routesAt(place: string): readonly Route[];
  rulesAt(place: string): readonly Rule[];
  /** Rules have no part. */
  claim(place: string, claimant: Claimant, part: RoutePart | undefined): void;
  abandon(place: string, claimant: Claimant): void;
  isHeldElsewhere(place: string, claimant: Claimant): boolean;
  /** Whether changes of links and addresses are of interest. */
  waits(claimant: Claimant, isWaiting: boolean): void;
  /** Done when it returns; refusals of the kernel come later. */
  perform(requests: readonly RoutingRequest[]): void;
  /** The kernel says that something stands where nothing is known: look, and tell what is found. */
  lookAgain(): void;
}
