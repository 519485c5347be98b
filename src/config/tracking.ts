/** What is tracked, checked: each entry names one object, each object is named once, and what an entry asks for can happen. */
import type { z } from "zod";
import type { FlapDamping, Track } from "../vrrp/parameters.ts";
import { formatPath, type Path } from "./problem.ts";
import type { Loose } from "./read.ts";
import type { Report } from "./report.ts";
import { nearest } from "./suggest.ts";
import type { dampingBlock, trackBlock } from "./tracking-schema.ts";

export interface TrackingValues {
  readonly track?: readonly (LooseTrack | undefined)[] | undefined;
  readonly flap_damping?: Loose<z.output<typeof dampingBlock>> | undefined;
}

type LooseTrack = Loose<z.output<typeof trackBlock>>;

export interface TrackingRules {
  /** Names of all health checks. */
  readonly checks: ReadonlySet<string>;
  /** The interface whose failure is a fault without an entry. */
  readonly ownInterface?: string | undefined;
  /** The address owner keeps its priority. */
  readonly owner: boolean;
}

export interface Tracking {
  readonly track: readonly Track[];
  readonly flapDamping?: FlapDamping;
}

export function resolveTracking(values: TrackingValues, rules: TrackingRules, path: Path, report: Report): Tracking {
  const track: Track[] = [];
  for (const [i, entry] of (values.track ?? []).entries()) {
    const resolved = entry && resolveEntry(entry, rules, [...path, "track", i], report);
    if (resolved === undefined) continue;
    const twice = track.some(({ what, name }) => what === resolved.what && name === resolved.name);
    if (twice)
      report.error([...path, "track", i], `${resolved.what} ${resolved.name} is tracked twice: keep one entry`);
    else track.push(resolved);
  }
  const flapDamping = values.flap_damping && resolveDamping(values.flap_damping, [...path, "flap_damping"], report);
  return { track, ...(flapDamping === undefined ? {} : { flapDamping }) };
}

function resolveEntry(entry: LooseTrack, rules: TrackingRules, at: Path, report: Report): Track | undefined {
  const { interface: device, check, priority, reverse = false } = entry;
  if (device !== undefined && check !== undefined) {
    report.error(at, "names an interface and a check: write an entry for each");
    return undefined;
  }
  const change = priority === undefined ? {} : { priority };
  if (priority !== undefined && rules.owner) {
    report.warn([...at, "priority"], "has no effect with priority 255: the address owner keeps it");
    return undefined;
  }
  if (check !== undefined) {
    if (!rules.checks.has(check)) {
      const near = nearest(check, [...rules.checks]);
      const advice = near === undefined ? "define it there" : `did you mean ${near}?`;
      report.error([...at, "check"], `there is no health_check named ${check}: ${advice}`);
    }
    return { what: "check", name: check, ...change, reverse };
  }
  if (device === undefined) {
    // A name that was refused has its message already.
    const told = report.problems.some(({ path }) => path.startsWith(`${formatPath(at)}.`));
    if (!told) report.error(at, "names nothing to track: write interface: or check:");
    return undefined;
  }
  if (device === rules.ownInterface) {
    const advice = "is the instance's own interface, whose failure is a fault without an entry: remove the entry";
    report.warn([...at, "interface"], `${device} ${advice}`);
    return undefined;
  }
  return { what: "interface", name: device, ...change, reverse };
}

function resolveDamping(values: Loose<z.output<typeof dampingBlock>>, at: Path, report: Report): FlapDamping {
  const { suppress = 2, reuse = 1, half_life: halfLife = 30_000 } = values;
  if (reuse >= suppress) {
    report.error([...at, "reuse"], `expected less than suppress (${suppress}), got ${reuse}: write ${suppress - 1}`);
  }
  return { suppress, reuse, halfLife };
}
