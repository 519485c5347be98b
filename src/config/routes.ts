/** Routes of the file as the router gets them: family found, names looked up, words checked against each other. */
import type { NextHopParameters, RouteParameters, RouteType } from "../vrrp/routing-parameters.ts";
import type { Family } from "../wire/address.ts";
import { parseAddress } from "../wire/address.ts";
import { familyOfText, isLinkLocalText, unusable } from "./addresses.ts";
import { complaintAbout } from "./phrase.ts";
import type { Path } from "./problem.ts";
import type { Loose } from "./read.ts";
import type { Report } from "./report.ts";
import type { HopEntry, RouteEntry } from "./route-entry.ts";
import { lookUp, type Names, type RoutingNames, scopeNames } from "./routing-names.ts";

export interface PlacedRoute {
  readonly route: RouteParameters;
  readonly at: Path;
}

/** The kernel's own: redirects and what it makes by itself. */
const firstProtocol = 3;
const ipv6Metric = 1024;
const smallestIpv6Mtu = 1280;
const mainTable = 254;
const scopeLink = 253;

export function resolveRoutes(
  entries: readonly (Loose<RouteEntry> | undefined)[] | undefined,
  names: RoutingNames,
  path: Path,
  report: Report,
): PlacedRoute[] {
  const placed: PlacedRoute[] = [];
  for (const [i, entry] of (entries ?? []).entries()) {
    const at = [...path, i];
    if (report.has(at)) continue;
    const route = entry && new Resolver(entry, names, at, report).resolve();
    if (route !== undefined) placed.push({ route, at });
  }
  return placed;
}

class Resolver {
  readonly #entry: Loose<RouteEntry>;
  readonly #names: RoutingNames;
  readonly #at: Path;
  readonly #report: Report;
  #bad = false;

  constructor(entry: Loose<RouteEntry>, names: RoutingNames, at: Path, report: Report) {
    this.#entry = entry;
    this.#names = names;
    this.#at = at;
    this.#report = report;
  }

  /** Undefined when anything is wrong: half a route would lead somewhere else. */
  resolve(): RouteParameters | undefined {
    const { to, type = "unicast", src, mtu, tos = 0 } = this.#entry;
    if (to?.prefixLength === undefined) return undefined;
    const family = this.#family();
    const hops = this.#hops(type, family);
    const protocol = this.#protocol();
    if (src !== undefined && familyOfText(src) !== family)
      this.#complain("src", `${src} is not IPv${family}, as the route is`);
    if (family === 6 && tos !== 0) this.#complain("tos", "is for IPv4 routes: remove it");
    if (tos % 4 !== 0) this.#complain("tos", `the two lowest bits are not part of it, got ${tos}`);
    if (family === 6 && mtu !== undefined && mtu < smallestIpv6Mtu) {
      this.#complain("mtu", `expected at least ${smallestIpv6Mtu} in IPv6, got ${mtu}`);
    }
    const route: RouteParameters = {
      family,
      type,
      destination: to.address ?? (family === 4 ? "0.0.0.0" : "::"),
      prefixLength: to.prefixLength,
      nextHops: hops,
      ...(src === undefined ? {} : { preferredSource: src }),
      table: this.#named("table", "routing table", this.#names.tables, 0xffffffff) ?? mainTable,
      metric: this.#metric(family),
      tos,
      scope: this.#scope(type, family, hops),
      ...(mtu === undefined ? {} : { mtu }),
      ...(protocol === undefined ? {} : { protocol }),
    };
    return this.#bad ? undefined : route;
  }

