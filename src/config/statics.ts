/** What is held whatever the roles are, and that nothing of it, nor of the instances, is there twice. */
import type { InstanceParameters } from "../vrrp/parameters.ts";
import type { RouteParameters, RuleParameters, StaticParameters } from "../vrrp/routing-parameters.ts";
import { formatPlace, type Path } from "./problem.ts";
import type { Loose } from "./read.ts";
import type { Report } from "./report.ts";
import { resolveRoutes } from "./routes.ts";
import type { RoutingNames } from "./routing-names.ts";
import { resolveRules } from "./rules.ts";
import type { FileValues } from "./schema.ts";
import { identityOf, resolveList } from "./virtual-addresses.ts";

/** That of an address whose instance says nothing else. */
const lease = 5000;

/** Undefined when there is none. */
export function resolveStatics(
  file: Loose<FileValues>,
  names: RoutingNames,
  report: Report,
): StaticParameters | undefined {
  const { static_ipaddress: entries = [] } = file;
  for (const [i, entry] of entries.entries()) {
    if (entry === undefined || entry.dev !== undefined) continue;
    report.error(["static_ipaddress", i], "needs an interface: add dev and its name");
  }
  const addresses = resolveList(entries, { device: "" }, ["static_ipaddress"], report);
  const routes = resolveRoutes(file.static_routes, names, ["static_routes"], report);
  const rules = resolveRules(file.static_rules, names, ["static_rules"], report);
  if (addresses.length + routes.length + rules.length === 0) return undefined;
  return {
    addresses: addresses.map(({ address }) => address),
    routes: routes.map(({ route }) => route),
    rules: rules.map(({ rule }) => rule),
    lease,
  };
}

interface Thing {
  /** The same for two that cannot stand beside each other. */
  readonly key: string;
  readonly name: string;
  /** Everything that may differ although they cannot. */
  readonly whole: string;
  readonly holder: string;
  readonly path: Path;
}

export function checkHeldOnce(
  file: Loose<FileValues>,
  instances: readonly InstanceParameters[],
  statics: StaticParameters | undefined,
  report: Report,
): void {
  const place = (path: Path, key: string, given: readonly unknown[] | undefined, count: number) => (i: number) =>
    // Bad entries were left out: only a complete list still has the positions of the file.
    given?.length === count ? [...path, key, i] : [...path, key];
  const things: Thing[] = [];
  for (const { name, routes = [], rules = [], virtualAddresses, excludedAddresses } of instances) {
    const values = file.vrrp_instance?.[name];
    const path = ["vrrp_instance", name];
    const whole = `vrrp_instance.${name}`;
    const routeAt = place(path, "virtual_routes", values?.virtual_routes, routes.length);
    const ruleAt = place(path, "virtual_rules", values?.virtual_rules, rules.length);
    things.push(...routes.map((route, i) => routeThing(route, whole, routeAt(i))));
    things.push(...rules.map((rule, i) => ruleThing(rule, whole, ruleAt(i))));
    for (const address of [...virtualAddresses, ...excludedAddresses]) {
      things.push({ ...addressThing(identityOf(address), address.address, whole), path });
    }
  }
  const { addresses = [], routes = [], rules = [] } = statics ?? {};
  const addressAt = place([], "static_ipaddress", file.static_ipaddress, addresses.length);
  const routeAt = place([], "static_routes", file.static_routes, routes.length);
  const ruleAt = place([], "static_rules", file.static_rules, rules.length);
  things.push(
    ...addresses.map((address, i) => ({
      ...addressThing(identityOf(address), address.address, "static_ipaddress"),
      path: addressAt(i),
    })),
    ...routes.map((route, i) => routeThing(route, "static_routes", routeAt(i))),
    ...rules.map((rule, i) => ruleThing(rule, "static_rules", ruleAt(i))),
  );
  reportRepeated(things, report);
}

function reportRepeated(things: readonly Thing[], report: Report): void {
  const first = new Map<string, Thing>();
  for (const thing of things) {
    const earlier = first.get(thing.key);
    if (earlier === undefined) {
      first.set(thing.key, thing);
      continue;
    }
    // Virtual addresses among themselves are compared elsewhere.
    if (thing.key.startsWith("address") && thing.holder !== "static_ipaddress") continue;
    const where = formatPlace(report.placeOf(earlier.path));
    const message =
      thing.whole === earlier.whole
        ? `${thing.name} stands twice, first at ${where}: remove one`
        : `${thing.name} has the same prefix, table and metric as the one at ${where}, and the kernel keeps one of them: give it another metric`;
    report.error(thing.path, message);
  }
}

function addressThing(identity: string, address: string, holder: string): Omit<Thing, "path"> {
  return { key: `address ${identity}`, name: address, whole: "", holder };
}

function routeThing(route: RouteParameters, holder: string, path: Path): Thing {
  const { family, table, tos, metric, destination, prefixLength } = route;
  const key = `route ${family} ${table} ${tos} ${metric} ${destination}/${prefixLength}`;
  const prefix = prefixLength === 0 ? "default" : `${destination}/${prefixLength}`;
  return { key, name: prefix, whole: JSON.stringify(route), holder, path };
}

function ruleThing(rule: RuleParameters, holder: string, path: Path): Thing {
  const text = JSON.stringify(rule);
  return { key: `rule ${text}`, name: `the rule of priority ${rule.priority}`, whole: text, holder, path };
}
