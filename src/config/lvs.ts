/** Load balancing as a whole: all virtual servers, what `global` says about them, the checks and commands they bring. */

import type { z } from "zod";
import type { CheckParameters } from "../healthchecks/parameters.ts";
import type { LvsParameters, SyncDaemonParameters } from "../lvs/parameters.ts";
import type { InstanceParameters } from "../vrrp/parameters.ts";
import { isMulticast, parseAddress } from "../wire/address.ts";
import type { ScriptDefaults } from "./check-schema.ts";
import { checkAcrossServers, checkHolders, checkUnusedGroups, suspendingInstance } from "./lvs-across.ts";
import { type lvsGlobalKeys, type syncDaemonBlock, sysctlProfile } from "./lvs-global-schema.ts";
import { resolveLvsNotify, type VirtualServerNotify } from "./lvs-notify.ts";
import { checkVirtualServer } from "./lvs-rules.ts";
import type { Path } from "./problem.ts";
import type { Loose } from "./read.ts";
import type { LooseVirtualServer } from "./real-servers.ts";
import type { Report } from "./report.ts";
import { ServerChecks } from "./server-checks.ts";
import type { GroupValues } from "./service-addresses.ts";
import { nearest } from "./suggest.ts";
import { ProbeMarks, probesOf } from "./via-vip.ts";
import { type ResolvedVirtualServer, resolveVirtualServer } from "./virtual-server.ts";

export interface LvsValues {
  readonly global: Loose<z.output<z.ZodObject<typeof lvsGlobalKeys>>>;
  readonly virtualServers: Readonly<Record<string, LooseVirtualServer | undefined>>;
  readonly groups: GroupValues;
}

/** Names are all that are written, those with mistakes included: a reference to one is no mistake of its own. */
export interface LvsRules {
  readonly groupNames: ReadonlySet<string>;
  readonly instanceNames: ReadonlySet<string>;
  readonly instances: readonly InstanceParameters[];
  /** Addresses held whatever the roles are. */
  readonly statics: readonly { readonly address: string }[];
  readonly checkNames: ReadonlySet<string>;
  readonly checks: readonly CheckParameters[];
  readonly scripts: ScriptDefaults;
}

export interface ResolvedLvs {
  /** Undefined when the file has nothing of it. */
  readonly lvs: LvsParameters | undefined;
  /** That the virtual servers brought, beside those of the section health_check. */
  readonly checks: readonly CheckParameters[];
  readonly notify: readonly VirtualServerNotify[];
}

