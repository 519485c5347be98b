/** Where advertisements come from and go to: source addresses, multicast or unicast, peers. */
import type { InstanceParameters, UnicastPeer } from "../vrrp/parameters.ts";
import { parseAddress } from "../wire/address.ts";
import { familyOfText, isLinkLocalText, unusable } from "./addresses.ts";
import type { LooseInstance } from "./instance.ts";
import type { Path } from "./problem.ts";
import type { Report } from "./report.ts";
import type { ResolvedAddresses } from "./virtual-addresses.ts";

type Transport = Pick<InstanceParameters, "unicastPeers" | "unicastTtl"> & {
  readonly source4?: string;
  readonly source6?: string;
};

export function resolveTransport(
  values: LooseInstance,
  addresses: ResolvedAddresses,
  priority: number,
  path: Path,
  report: Report,
): Transport {
  const unicast = (values.unicast_peer?.length ?? 0) > 0;
  const key = unicast ? "unicast_src_ip" : "mcast_src_ip";
  const other = unicast ? "mcast_src_ip" : "unicast_src_ip";
  if (values[other] !== undefined) {
    const message = unicast
      ? "has no effect with unicast_peer: write unicast_src_ip"
      : "needs unicast_peer: write the peers, or mcast_src_ip for multicast";
    report.error([...path, other], message);
  }
  if (values.unicast_peer?.length === 0) {
    report.error([...path, "unicast_peer"], "expected at least one peer, got an empty list: remove it for multicast");
  }
  const sources = checkSources(values[key], addresses, { unicast, owner: priority === 255 }, [...path, key], report);
  const peers = unicast ? resolvePeers(values, addresses, sources, path, report) : [];
  checkTtl(values.unicast_ttl, unicast, path, report);
  const source4 = sources.find((source) => familyOfText(source) === 4);
  const source6 = sources.find((source) => familyOfText(source) === 6);
  return {
    ...(source4 === undefined ? {} : { source4 }),
    ...(source6 === undefined ? {} : { source6 }),
    unicastPeers: peers,
    unicastTtl: values.unicast_ttl ?? 255,
  };
}

function checkSources(
  given: readonly (string | undefined)[] | undefined,
  addresses: ResolvedAddresses,
  { unicast, owner }: { readonly unicast: boolean; readonly owner: boolean },
  path: Path,
  report: Report,
): string[] {
  const sources = (given ?? []).filter((source) => source !== undefined);
  if (given?.length === 0) report.error(path, "expected an address, got an empty list");
  const seen = new Set<number>();
  for (const [i, source] of (given ?? []).entries()) {
    if (source === undefined) continue;
    const at = (given?.length ?? 0) > 1 ? [...path, i] : path;
    const family = familyOfText(source);
    const reason = unusable(parseAddress(source) ?? new Uint8Array(4));
    if (reason !== undefined) {
      report.error(at, `${source} is ${reason}: no router can send from it`);
    } else if (seen.has(family)) {
      report.error(at, `a second IPv${family} address, ${source}: one for each family`);
    } else if (addresses.families.length > 0 && !addresses.families.includes(family)) {
      report.error(at, `${source} is IPv${family}, and virtual_ipaddress has no IPv${family} address`);
    } else if (!unicast && family === 6 && !isLinkLocalText(source)) {
      // RFC 9568 section 5.1.2.1: the link-local address of the interface.
      report.error(
        at,
        `the source of IPv6 multicast is a link-local address (RFC 9568 section 5.1.2.1), got ${source}`,
      );
    } else if (!owner && held(addresses, source)) {
      // An address that moves to the peer cannot tell the two routers apart (RFC 9568 section 6.4.3).
      report.error(at, `${source} is one of the virtual addresses: write the address that stays on this router`);
    }
    seen.add(family);
  }
  return sources;
}

function resolvePeers(
  values: LooseInstance,
  addresses: ResolvedAddresses,
  sources: readonly string[],
  path: Path,
  report: Report,
): UnicastPeer[] {
  const peers: UnicastPeer[] = [];
  const list = [...path, "unicast_peer"];
  for (const [i, entry] of (values.unicast_peer ?? []).entries()) {
    const at = [...list, i];
    const address = entry?.address;
    if (entry === undefined || address === undefined) continue;
    const { min_ttl, max_ttl } = { min_ttl: undefined, max_ttl: undefined, ...entry };
    const maxTtl = max_ttl ?? 255;
    const minTtl = min_ttl ?? Math.min(255, maxTtl);
    const family = familyOfText(address);
    const reason = unusable(parseAddress(address) ?? new Uint8Array(4));
    if (minTtl > maxTtl) report.error(at, `min_ttl ${minTtl} is above max_ttl ${maxTtl}: swap them`);
    if (reason !== undefined) report.error(at, `${address} is ${reason}: no router can be reached there`);
    if (sources.includes(address)) {
      report.error(at, `${address} is this router's own unicast_src_ip: list the other routers only`);
    }
    if (peers.some((peer) => peer.address === address)) report.error(at, `${address} stands twice: remove one`);
    if (addresses.families.length > 0 && !addresses.families.includes(family)) {
      report.error(at, `${address} is IPv${family}, and virtual_ipaddress has no IPv${family} address`);
    }
    if (held(addresses, address)) {
      report.error(at, `${address} is one of the virtual addresses: write the peer's own address`);
    }
    peers.push({ address, minTtl, maxTtl });
  }
  for (const family of addresses.families) {
    if (peers.length < (values.unicast_peer?.length ?? 0)) break;
    if (peers.some((peer) => familyOfText(peer.address) === family)) continue;
    report.error(
      list,
      `no IPv${family} peer, and virtual_ipaddress has IPv${family} addresses: add one, or give each family an instance of its own`,
    );
  }
  return peers;
}

function held({ advertised, excluded }: ResolvedAddresses, address: string): boolean {
  return [...advertised, ...excluded].some((virtual) => virtual.address === address);
}

function checkTtl(ttl: number | undefined, unicast: boolean, path: Path, report: Report): void {
  if (ttl === undefined) return;
  const where = [...path, "unicast_ttl"];
  if (!unicast && ttl < 255)
    report.warn(where, "has no effect without unicast_peer: multicast is always sent with 255");
  else if (ttl < 255)
    report.warn(where, `peers refuse a TTL below 255 unless they set min_ttl: ${ttl} or less for this router`);
}
