/** What the VRRP process is told when it starts and when the configuration changes. Pure. */
import type { Config } from "../config/config.ts";
import { type Change, type ConfigDiff, difference } from "../config/diff.ts";
import type { VirtualServerParameters } from "../lvs/parameters.ts";
import { isSameRouter } from "../vrrp/derive.ts";
import type { InstanceParameters, ProcessParameters } from "../vrrp/parameters.ts";
import type { ToVrrp } from "./messages.ts";
import type { NamedVerdict } from "./verdicts.ts";

export function startMessages(config: Config, verdicts: readonly NamedVerdict[]): ToVrrp[] {
  return [
    { type: "process", parameters: config.global.process },
    ...(config.statics === undefined ? [] : [statics(config)]),
    ...(config.groups === undefined ? [] : [groups(config)]),
    ...config.instances.map(configure),
    ...verdicts.map(verdictMessage),
    { type: "start" },
  ];
}

/**
 * In this order an address, a virtual router id or an interface that moves from one instance to another is free before
 * it is taken, and moves within one reload.
 */
export function reloadMessages(diff: ConfigDiff, config: Config): ToVrrp[] {
  const process = diff.global.some((name) => name.startsWith("process."));
  return [
    ...diff.removed.map(({ name }) => remove(name, "removed from the configuration")),
    ...diff.changed.filter(isAnotherRouter).map(({ name }) => remove(name, "it becomes another virtual router")),
    ...(process ? [{ type: "process", parameters: config.global.process } as const] : []),
    // Whoever is in another group, or in none now, knows it before anything else changes.
    ...(diff.groups.length > 0 ? [groups(config)] : []),
    ...diff.changed.map((change) => configure(change.new)),
    ...(diff.statics ? [statics(config)] : []),
    ...diff.added.map(configure),
  ];
}

/** It ends and starts anew whatever is done, so its place is free at once. */
function isAnotherRouter(change: ConfigDiff["changed"][number]): boolean {
  return !isSameRouter(change.old, change.new);
}

function remove(name: string, why: string): ToVrrp {
  return { type: "remove", name, why };
}

function statics({ statics: parameters }: Config): ToVrrp {
  return { type: "statics", ...(parameters === undefined ? {} : { parameters }) };
}

function groups({ groups: all = [] }: Config): ToVrrp {
  return { type: "groups", groups: all };
}

/** Whether there is anything for the VRRP process to do. */
export function hasWork({ instances, statics: held }: Config): boolean {
  return instances.length > 0 || held !== undefined;
}

function configure(parameters: InstanceParameters): ToVrrp {
  return { type: "configure", parameters };
}

/** "removed a; changed b (priority), c (lease); added d", or "nothing to change". */
export function describeDiff(diff: ConfigDiff): string {
  const parts: readonly (readonly [string, readonly string[]])[] = [
    ["removed", diff.removed.map(({ name }) => name)],
    ["changed", diff.changed.map(describeChange)],
    ["changed", diff.statics ? ["static addresses, routes or rules"] : []],
    ["changed sync group", diff.groups],
    ["added", diff.added.map(({ name }) => name)],
    ["removed check", diff.checks.removed.map(({ name }) => name)],
    ["changed check", diff.checks.changed.map(describeChange)],
    ["added check", diff.checks.added.map(({ name }) => name)],
    ["removed virtual server", diff.lvs.virtualServers.removed.map(({ name }) => name)],
    ["changed virtual server", diff.lvs.virtualServers.changed.map(describeServers)],
    ["added virtual server", diff.lvs.virtualServers.added.map(({ name }) => name)],
    ["changed of load balancing", diff.lvs.settings.map(inWords)],
    ["changed notify of", diff.notify],
    ["changed global", diff.global.map((name) => inWords(name.replace("process.", "")))],
  ];
  const told = parts.filter(([, names]) => names.length > 0).map(([verb, names]) => `${verb} ${someOf(names)}`);
  return told.length === 0 ? "nothing to change" : told.join("; ");
}

function describeChange({ name, fields }: Pick<Change<unknown>, "name" | "fields">): string {
  return `${name} (${fields.map(inWords).join(", ")})`;
}

/** "https (quorum; 192.0.2.21:443 weight; added 192.0.2.22:443)" */
function describeServers({ name, old, new: now, fields }: Change<VirtualServerParameters>): string {
  const { added, changed, removed } = difference(old.servers, now.servers);
  const parts = [
    fields.filter((field) => field !== "servers").map(inWords),
    changed.map((server) => `${server.name} ${server.fields.map(inWords).join(" and ")}`),
    removed.length === 0 ? [] : [`removed ${someOf(removed.map((server) => server.name))}`],
    added.length === 0 ? [] : [`added ${someOf(added.map((server) => server.name))}`],
  ];
  return `${name} (${parts
    .filter((part) => part.length > 0)
    .map(someOf)
    .join("; ")})`;
}

/** "advertisementInterval" → "advertisement interval" */
function inWords(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function someOf(names: readonly string[]): string {
  const shown = names.slice(0, 8).join(", ");
  return names.length > 8 ? `${shown} and ${names.length - 8} more` : shown;
}

/** The keys whose change a running process does not take back: a class, a nice value or a lock once had stays. */
export function needsRestart(from: ProcessParameters, to: ProcessParameters): string[] {
  const kept: readonly (readonly [string, boolean])[] = [
    ["vrrp_rt_priority", from.realtimePriority !== undefined && to.realtimePriority === undefined],
    ["vrrp_no_swap", from.lockMemory && !to.lockMemory],
  ];
  return kept.filter(([, stays]) => stays).map(([key]) => key);
}

/** Advice and warnings are nothing to the VRRP process. */
export function verdictMessage({ check, up, reason }: NamedVerdict): ToVrrp {
  return { type: "verdict", check, up, reason };
}
