/** One `vrrp_instance`: defaults filled in, keys checked against each other. */
import type { AnnounceParameters, InstanceParameters, Milliseconds, VrrpVersion } from "../vrrp/parameters.ts";
import { type KeyFiles, resolveAuthHmac } from "./auth-hmac.ts";
import { formatDuration } from "./duration.ts";
import { failoverTimes } from "./failover.ts";
import type { Path } from "./problem.ts";
import type { Loose } from "./read.ts";
import type { Report } from "./report.ts";
import { resolveRoutes } from "./routes.ts";
import type { RoutingNames } from "./routing-names.ts";
import { resolveRules } from "./rules.ts";
import type { InstanceValues } from "./schema.ts";
import { resolveTracking } from "./tracking.ts";
import { resolveTransport } from "./transport.ts";
import { resolveAddresses } from "./virtual-addresses.ts";
import { resolveVirtualMac } from "./virtual-mac.ts";

export interface InstanceDefaults {
  readonly version: VrrpVersion;
  readonly announce: AnnounceParameters;
  /** The VRRP process runs in the real-time class. */
  readonly realtime: boolean;
  readonly keyFiles: KeyFiles;
  readonly names: RoutingNames;
  /** Names of all health checks. */
  readonly checks: ReadonlySet<string>;
}

export type LooseInstance = Loose<InstanceValues>;

const longestInterval = 40_950;

/** Undefined when a required key is missing or bad; other problems are in the report. */
export function resolveInstance(
  name: string,
  values: LooseInstance,
  defaults: InstanceDefaults,
  report: Report,
): InstanceParameters | undefined {
  const path: Path = ["vrrp_instance", name];
  const version = values.version ?? defaults.version;
  const priority = values.priority ?? 100;
  const advertisementInterval = values.advert_int ?? 1000;
  checkInterval(advertisementInterval, version, defaults, path, report);
  const preempt = resolvePreempt(values, priority, path, report);
  const password = resolvePassword(values, version, path, report);
  const authHmac =
    values.auth_hmac &&
    resolveAuthHmac(
      values.auth_hmac,
      { version, interval: advertisementInterval, password: values.authentication !== undefined },
      defaults.keyFiles,
      [...path, "auth_hmac"],
      report,
    );
  checkVersionKeys(values, version, priority, path, report);
  checkLearned(values.max_learned_interval, advertisementInterval, version, path, report);

  const device = values.interface;
  const addresses = resolveAddresses(values, device ?? "", version, path, report);
  const transport = resolveTransport(values, addresses, priority, path, report);
  const virtualMac = resolveVirtualMac(values, addresses.macDevices, path, report);
  const routes = resolveRoutes(values.virtual_routes, defaults.names, [...path, "virtual_routes"], report);
  const rules = resolveRules(values.virtual_rules, defaults.names, [...path, "virtual_rules"], report);
  const tracks = { checks: defaults.checks, ownInterface: device, owner: priority === 255 };
  const tracking = resolveTracking(values, tracks, path, report);
  if (values.yield_on_lower_priority === true && priority === 255) {
    report.warn([...path, "yield_on_lower_priority"], "has no effect with priority 255: the address owner keeps it");
  }
  const timing = { version, priority, advertisementInterval };
  const lease = resolveLease(values.lease ?? true, timing);

  if (device === undefined || values.virtual_router_id === undefined) return undefined;
  return {
    name,
    interface: device,
    vrid: values.virtual_router_id,
    version,
    families: addresses.families,
    priority,
    advertisementInterval,
    preempt,
    preemptDelay: values.preempt_delay ?? 0,
    virtualAddresses: addresses.advertised,
    excludedAddresses: addresses.excluded,
    ...(routes.length === 0 ? {} : { routes: routes.map(({ route }) => route) }),
    ...(rules.length === 0 ? {} : { rules: rules.map(({ rule }) => rule) }),
    ...(values.on_removal === undefined || values.on_removal === "repair" ? {} : { onRemoval: values.on_removal }),
    ...(password === undefined ? {} : { password }),
    ...(authHmac === undefined ? {} : { authHmac }),
    ...transport,
    accept: values.accept ?? true,
    ...(virtualMac === undefined ? {} : { virtualMac }),
    checksumSend: values.v3_checksum ?? "auto",
    checksumReceive: values.v3_checksum_receive ?? "either",
    firstLinkLocal: values.first_link_local ?? "strict",
    // RFC 3768 section 7.1 discards; RFC 9568 erratum 8298 lets two owners find out about each other.
    ownerConflict: (values.owner_ignore_adverts ?? version === 2) ? "discard" : "process",
    checkAddressList: values.check_adv_addr ?? false,
    ...(values.max_learned_interval === undefined ? {} : { maxLearnedInterval: values.max_learned_interval }),
    announce: resolveAnnounce(values, defaults.announce),
    ...(lease === undefined ? {} : { lease }),
    ...tracking,
    yieldOnLowerPriority: priority !== 255 && (values.yield_on_lower_priority ?? false),
  };
}

