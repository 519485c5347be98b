/** What a new configuration changes for the VRRP process. Pure. */
import { isDeepStrictEqual } from "node:util";
import type { InstanceParameters, ProcessParameters } from "../vrrp/parameters.ts";
import type { ToVrrp } from "./messages.ts";

export interface VrrpConfiguration {
  readonly process: ProcessParameters;
  readonly instances: readonly InstanceParameters[];
}

export interface ReloadPlan {
  readonly remove: readonly string[];
  readonly change: readonly InstanceParameters[];
  readonly add: readonly InstanceParameters[];
  /** The new settings of the process as a whole, when they differ. */
  readonly process: ProcessParameters | undefined;
}

export function planReload(from: VrrpConfiguration, to: VrrpConfiguration): ReloadPlan {
  const before = new Map(from.instances.map((instance) => [instance.name, instance]));
  const after = new Set(to.instances.map((instance) => instance.name));
  return {
    remove: from.instances.filter(({ name }) => !after.has(name)).map(({ name }) => name),
    change: to.instances.filter((instance) => {
      const old = before.get(instance.name);
      return old !== undefined && !isDeepStrictEqual(old, instance);
    }),
    add: to.instances.filter(({ name }) => !before.has(name)),
    process: isDeepStrictEqual(from.process, to.process) ? undefined : to.process,
  };
}

/**
 * In this order an address, a virtual router id or an interface that moves from one instance to another is free before
 * it is taken, and moves within one reload.
 */
export function reloadMessages(plan: ReloadPlan): ToVrrp[] {
  return [
    ...plan.remove.map((name): ToVrrp => ({ type: "remove", name })),
    ...(plan.process === undefined ? [] : [{ type: "process", parameters: plan.process } as const]),
    ...plan.change.map((parameters): ToVrrp => ({ type: "configure", parameters })),
    ...plan.add.map((parameters): ToVrrp => ({ type: "configure", parameters })),
  ];
}

export function startMessages(configuration: VrrpConfiguration): ToVrrp[] {
  return [
    { type: "process", parameters: configuration.process },
    ...configuration.instances.map((parameters): ToVrrp => ({ type: "configure", parameters })),
    { type: "start" },
  ];
}

/** "removed a; changed b, c; added d", or "nothing to change". */
export function describePlan(plan: ReloadPlan): string {
  const parts = [
    ["removed", plan.remove],
    ["changed", plan.change.map(({ name }) => name)],
    ["added", plan.add.map(({ name }) => name)],
  ] as const;
  const told = parts.filter(([, names]) => names.length > 0).map(([verb, names]) => `${verb} ${someOf(names)}`);
  if (plan.process !== undefined) told.push("changed process settings");
  return told.length === 0 ? "nothing to change" : told.join("; ");
}

function someOf(names: readonly string[]): string {
  const shown = names.slice(0, 8).join(", ");
  return names.length > 8 ? `${shown} and ${names.length - 8} more` : shown;
}
