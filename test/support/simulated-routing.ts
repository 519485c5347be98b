/** Routes and rules of a simulated node: its kernel's tables, which survive its processes, and a process's view of them. */
import type { AddressEntry } from "../../src/netlink/address.ts";
import { RTN_UNICAST } from "../../src/netlink/constants.ts";
import type { Link } from "../../src/netlink/link.ts";
import type { Route } from "../../src/netlink/route.ts";
import type { Rule } from "../../src/netlink/rule.ts";
import { routePlace, rulePlace } from "../../src/netlink/subjects.ts";
import { Claims } from "../../src/vrrp/claims.ts";
import { isSameRoute } from "../../src/vrrp/route-entry.ts";
import type { Claimant, RoutePart, Routing, RoutingRequest } from "../../src/vrrp/routing.ts";
import { equalAddresses } from "../../src/wire/address.ts";

interface Surroundings {
  readonly links: ReadonlyMap<number, Link>;
  addressesOn(index: number): readonly AddressEntry[];
}

/** What the kernel does by itself has port 0. */
const kernel = 0;

export class SimulatedTables {
  routes: Route[] = [];
  rules: Rule[] = [];
  /** Requests that the kernel got, in order, as text: for tests of what is touched. */
  readonly asked: string[] = [];
  onChange: (place: string, port: number) => void = () => {};
  readonly #around: Surroundings;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  /** The errno's name when it refuses. */
  addRoute(route: Route, replace: boolean, port: number): string | undefined {
    const place = routePlace(route);
    const there = this.routes.filter((other) => routePlace(other) === place);
    if (there.length > 0 && !replace) return "EEXIST";
    const refusal = this.#refusal(route);
    if (refusal !== undefined) return refusal;
    this.routes = [...this.routes.filter((other) => other !== there[0]), route];
    this.onChange(place, port);
    return undefined;
  }

  deleteRoute(route: Route, port: number): string | undefined {
    const found = this.routes.find(
      (other) =>
        routePlace(other) === routePlace(route) && isSameRoute(route, other) && other.protocol === route.protocol,
    );
    if (found === undefined) return "ESRCH";
    this.#drop([found], port);
    return undefined;
  }

  addRule(rule: Rule, port: number): string | undefined {
    if (this.#find(rule) !== undefined) return "EEXIST";
    this.rules = [...this.rules, rule];
    this.onChange(rulePlace(rule), port);
    return undefined;
  }

  deleteRule(rule: Rule, port: number): string | undefined {
    const found = this.#find(rule);
    if (found === undefined) return "ENOENT";
    this.rules = this.rules.filter((other) => other !== found);
    this.onChange(rulePlace(rule), port);
    return undefined;
  }

  /** As `ip route flush table`. */
  flush(table: number, port: number): void {
    this.#drop(
      this.routes.filter((route) => route.table === table),
      port,
    );
  }

  linkChanged(): void {
    const usable = ({ index }: { readonly index: number }) => index === 0 || this.#around.links.get(index)?.up === true;
    this.#drop(
      this.routes.filter(({ nextHops }) => !nextHops.every(usable)),
      kernel,
    );
  }

  addressRemoved({ address }: AddressEntry): void {
    const uses = ({ preferredSource }: Route) =>
      preferredSource !== undefined && equalAddresses(preferredSource, address) && !this.#has(address);
    this.#drop(this.routes.filter(uses), kernel);
  }

  #has(address: Uint8Array): boolean {
    return [...this.#around.links.keys()].some((index) =>
      this.#around.addressesOn(index).some((entry) => equalAddresses(entry.address, address)),
    );
  }

  #find(rule: Rule): Rule | undefined {
    return this.rules.find((other) => rulePlace(other) === rulePlace(rule) && other.protocol === rule.protocol);
  }

  #refusal(route: Route): string | undefined {
    if (route.type !== RTN_UNICAST) return undefined;
    if (route.preferredSource !== undefined && !this.#has(route.preferredSource)) return "EINVAL";
    for (const { index, gateway, onlink } of route.nextHops) {
      const links = index === 0 ? [...this.#around.links.values()] : [this.#around.links.get(index)];
      const up = links.filter((link) => link?.up === true);
      if (up.length === 0) return "ENETDOWN";
      const reachable = up.some((link) => this.#around.addressesOn(link?.index ?? 0).some((e) => covers(e, gateway)));
      if (gateway !== undefined && !onlink && !reachable) return "ENETUNREACH";
    }
    return undefined;
  }

  #drop(routes: readonly Route[], port: number): void {
    this.routes = this.routes.filter((route) => !routes.includes(route));
    for (const route of routes) this.onChange(routePlace(route), port);
  }
}

function covers({ address, prefixLength }: AddressEntry, gateway: Uint8Array | undefined): boolean {
  const bytes = prefixLength >> 3;
  return gateway?.length === address.length && address.subarray(0, bytes).every((byte, i) => byte === gateway[i]);
}

/** Netlink port of the simulated process. */
export const ownPort = 4242;

export class SimulatedRouting implements Routing {
  readonly #tables: SimulatedTables;
  readonly #later: (work: () => void) => void;
  readonly #claims = new Claims();

  constructor(tables: SimulatedTables, later: (work: () => void) => void) {
    this.#tables = tables;
    this.#later = later;
    tables.onChange = (place, port) => later(() => this.#claims.tell(place, port));
  }

  routesAt(place: string): readonly Route[] {
    return this.#tables.routes.filter((route) => this.#claims.has(place) && routePlace(route) === place);
  }

  rulesAt(place: string): readonly Rule[] {
    return this.#tables.rules.filter((rule) => rulePlace(rule) === place);
  }

  claim(place: string, claimant: Claimant, part: RoutePart | undefined): void {
    this.#claims.add(place, claimant, part);
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

  surroundingsChanged(): void {
    this.#claims.tellWaiting();
  }

  perform(requests: readonly RoutingRequest[]): void {
    for (const { action, object, done } of requests) {
      const place = object.type === "route" ? object.route.destination.join(".") : `rule ${object.rule.priority}`;
      this.#tables.asked.push(`${action} ${place}`);
      const code = this.#obey({ action, object, done });
      this.#later(() => done(code === undefined ? undefined : { code, message: `${action} ${place}: ${code}` }));
    }
  }

  lookAgain(): void {
    for (const route of this.#tables.routes) this.#later(() => this.#claims.tell(routePlace(route), undefined));
  }

  #obey({ action, object }: RoutingRequest): string | undefined {
    if (object.type === "rule") {
      return action === "delete"
        ? this.#tables.deleteRule(object.rule, ownPort)
        : this.#tables.addRule(object.rule, ownPort);
    }
    if (action === "delete") return this.#tables.deleteRoute(object.route, ownPort);
    return this.#tables.addRoute(object.route, action === "replace", ownPort);
  }
}