  /** As ip finds it: the first word that tells. */
  #family(): Family {
    const { to, family, src, via, nexthop } = this.#entry;
    const named = family === undefined ? undefined : family === "inet" ? 4 : 6;
    const own = to?.address === undefined ? undefined : familyOfText(to.address);
    if (named !== undefined && own !== undefined && named !== own) {
      this.#complain("family", `${to?.address} is not of the family ${family}: remove the word`);
    }
    const first = src ?? via ?? nexthop?.find((hop) => hop?.via !== undefined)?.via;
    return own ?? named ?? (first === undefined ? 4 : familyOfText(first));
  }

  #hops(type: RouteType, family: Family): NextHopParameters[] {
    const { via, dev, onlink, nexthop } = this.#entry;
    if (type !== "unicast") {
      const surplus = (["via", "dev", "onlink", "nexthop", "src", "mtu"] as const).find(
        (key) => this.#entry[key] !== undefined,
      );
      if (surplus !== undefined) this.#complain(surplus, `${type} leads nowhere: remove ${surplus}`);
      return [];
    }
    if (nexthop !== undefined) {
      const surplus = (["via", "dev", "onlink"] as const).find((key) => this.#entry[key] !== undefined);
      if (surplus !== undefined) this.#complain(surplus, `belongs behind each nexthop: remove it here`);
      if (nexthop.length === 0) this.#complain("nexthop", "expected at least one hop, got an empty list");
      return nexthop.flatMap((hop) => (hop === undefined ? [] : [this.#hop(hop, family)]));
    }
    if (via === undefined && dev === undefined) {
      this.#complain("to", "leads nowhere: add via and a router, dev and an interface, or begin with blackhole");
    }
    return [this.#hop({ via, dev, onlink }, family)];
  }

  #hop({ via, dev, weight = 1, onlink = false }: Loose<HopEntry>, family: Family): NextHopParameters {
    if (via !== undefined) {
      const reason = unusable(parseAddress(via) ?? new Uint8Array(4));
      if (reason !== undefined) this.#complain("via", `${via} is ${reason}: no router has it`);
      if (family === 6 && familyOfText(via) === 4) this.#complain("via", `${via} is IPv4, and the route is IPv6`);
      if (isLinkLocalText(via) && dev === undefined) {
        this.#complain(
          "via",
          `${via} is link-local, and every interface has such addresses: add dev and the interface`,
        );
      }
    }
    if (onlink && (via === undefined || dev === undefined)) this.#complain("onlink", "needs via and dev");
    return {
      ...(via === undefined ? {} : { gateway: via }),
      ...(dev === undefined ? {} : { device: dev }),
      weight,
      onlink,
    };
  }

  /** The kernel makes 1024 of an IPv6 route's 0. */
  #metric(family: Family): number {
    const { metric } = this.#entry;
    return family === 6 ? metric || ipv6Metric : (metric ?? 0);
  }

  /** As ip chooses it: a route without a router reaches no further than the link. */
  #scope(type: RouteType, family: Family, hops: readonly NextHopParameters[]): number {
    const given = this.#named("scope", "scope", scopeNames, 255);
    if (family === 6) {
      if ((given ?? 0) !== 0) this.#complain("scope", "is for IPv4 routes: remove it");
      return 0;
    }
    const direct = type === "unicast" && hops.length === 1 && hops[0]?.gateway === undefined;
    return given ?? (direct ? scopeLink : 0);
  }

  #protocol(): number | undefined {
    const protocol = this.#named("proto", "routing protocol", this.#names.protocols, 255);
    if (protocol !== undefined && protocol < firstProtocol) {
      this.#complain("proto", `${this.#entry.proto} is the kernel's own: choose another, or leave it out`);
    }
    return protocol;
  }

  #named(key: "table" | "scope" | "proto", what: string, names: Names, most: number): number | undefined {
    const value = this.#entry[key];
    if (typeof value !== "string") return value;
    const found = lookUp(what, value, names, most);
    if (typeof found === "number") return found;
    this.#complain(key, found);
    return undefined;
  }

  #complain(field: string, message: string): void {
    this.#bad = true;
    const { words } = this.#entry;
    if (words === undefined) this.#report.error([...this.#at, field], message);
    else this.#report.error(this.#at, complaintAbout(field, message, words));
  }
}
