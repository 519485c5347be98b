/** From an instance's parameters to what one router of it needs: pure, and prepared once instead of for each packet. */
import {
  allVrrpRouters4,
  allVrrpRouters6,
  type Family,
  familyOf,
  type IpAddress,
  parseAddress,
} from "../wire/address.ts";
import type { InstanceParameters, VirtualAddress } from "./parameters.ts";
import type { Expectations } from "./reception.ts";
import type { RouterParameters } from "./router.ts";
import type { RouteParameters, RuleParameters } from "./routing-parameters.ts";
import { macDevice } from "./virtual-mac.ts";

/** What an instance tells its routers: its configuration with the effective priority, and its place among others. */
export interface RunningParameters extends InstanceParameters {
  /** They wait for others before they become active. */
  readonly coupled: boolean;
  /** The family whose router decides ties for all; null when that of another instance does. */
  readonly decidesTies: Family | null;
}

export function routerParameters(parameters: RunningParameters, family: Family, source: IpAddress): RouterParameters {
  const { version, priority, preempt, preemptDelay, coupled, decidesTies, maxLearnedInterval } = parameters;
  return {
    version,
    priority,
    interval: parameters.advertisementInterval,
    preempt,
    preemptDelay,
    address: source,
    coupled,
    decidesTies: family === decidesTies,
    yieldOnLowerPriority: parameters.yieldOnLowerPriority,
    ...(maxLearnedInterval === undefined ? {} : { maxLearnedInterval }),
  };
}

export function expectations(parameters: InstanceParameters, family: Family, source: IpAddress): Expectations {
  const { version, checksumReceive, firstLinkLocal, priority, ownerConflict, password } = parameters;
  return {
    family,
    version,
    checksum: checksumReceive,
    firstLinkLocal,
    group: family === 4 ? allVrrpRouters4 : allVrrpRouters6,
    peers: parameters.unicastPeers.flatMap(({ address, minTtl, maxTtl }) =>
      inFamily(address, family).map((bytes) => ({ address: bytes, minTtl, maxTtl })),
    ),
    ownAddress: source,
    owner: priority === 255,
    ownerConflict,
    ...(password === undefined ? {} : { password: zeroFilled(password) }),
    interval: parameters.advertisementInterval,
    addressBytes: Uint8Array.from(
      parameters.virtualAddresses.flatMap(({ address }) => inFamily(address, family).flatMap((bytes) => [...bytes])),
    ),
    checkAddressList: parameters.checkAddressList,
    trailer: parameters.authHmac !== undefined,
  };
}

/** Whether a change of parameters leaves the virtual router what it is; a family may come or go. */
export function isSameRouter(a: InstanceParameters, b: InstanceParameters): boolean {
  if (a.interface !== b.interface || a.vrid !== b.vrid || a.version !== b.version) return false;
  const common = a.families.filter((family) => b.families.includes(family));
  return common.every((family) => macDevice(a, family)?.name === macDevice(b, family)?.name);
}

/** The addresses that one family's router holds. An excluded one of a family without a router goes to the first. */
export function addressesOfFamily(
  parameters: InstanceParameters,
  family: Family,
): { readonly addresses: readonly VirtualAddress[]; readonly advertised: number } {
  const own = parameters.virtualAddresses.filter(({ address }) => familyOfText(address) === family);
  const excluded = parameters.excludedAddresses.filter(({ address }) => {
    const its = familyOfText(address);
    return parameters.families.includes(its) ? its === family : family === parameters.families[0];
  });
  return { addresses: [...own, ...excluded], advertised: own.length };
}

function familyOfText(address: string): Family {
  return address.includes(":") ? 6 : 4;
}

function inFamily(text: string, family: Family): IpAddress[] {
  const bytes = parseAddress(text);
  return bytes !== undefined && familyOf(bytes) === family ? [bytes] : [];
}

/** RFC 2338 section 5.3.10: eight bytes, filled up with zeros. */
function zeroFilled(password: string): Uint8Array {
  const bytes = new Uint8Array(8);
  bytes.set(new TextEncoder().encode(password).subarray(0, 8));
  return bytes;
}

/** The routes and rules that go with one family's router. Those of a family without a router go with the first. */
export function routingOfFamily(
  { routes = [], rules = [], families }: InstanceParameters,
  family: Family,
): { readonly routes: readonly RouteParameters[]; readonly rules: readonly RuleParameters[] } {
  const goesWith = (its: Family) => (families.includes(its) ? its : families[0]) === family;
  return {
    routes: routes.filter((route) => goesWith(route.family)),
    rules: rules.filter((rule) => goesWith(rule.family)),
  };
}
