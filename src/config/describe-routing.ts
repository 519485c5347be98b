/** Routes and rules in the keys of the file. */
import type { PrefixParameters, RouteParameters, RuleParameters } from "../vrrp/routing-parameters.ts";

type Described = Readonly<Record<string, unknown>>;

export function describeRoute(route: RouteParameters): Described {
  const { type, nextHops, preferredSource, table, metric, tos, scope, mtu, protocol } = route;
  const [hop] = nextHops;
  const one = nextHops.length === 1 && hop !== undefined && hop.weight === 1 ? hop : undefined;
  const several = one === undefined && nextHops.length > 0;
  return present({
    to: `${route.destination}/${route.prefixLength}`,
    type,
    via: one?.gateway,
    dev: one?.device,
    onlink: one?.onlink === true ? true : undefined,
    src: preferredSource,
    table,
    metric,
    scope: route.family === 4 ? scope : undefined,
    mtu,
    proto: protocol,
    tos: tos === 0 ? undefined : tos,
    nexthop: several
      ? nextHops.map(({ gateway, device, weight, onlink }) => present({ via: gateway, dev: device, weight, onlink }))
      : undefined,
  });
}

export function describeRule(rule: RuleParameters): Described {
  const { priority, family, mark, action, tos } = rule;
  return present({
    priority,
    family: family === 4 ? "inet" : "inet6",
    not: rule.not ? true : undefined,
    from: describePrefix(rule.from),
    to: describePrefix(rule.to),
    fwmark: mark === undefined ? undefined : `${mark.value}/0x${mark.mask.toString(16)}`,
    iif: rule.inputInterface,
    oif: rule.outputInterface,
    tos: tos === 0 ? undefined : tos,
    table: action === "table" ? rule.table : undefined,
    type: action === "table" || action === "goto" ? undefined : action,
    goto: rule.target,
    suppress_prefixlength: rule.suppressPrefixLength,
  });
}

function describePrefix(prefix: PrefixParameters | undefined): string | undefined {
  return prefix === undefined ? undefined : `${prefix.address}/${prefix.prefixLength}`;
}

function present(values: Described): Described {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
