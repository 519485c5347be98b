/** What changes between two configurations, name by name. Pure. */
import type { CheckParameters } from "../healthchecks/parameters.ts";
import type { LvsParameters, VirtualServerParameters } from "../lvs/parameters.ts";
import type { InstanceParameters } from "../vrrp/parameters.ts";
import type { Config } from "./config.ts";
import { differingLvsNotify } from "./lvs-notify.ts";
import { differingNotify } from "./notify.ts";

export interface Change<T> {
  readonly name: string;
  readonly old: T;
  readonly new: T;
  /** The fields that differ, e.g. "priority", in the order of the type. */
  readonly fields: readonly string[];
}

/** Of things that are the same when they have the same name. The order of the file means nothing. */
export interface Difference<T> {
  readonly added: readonly T[];
  readonly changed: readonly Change<T>[];
  readonly removed: readonly T[];
  /** Names. */
  readonly unchanged: readonly string[];
}

/** The instances, and what is beside them. */
export interface ConfigDiff extends Difference<InstanceParameters> {
  readonly checks: Difference<CheckParameters>;
  /** Settings of the agent as a whole that differ, e.g. "routerId", "process.nice". */
  readonly global: readonly string[];
  /** Names of the sync groups that came, went or differ. */
  readonly groups: readonly string[];
  /** Something that is held whatever the roles are differs. */
  readonly statics: boolean;
  /** "web", "group edge", "virtual server https", "fifo": where it differs who is told. */
  readonly notify: readonly string[];
  readonly lvs: LvsDiff;
}

export interface LvsDiff {
  readonly virtualServers: Difference<VirtualServerParameters>;
  /** What all virtual servers share, e.g. "timeouts". */
  readonly settings: readonly (keyof LvsParameters)[];
}

/** Anything that the balancer has to be told of. */
export function changesLvs({ virtualServers, settings }: LvsDiff): boolean {
  const { added, changed, removed } = virtualServers;
  return added.length + changed.length + removed.length + settings.length > 0;
}

export function diffConfigs(from: Config, to: Config): ConfigDiff {
  return {
    ...difference(from.instances, to.instances),
    checks: difference(from.checks, to.checks),
    global: [
      ...differingFields(from.global, to.global).filter((name) => name !== "process"),
      ...differingFields(from.global.process, to.global.process).map((name) => `process.${name}`),
    ],
    groups: differingGroups(from.groups ?? [], to.groups ?? []),
    statics: !equal(from.statics, to.statics),
    notify: [...differingNotify(from.notify, to.notify), ...differingLvsNotify(from.lvsNotify, to.lvsNotify)],
    lvs: diffLvs(from.lvs, to.lvs),
  };
}

function diffLvs(from: LvsParameters | undefined, to: LvsParameters | undefined): LvsDiff {
  const { reconcileInterval = 0 } = from ?? to ?? {};
  const nothing: LvsParameters = { virtualServers: [], timeouts: {}, settings: {}, reconcileInterval };
  const [before, after] = [from ?? nothing, to ?? nothing];
  return {
    virtualServers: difference(before.virtualServers, after.virtualServers),
    settings: differingFields(before, after).filter((name) => name !== "virtualServers"),
  };
}

function differingGroups(from: NonNullable<Config["groups"]>, to: NonNullable<Config["groups"]>): string[] {
  const { added, changed, removed } = difference(from, to);
  return [...removed, ...changed, ...added].map(({ name }) => name);
}

/** Of things that are the same when they have the same name. */
export function difference<T extends { readonly name: string }>(from: readonly T[], to: readonly T[]): Difference<T> {
  const before = new Map(from.map((each) => [each.name, each]));
  const after = new Set(to.map(({ name }) => name));
  const added: T[] = [];
  const changed: Change<T>[] = [];
  const unchanged: string[] = [];
  for (const each of to) {
    const old = before.get(each.name);
    if (old === undefined) {
      added.push(each);
      continue;
    }
    if (equal(old, each)) unchanged.push(each.name);
    else changed.push({ name: each.name, old, new: each, fields: differingFields(old, each) });
  }
  return { added, changed, removed: from.filter(({ name }) => !after.has(name)), unchanged };
}

function differingFields<T extends object>(a: T, b: T): (keyof T & string)[] {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]) as Set<keyof T & string>;
  return [...names].filter((name) => !equal(a[name], b[name]));
}

/** Equality of plain data; a field that is absent equals one that is undefined. */
function equal(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (!isObject(a) || !isObject(b) || Array.isArray(a) !== Array.isArray(b)) return false;
  // Ten thousand servers are compared at every reload: without lists of their fields.
  for (const name in a) if (!equal(a[name], b[name])) return false;
  for (const name in b) if (a[name] === undefined && b[name] !== undefined) return false;
  return true;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