export function resolveLvs(values: LvsValues, rules: LvsRules, report: Report): ResolvedLvs {
  const marks = new ProbeMarks(marksIn(values));
  const checks = new ServerChecks(rules.checks, rules.checkNames, { globals: rules.scripts, marks }, report);
  const { instances, instanceNames, groupNames } = rules;
  const resolved: ResolvedVirtualServer[] = [];
  const settings = resolveSettings(values.global.lvs_sysctl, report);
  const syncDaemon = resolveSyncDaemon(values.global.lvs_sync_daemon, rules, report);
  const backupOnly = settings.settings["net.ipv4.vs.backup_only"] ?? "0";
  if (syncDaemon !== undefined && syncDaemon.instance === undefined && backupOnly !== "0") {
    const reason =
      "a kernel whose sync daemon receives balances nothing then, and without instance: it always receives";
    report.error(["global", "lvs_sysctl", "backup_only"], reason);
  }
  const notify: VirtualServerNotify[] = [];
  for (const [name, server] of Object.entries(values.virtualServers)) {
    if (server === undefined) continue;
    const path: Path = ["virtual_server", name];
    const found = resolveVirtualServer(
      name,
      server,
      {
        groups: values.groups,
        groupNames,
        checks,
        suspendUnless: (services, given, at) =>
          suspendingInstance(services, given, instances, instanceNames, at, report),
      },
      path,
      report,
    );
    if (found === undefined) continue;
    resolved.push(found);
    checkVirtualServer(found, server, { ...settings, syncDaemon }, path, report);
    const told = resolveLvsNotify(name, server, found.servers, path, report);
    if (told !== undefined) notify.push(told);
  }
  checkAcrossServers(resolved, report);
  // An instance with a mistake may be the one that has the address.
  if (instances.length === instanceNames.size) checkHolders(resolved, instances, rules.statics, report);
  checkUnusedGroups(values, groupNames, report);
  const { lvs_timeouts: timeouts } = values.global;
  const virtualServers = resolved.map(({ parameters }) => parameters);
  const probes = probesOf(virtualServers, checks.made);
  const lvs: LvsParameters = {
    virtualServers,
    ...(probes.length === 0 ? {} : { probes }),
    ...(syncDaemon === undefined ? {} : { syncDaemon }),
    timeouts: {
      ...(timeouts?.tcp === undefined ? {} : { tcp: timeouts.tcp }),
      ...(timeouts?.tcpfin === undefined ? {} : { tcpFin: timeouts.tcpfin }),
      ...(timeouts?.udp === undefined ? {} : { udp: timeouts.udp }),
    },
    ...settings,
    reconcileInterval: values.global.lvs_reconcile_interval ?? 10_000,
  };
  const idle =
    lvs.virtualServers.length === 0 &&
    syncDaemon === undefined &&
    settings.settingsProfile === undefined &&
    Object.keys(lvs.timeouts).length + Object.keys(lvs.settings).length === 0;
  return { lvs: idle ? undefined : lvs, checks: checks.made, notify };
}

function marksIn({ virtualServers, groups }: LvsValues): ReadonlySet<number> {
  const all = [...Object.values(virtualServers), ...Object.values(groups).flatMap((entries) => entries ?? [])];
  return new Set(all.flatMap((each) => each?.fwmark ?? []));
}

type Settings = Pick<LvsParameters, "settings" | "settingsProfile">;

function resolveSettings(value: LvsValues["global"]["lvs_sysctl"], report: Report): Settings {
  const { profile, ...values } = typeof value === "string" ? { profile: value } : (value ?? {});
  const entries = Object.entries(values).flatMap(([name, written]) =>
    written === undefined ? [] : [[name.includes(".") ? name : `net.ipv4.vs.${name}`, written] as const],
  );
  const settings = Object.fromEntries(entries);
  if (profile === undefined) return { settings };
  const known = sysctlProfile.safeParse(profile);
  if (known.success) return { settings, settingsProfile: known.data };
  report.error(["global", "lvs_sysctl", "profile"], known.error.issues[0]?.message ?? "unknown");
  return { settings };
}

function resolveSyncDaemon(
  values: Loose<z.output<typeof syncDaemonBlock>> | undefined,
  { instanceNames, instances }: LvsRules,
  report: Report,
): SyncDaemonParameters | undefined {
  if (values?.interface === undefined) return undefined;
  const { instance, maxlen, syncid, group = "224.0.0.81", port = 8848, ttl = 1 } = values;
  if (instance !== undefined && !instanceNames.has(instance)) {
    const near = nearest(instance, [...instanceNames]);
    const advice = near === undefined ? "" : `: did you mean ${near}?`;
    report.error(["global", "lvs_sync_daemon", "instance"], `there is no vrrp_instance named ${instance}${advice}`);
  }
  const bytes = parseAddress(group);
  if (bytes !== undefined && !isMulticast(bytes)) {
    report.error(
      ["global", "lvs_sync_daemon", "group"],
      `expected a multicast address, got ${group}: 224.0.0.81 is usual`,
    );
  }
  return {
    interface: values.interface,
    ...(instance === undefined ? {} : { instance }),
    syncId: syncid ?? instances.find(({ name }) => name === instance)?.vrid ?? 0,
    ...(maxlen === undefined ? {} : { maximumLength: maxlen }),
    group,
    port,
    ttl,
  };
}
