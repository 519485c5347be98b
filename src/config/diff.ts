/** What changes between two configurations, instance by instance. Pure. */
import type { InstanceParameters } from "../vrrp/parameters.ts";
import type { Config } from "./config.ts";

export interface InstanceChange {
  readonly name: string;
  readonly old: InstanceParameters;
  readonly new: InstanceParameters;
  /** The fields that differ, e.g. "priority", in the order of the type. */
  readonly fields: readonly (keyof InstanceParameters)[];
}

export interface ConfigDiff {
  readonly added: readonly InstanceParameters[];
  readonly changed: readonly InstanceChange[];
  readonly removed: readonly InstanceParameters[];
  /** Names. */
  readonly unchanged: readonly string[];
  /** Settings of the agent as a whole that differ, e.g. "routerId", "process.nice". */
  readonly global: readonly string[];
}

/** Instances are the same when they have the same name. The order of the file means nothing. */
export function diffConfigs(from: Config, to: Config): ConfigDiff {
  const before = new Map(from.instances.map((instance) => [instance.name, instance]));
  const after = new Set(to.instances.map((instance) => instance.name));
  const added: InstanceParameters[] = [];
  const changed: InstanceChange[] = [];
  const unchanged: string[] = [];
  for (const instance of to.instances) {
    const old = before.get(instance.name);
    if (old === undefined) {
      added.push(instance);
      continue;
    }
    const fields = differingFields(old, instance);
    if (fields.length === 0) unchanged.push(instance.name);
    else changed.push({ name: instance.name, old, new: instance, fields });
  }
  return {
    added,
    changed,
    removed: from.instances.filter(({ name }) => !after.has(name)),
    unchanged,
    global: [
      ...differingFields(from.global, to.global).filter((name) => name !== "process"),
      ...differingFields(from.global.process, to.global.process).map((name) => `process.${name}`),
    ],
  };
}

function differingFields<T extends object>(a: T, b: T): (keyof T & string)[] {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]) as Set<keyof T & string>;
  return [...names].filter((name) => !equal(a[name], b[name]));
}

/** Equality of plain data; a field that is absent equals one that is undefined. */
function equal(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  return differingFields(a, b).length === 0;
}
