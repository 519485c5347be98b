/**
 * Routes and rules of the real kernel. Their events are heard only while somebody has claimed a place: on a host whose
 * routes come and go by the thousand, instances without routes have no part in it. Of the routes only those at claimed
 * places are kept.
 */
import type { Change } from "../netlink/change.ts";
import type { Connection, NetlinkError, Request } from "../netlink/connection.ts";
import {
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  RTM_DELROUTE,
  RTM_DELRULE,
  RTM_NEWROUTE,
  RTM_NEWRULE,
} from "../netlink/constants.ts";
import { encodeDeleteRoute, encodeNewRoute, type Route } from "../netlink/route.ts";
import { describeRoute, listRoutes } from "../netlink/route-requests.ts";
import { describeRule, encodeRule, listRules, type Rule } from "../netlink/rule.ts";
import { routePlace, rulePlace } from "../netlink/subjects.ts";
import { Watch } from "../netlink/watch.ts";
import { Claims } from "./claims.ts";
import type { LogLevel } from "./host.ts";
import { routingOwner } from "./route-entry.ts";
import type { Claimant, KernelObject, RoutePart, Routing, RoutingRequest } from "./routing.ts";
import { findRoutingLeftOvers, placeOf } from "./routing-plan.ts";

const flags = { add: NLM_F_CREATE | NLM_F_EXCL, replace: NLM_F_CREATE | NLM_F_REPLACE, delete: 0 } as const;

export class KernelRouting implements Routing {
  readonly #connection: Connection;
  readonly #log: (level: LogLevel, message: string) => void;
  readonly #claims = new Claims();
  #watch: Watch | undefined;
  #started = false;
  #lookingAgain = false;

  constructor(connection: Connection, log: (level: LogLevel, message: string) => void) {
    this.#connection = connection;
    this.#log = log;
  }

  /**
   * Removes what an earlier run left, less `kept`; `configured` is what the instances may hold. What is marked is gone
   * when it resolves. What is not is found when the tables have been read, which nothing waits for: with a million
   * routes of others that takes a second. Never rejects.
   */
  async start(kept: readonly KernelObject[], configured: readonly KernelObject[]): Promise<void> {
    this.#started = true;
    try {
      const marked = await listRoutes(this.#connection, { protocol: routingOwner });
      this.#removeLeftOvers(findRoutingLeftOvers(marked, await listRules(this.#connection), kept, []));
    } catch (error) {
      // Failing over matters more than routes.
      this.#report(error instanceof Error ? error.message : String(error));
    }
    if (this.#claims.size === 0) return;
    this.#open(() => {
      const unmarked = (this.#watch?.routes() ?? []).filter(({ protocol }) => protocol !== routingOwner);
      const found = findRoutingLeftOvers(unmarked, [], kept, configured);
      this.#removeLeftOvers(found.filter((object) => !this.#claims.isHeldElsewhere(placeOf(object), undefined)));
    });
  }

  /** The keepers hear of nothing any more. */
  close(): void {
    this.#watch?.close();
    this.#watch = undefined;
    this.#started = false;
  }

  routesAt(place: string): readonly Route[] {
    return this.#watch?.routesAt(place) ?? [];
  }

  rulesAt(place: string): readonly Rule[] {
    return this.#watch?.rulesAt(place) ?? [];
  }

  claim(place: string, claimant: Claimant, part: RoutePart | undefined): void {
    const isNew = this.#claims.add(place, claimant, part);
    if (!this.#started || !isNew) return;
    if (this.#watch === undefined) this.#open();
    else if (part !== undefined) this.lookAgain();
  }

  abandon(place: string, claimant: Claimant): void {
    this.#claims.remove(place, claimant);
  }

  isHeldElsewhere(place: string, claimant: Claimant): boolean {
    return this.#claims.isHeldElsewhere(place, claimant);
  }

  waits(claimant: Claimant, isWaiting: boolean): void {
    this.#claims.waits(claimant, isWaiting);
  }

  /** A link or an address is another one now. */
  surroundingsChanged(): void {
    this.#claims.tellWaiting();
  }

  perform(requests: readonly RoutingRequest[]): void {
    this.#connection.postMany(requests.map(toRequest));
  }

  /** Once for everything that asks in one turn. */
  lookAgain(): void {
    if (this.#lookingAgain) return;
    this.#lookingAgain = true;
    queueMicrotask(() => {
      this.#lookingAgain = false;
      if (this.#watch !== undefined) this.#watch.readRoutesAgain();
      else if (this.#started) this.#open();
    });
  }

  #removeLeftOvers(found: readonly KernelObject[]): void {
    for (const object of found) this.#log("warn", `removing left-over ${describe(object)}`);
    this.perform(found.map((object) => ({ action: "delete", object, done: (error) => this.#report(error?.message) })));
  }

  #open(isRead: () => void = () => {}): void {
    try {
      const watch = Watch.open({
        routes: {
          tables: () => this.#claims.filters(),
          wanted: (route) => this.#claims.has(routePlace(route)),
          concerns: (shape) => this.#claims.concerns(shape),
        },
        rules: true,
        connection: this.#connection,
        onChange: (change) => this.#changed(change),
        onResync: (reason) => this.#log("warn", `netlink: ${reason}; reading routes and rules again`),
      });
      this.#watch = watch;
      watch.ready.then(
        () => {
          isRead();
          // What was there at first is no change; a keeper that asked too early has to look again.
          for (const place of this.#claims.places()) this.#claims.tell(place, undefined);
        },
        (error: unknown) => this.#failed(watch, error),
      );
    } catch (error) {
      this.#report(error instanceof Error ? error.message : String(error));
    }
  }

  /** Without it nothing is repaired: whoever misses something next opens another. */
  #failed(watch: Watch, error: unknown): void {
    if (this.#watch !== watch) return;
    this.#watch = undefined;
    this.#report(error instanceof Error ? error.message : String(error));
  }

  #changed(change: Change): void {
    if (change.object === "route") this.#claims.tell(routePlace(change.route), change.port);
    if (change.object === "rule") this.#claims.tell(rulePlace(change.rule), change.port);
  }

  #report(message: string | undefined): void {
    if (message !== undefined) this.#log("error", message);
  }
}

function toRequest({ action, object, done }: RoutingRequest): Request {
  const adds = action !== "delete";
  const common = {
    operation: () => `${action} ${describe(object)}`,
    flags: flags[action],
    done: (error?: NetlinkError) => done(error),
  };
  if (object.type === "rule") {
    // A rule is never another one at the same place.
    const rule = { ...common, flags: adds ? flags.add : 0 };
    return { ...rule, type: adds ? RTM_NEWRULE : RTM_DELRULE, body: encodeRule(object.rule) };
  }
  const body = adds ? encodeNewRoute(object.route) : encodeDeleteRoute(object.route);
  return { ...common, type: adds ? RTM_NEWROUTE : RTM_DELROUTE, body };
}

function describe(object: KernelObject): string {
  return object.type === "route" ? describeRoute(object.route) : describeRule(object.rule);
}