function checkInterval(
  interval: Milliseconds,
  version: VrrpVersion,
  defaults: InstanceDefaults,
  path: Path,
  report: Report,
): void {
  const where = [...path, "advert_int"];
  const written = formatDuration(interval);
  // The packet carries whole seconds (RFC 3768 section 5.3.7), or centiseconds in 12 bits (RFC 9568 section 5.2.7).
  // A rounded interval would not be the one asked for.
  if (version === 2) {
    if (interval % 1000 === 0) return;
    const near = formatDuration(Math.max(1000, Math.round(interval / 1000) * 1000));
    const advice = `write ${near}, or version: 3 on every router of the group`;
    report.error(where, `VRRP version 2 sends whole seconds, got ${written}: ${advice}`);
  } else if (interval > longestInterval) {
    const most = formatDuration(longestInterval);
    report.error(
      where,
      `expected a duration from 10ms to ${most} in VRRP version 3, got ${written}: write ${most} or less`,
    );
  } else if (interval % 10 !== 0) {
    const near = formatDuration(Math.max(10, Math.round(interval / 10) * 10));
    report.error(where, `VRRP version 3 counts in steps of 10ms, got ${written}: write ${near}`);
  } else if (interval < 100 && !defaults.realtime) {
    const advice = "set global.vrrp_rt_priority";
    report.warn(where, `${written} leaves a busy host ${formatDuration(3 * interval)} before a takeover: ${advice}`);
  }
}

function resolvePreempt(values: LooseInstance, priority: number, path: Path, report: Report): boolean {
  if (values.preempt !== undefined && values.nopreempt !== undefined) {
    report.error([...path, "nopreempt"], `preempt is given too: keep one of them, preempt: ${!values.nopreempt}`);
  }
  const preempt = values.preempt ?? !(values.nopreempt ?? false);
  if (!preempt && (values.preempt_delay ?? 0) > 0) {
    report.error(
      [...path, "preempt_delay"],
      "delays a preemption that is switched off: remove it, or set preempt: true",
    );
  }
  if (!preempt && priority === 255) {
    const key = values.preempt === undefined ? "nopreempt" : "preempt";
    report.warn([...path, key], "has no effect with priority 255: the address owner always takes over");
  }
  return preempt;
}

function resolvePassword(values: LooseInstance, version: VrrpVersion, path: Path, report: Report): string | undefined {
  if (values.authentication === undefined) return undefined;
  if (version === 3) {
    report.error(
      [...path, "authentication"],
      "VRRP version 3 has no authentication (RFC 9568 section 9): remove it, use auth_hmac, or set version: 2 on every router of the group",
    );
    return undefined;
  }
  return values.authentication.auth_pass;
}

/** Keys of the other version do nothing, and whoever wrote them thinks they do. */
function checkVersionKeys(
  values: LooseInstance,
  version: VrrpVersion,
  priority: number,
  path: Path,
  report: Report,
): void {
  const only3 = ["v3_checksum", "v3_checksum_receive", "first_link_local", "max_learned_interval"] as const;
  for (const key of version === 2 ? only3 : (["check_adv_addr"] as const)) {
    if (values[key] !== undefined && values[key] !== false) {
      report.warn([...path, key], `has no effect in VRRP version ${version}`);
    }
  }
  if (values.accept === false && priority === 255) {
    report.warn(
      [...path, "accept"],
      "has no effect with priority 255: the owner of the addresses accepts packets to them",
    );
  }
  if (values.owner_ignore_adverts !== undefined && priority !== 255) {
    report.warn([...path, "owner_ignore_adverts"], "has no effect unless priority is 255");
  }
}

function checkLearned(
  cap: Milliseconds | undefined,
  interval: Milliseconds,
  version: VrrpVersion,
  path: Path,
  report: Report,
): void {
  if (cap === undefined || version === 2 || cap >= interval) return;
  report.error(
    [...path, "max_learned_interval"],
    `expected at least advert_int (${formatDuration(interval)}), got ${formatDuration(cap)}: the routers of a group use the same interval`,
  );
}

function resolveAnnounce(values: LooseInstance, defaults: AnnounceParameters): AnnounceParameters {
  return {
    repeat: values.garp_master_repeat ?? defaults.repeat,
    delay: values.garp_master_delay ?? defaults.delay,
    delayRepeat: values.garp_master_delay_repeat ?? defaults.delayRepeat,
    refresh: values.garp_master_refresh ?? defaults.refresh,
    refreshRepeat: values.garp_master_refresh_repeat ?? defaults.refreshRepeat,
    interval: values.garp_interval ?? defaults.interval,
    lowerPriorityRepeat: values.garp_lower_prio_repeat ?? defaults.lowerPriorityRepeat,
  };
}

function resolveLease(
  lease: boolean | number,
  timing: { readonly version: VrrpVersion; readonly priority: number; readonly advertisementInterval: Milliseconds },
): Milliseconds | undefined {
  if (lease === false) return undefined;
  // The kernel counts lifetimes in whole seconds.
  return lease === true ? Math.max(5000, Math.ceil(failoverTimes(timing).crash / 1000) * 1000) : lease;
}
