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
import { findRoutingLeftOvers } from "./routing-plan.ts";

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

  /** Removes what an earlier run left, less `kept`; `configured` is what the instances may hold. Never rejects. */
  async start(kept: readonly KernelObject[], configured: readonly KernelObject[]): Promise<void> {
    this.#started = true;
    try {
      if (this.#claims.size > 0) await this.#open().ready;
      const marked = await listRoutes(this.#connection, { protocol: routingOwner });
      const rules = await listRules(this.#connection);
      const others = (this.#watch?.routes() ?? []).filter(({ protocol }) => protocol !== routingOwner);
      const found = findRoutingLeftOvers([...marked, ...others], rules, kept, configured);
      for (const object of found) this.#log("warn", `removing left-over ${describe(object)}`);
      this.perform(
        found.map((object) => ({ action: "delete", object, done: (error) => this.#report(error?.message) })),
      );
    } catch (error) {
      // Failing over matters more than routes.
      this.#report(error instanceof Error ? error.message : String(error));
    }
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
      this.#watch?.readRoutesAgain();
    });
  }

  #open(): Watch {
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
        // What was there at first is no change; a keeper that asked too early has to look again.
        for (const place of this.#claims.places()) this.#claims.tell(place, undefined);
      },
      (error: unknown) => {
        if (this.#watch === watch) this.#report(error instanceof Error ? error.message : String(error));
      },
    );
    return watch;
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
