/** Tree to configuration: reads every key, fills in the defaults, checks what concerns several keys or instances. */
import type { AnnounceParameters, InstanceParameters } from "../vrrp/parameters.ts";
import { checkAcross } from "./across.ts";
import type { KeyFiles } from "./auth-hmac.ts";
import { warnOfUnused } from "./check-users.ts";
import type { Config, GlobalConfig } from "./config.ts";
import { resolveChecks } from "./health-check.ts";
import { type InstanceDefaults, resolveInstance } from "./instance.ts";
import { resolveLvs } from "./lvs.ts";
import { type FifoParameters, type NotifySubject, resolveSubject } from "./notify.ts";
import { hasErrors, type Problem } from "./problem.ts";
import { type Loose, read } from "./read.ts";
import { Report } from "./report.ts";
import type { RoutingNames } from "./routing-names.ts";
import { fileBlock, type GlobalValues } from "./schema.ts";
import { checkHeldOnce, resolveStatics } from "./statics.ts";
import { resolveGroups } from "./sync-group.ts";
import { findEntry, type TreeNode } from "./tree.ts";

export interface Resolved {
  /** Undefined when any problem is an error. */
  readonly config: Config | undefined;
  readonly problems: readonly Problem[];
}

export function resolveConfig(root: TreeNode, hostName: string, keyFiles: KeyFiles, names: RoutingNames): Resolved {
  const report = new Report(root);
  const file = read(fileBlock, root, [], report);
  const global = file?.global ?? {};
  const defaults = { ...instanceDefaults(global, keyFiles, names), checks: namesIn(root, "health_check") };
  const instances: InstanceParameters[] = [];
  const subjects: NotifySubject[] = [];
  for (const [name, values] of Object.entries(file?.vrrp_instance ?? {})) {
    const instance = values && resolveInstance(name, values, defaults, report);
    if (instance !== undefined) instances.push(instance);
    const subject = values && resolveSubject("instance", name, values, report);
    if (subject !== undefined) subjects.push(subject);
  }
  const settings = resolveGlobal(global, hostName);
  const checks = resolveChecks(file?.health_check ?? {}, settings, report);
  const statics = file && resolveStatics(file, names, report);
  const balanced = resolveLvs(
    { global, virtualServers: file?.virtual_server ?? {}, groups: file?.virtual_server_group ?? {} },
    {
      groupNames: namesIn(root, "virtual_server_group"),
      instanceNames: namesIn(root, "vrrp_instance"),
      instances,
      statics: statics?.addresses ?? [],
      checkNames: defaults.checks,
      checks,
      scripts: settings,
    },
    report,
  );
  const trackers = [file?.vrrp_instance, file?.vrrp_sync_group].flatMap((section) => Object.values(section ?? {}));
  warnOfUnused(checks, trackers, balanced.lvs, report);
  checkAcross(file?.vrrp_instance ?? {}, instances, report);
  const groupRules = { instances, instanceNames: namesIn(root, "vrrp_instance"), checks: defaults.checks };
  const groups = resolveGroups(file?.vrrp_sync_group ?? {}, groupRules, report);
  for (const [name, values] of Object.entries(file?.vrrp_sync_group ?? {})) {
    const subject = values && resolveSubject("group", name, values, report);
    if (subject !== undefined) subjects.push(subject);
  }
  if (file !== undefined) checkHeldOnce(file, instances, statics, report);
  const sections = [file?.vrrp_instance, file?.virtual_server];
  const empty = sections.every((section) => Object.keys(section ?? {}).length === 0) && statics === undefined;
  if (root.kind === "map" && empty && report.problems.length === 0) {
    report.warn([], "no vrrp_instance and no virtual_server: there is nothing to do");
  }
  const problems = report.problems;
  if (hasErrors(problems)) return { config: undefined, problems };
  const held = {
    ...(groups.length === 0 ? {} : { groups }),
    ...(statics === undefined ? {} : { statics }),
    ...(balanced.lvs === undefined ? {} : { lvs: balanced.lvs }),
    ...(balanced.notify.length === 0 ? {} : { lvsNotify: balanced.notify }),
  };
  const fifos = resolveFifos(global);
  const notify = subjects.length + fifos.length === 0 ? {} : { notify: { subjects, fifos } };
  return {
    config: { global: settings, instances, checks: [...checks, ...balanced.checks], ...notify, ...held },
    problems,
  };
}

function resolveGlobal(values: Loose<GlobalValues>, hostName: string): GlobalConfig {
  return {
    routerId: values.router_id ?? hostName,
    ...(values.script_user === undefined ? {} : { scriptUser: values.script_user }),
    scriptSecurity: values.script_security ?? true,
    process: {
      ...(values.vrrp_rt_priority === undefined ? {} : { realtimePriority: values.vrrp_rt_priority }),
      nice: values.vrrp_priority ?? -20,
      lockMemory: values.vrrp_no_swap ?? false,
    },
  };
}

/** All that are written there, those with mistakes included: a reference to one is no mistake of its own. */
function namesIn(root: TreeNode, section: string): ReadonlySet<string> {
  const value = findEntry(root, section)?.value;
  return new Set(value?.kind === "map" ? value.entries.map(({ key }) => key) : []);
}

function resolveFifos(global: Loose<GlobalValues>): FifoParameters[] {
  const named = [
    { path: global.notify_fifo, of: "all" },
    { path: global.vrrp_notify_fifo, of: "vrrp" },
    { path: global.lvs_notify_fifo, of: "lvs" },
  ] as const;
  const fifos = named.flatMap(({ path, of }) => (path === undefined ? [] : [{ path, of }]));
  // One that is named twice gets what either says, once.
  return fifos.flatMap(({ path, of }, i): FifoParameters[] => {
    const same = fifos.filter((other) => other.path === path);
    if (same[0] !== fifos[i]) return [];
    return [{ path, of: same.length > 1 ? "all" : of }];
  });
}

function instanceDefaults(
  global: Loose<GlobalValues>,
  keyFiles: KeyFiles,
  names: RoutingNames,
): Omit<InstanceDefaults, "checks"> {
  const announce: AnnounceParameters = {
    repeat: global.vrrp_garp_master_repeat ?? 3,
    delay: global.vrrp_garp_master_delay ?? 5000,
    delayRepeat: global.vrrp_garp_master_delay_repeat ?? 1,
    refresh: global.vrrp_garp_master_refresh ?? 60_000,
    refreshRepeat: global.vrrp_garp_master_refresh_repeat ?? 1,
    interval: global.vrrp_garp_interval ?? 0,
    lowerPriorityRepeat: global.vrrp_garp_lower_prio_repeat ?? 3,
  };
  return {
    version: global.vrrp_version ?? 3,
    announce,
    realtime: global.vrrp_rt_priority !== undefined,
    keyFiles,
    names,
  };
}
