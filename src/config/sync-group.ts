/** The section `vrrp_sync_group`: instances that are active together or not at all. */
import { z } from "zod";
import type { InstanceParameters, SyncGroupParameters } from "../vrrp/parameters.ts";
import { checkName } from "./health-check.ts";
import { required, standard } from "./keys.ts";
import { boolean } from "./kinds.ts";
import { notifyKeys } from "./notify-schema.ts";
import { formatPlace, type Path } from "./problem.ts";
import type { Loose } from "./read.ts";
import type { Report } from "./report.ts";
import { nearest } from "./suggest.ts";
import { resolveTracking } from "./tracking.ts";
import { trackKeys } from "./tracking-schema.ts";

export const syncGroupBlock = z.strictObject({
  group: required(
    z.array(checkName).min(1).meta({ "x-bounds": "a list of names below vrrp_instance" }),
    "The members, in the same order on every node: the first decides between equal priorities for all.",
  ),
  ...trackKeys,
  ...notifyKeys,
  sync_group_tracking_weight: standard(
    boolean(),
    false,
    "Members may have entries with a priority of their own, which then order the members of a group in different ways.",
  ),
});

type LooseGroup = Loose<z.output<typeof syncGroupBlock>>;

export interface GroupRules {
  /** Those without mistakes. */
  readonly instances: readonly InstanceParameters[];
  /** All that are written in the file. */
  readonly instanceNames: ReadonlySet<string>;
  readonly checks: ReadonlySet<string>;
}

export function resolveGroups(
  values: Readonly<Record<string, LooseGroup | undefined>>,
  rules: GroupRules,
  report: Report,
): SyncGroupParameters[] {
  const taken = new Map<string, Path>();
  const instances = new Map(rules.instances.map((instance) => [instance.name, instance]));
  return Object.entries(values).flatMap(([name, group]) => {
    const path: Path = ["vrrp_sync_group", name];
    if (group?.group === undefined) return [];
    const members = resolveMembers(group.group, rules, taken, path, report);
    const known = members.flatMap((member) => instances.get(member) ?? []);
    checkOwners(known, path, report);
    const memberWeights = group.sync_group_tracking_weight ?? false;
    if (!memberWeights) checkWeights(known, name, report);
    const owner = known.length > 0 && known.every(({ priority }) => priority === 255);
    const tracking = resolveTracking(group, { checks: rules.checks, owner }, path, report);
    return [{ name, members, ...tracking, memberWeights }];
  });
}

function resolveMembers(
  names: readonly (string | undefined)[],
  rules: GroupRules,
  taken: Map<string, Path>,
  path: Path,
  report: Report,
): string[] {
  const members: string[] = [];
  for (const [i, name] of names.entries()) {
    if (name === undefined) continue;
    const at: Path = [...path, "group", i];
    const earlier = taken.get(name);
    if (!rules.instanceNames.has(name)) {
      const near = nearest(name, [...rules.instanceNames]);
      const advice = near === undefined ? "" : `, did you mean ${near}?`;
      report.error(at, `there is no vrrp_instance named ${name}${advice}`);
    } else if (members.includes(name)) {
      report.error(at, `${name} stands in the group twice: remove one`);
    } else if (earlier !== undefined) {
      report.error(at, `${name} is in another group already (${formatPlace(report.placeOf(earlier))}): choose one`);
    } else {
      taken.set(name, at);
      members.push(name);
    }
  }
  if (names.length === 0) report.error([...path, "group"], "names nobody: list instances, or remove the group");
  if (members.length === 1 && names.length === 1) {
    report.warn([...path, "group"], `a group with ${members[0]} alone: only what it tracks has an effect`);
  }
  return members;
}

/** An owner becomes active whatever the others do. */
function checkOwners(members: readonly InstanceParameters[], path: Path, report: Report): void {
  const owner = members.find(({ priority }) => priority === 255);
  const other = members.find(({ priority }) => priority !== 255);
  if (owner === undefined || other === undefined) return;
  report.error(
    [...path, "group"],
    `${owner.name} has priority 255 and never waits, ${other.name} has ${other.priority}: give all of them 255, or none`,
  );
}

function checkWeights(members: readonly InstanceParameters[], group: string, report: Report): void {
  for (const { name, track } of members) {
    for (const [i, { priority }] of track.entries()) {
      if (priority === undefined) continue;
      report.error(
        ["vrrp_instance", name, "track", i, "priority"],
        `changes ${name} alone, but sync group ${group} moves as one: move the entry to the group's track, leave priority out, or set sync_group_tracking_weight: true`,
      );
    }
  }
}
