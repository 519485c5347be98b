/** The section `health_check`: the keys that every check has, and those of its type. */
import { z } from "zod";
import type { CheckParameters, CommonParameters } from "../healthchecks/parameters.ts";
import type { ScriptDefaults } from "./check-schema.ts";
import { checkSchemas } from "./check-types.ts";
import { formatDuration } from "./duration.ts";
import { standard, unset } from "./keys.ts";
import { duration, listed, oneOf, text, whole } from "./kinds.ts";
import type { Path } from "./problem.ts";
import type { Loose } from "./read.ts";
import type { Report } from "./report.ts";

const second = 1000;
const hour = 3600 * second;
const longestTimeout = 5 * second;

/** For the types whose results may err, and for those whose do not. */
const defaultCounts = { rise: 2, fall: 3 };
const steadyCounts = { rise: 1, fall: 1 };

const commonKeys = ({ rise, fall } = defaultCounts) => ({
  interval: standard(duration(10, 24 * hour), "1s", "From the start of one run to the start of the next."),
  timeout: unset(
    duration(1, hour),
    "interval, 5s at most",
    "Time for one run as a whole: connecting, asking, answering. Longer is a failure.",
  ),
  rise: standard(whole(1, 1000), rise, "Successes in a row that make it up. The very first result decides alone."),
  fall: standard(whole(1, 1000), fall, "Failures in a row that make it down. The very first result decides alone."),
  jitter: standard(
    duration(0, hour),
    "0s",
    "Every run is put off by a random part of this; not longer than interval. First runs are spread in any case.",
  ),
  fast_interval: unset(
    duration(10, 24 * hour),
    "interval",
    "The interval while results speak against the present state, to be certain sooner; not longer than interval.",
  ),
  initial: standard(
    oneOf("unknown", "up", "down"),
    "unknown",
    "What counts until there are results. unknown: the first result decides; up and down: fall or rise results do.",
  ),
});

export const commonNames = Object.keys(commonKeys());

export const checkName = text("a name of 1 to 64 letters, digits, _, - and ., not beginning with - or .", (value) =>
  /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/.test(value) && value !== "__proto__" ? undefined : "",
);

const typeNames = Object.keys(checkSchemas);

/** One block for each type. */
const blocks = Object.entries(checkSchemas).map(([name, { keys, steady }]) =>
  z.strictObject({
    type: z.literal(name).meta({ description: "What is checked, and how.", "x-bounds": listed(typeNames) }),
    ...commonKeys(steady && steadyCounts),
    ...keys,
  }),
);

export const healthCheckBlock = z.record(
  checkName,
  z.discriminatedUnion("type", blocks as [(typeof blocks)[number], ...(typeof blocks)[number][]]),
);

export type CheckValues = z.output<(typeof blocks)[number]>;

export function resolveChecks(
  values: Readonly<Record<string, Loose<CheckValues> | undefined>>,
  globals: ScriptDefaults,
  report: Report,
): CheckParameters[] {
  const checks: CheckParameters[] = [];
  for (const [name, check] of Object.entries(values)) {
    const schema = Object.entries(checkSchemas).find(([type]) => type === check?.type)?.[1];
    if (check === undefined || schema === undefined) continue;
    const path: Path = ["health_check", name];
    const common = resolveCommon(name, check, schema.steady ? steadyCounts : defaultCounts, path, report);
    const own = schema.resolve(check, path, report, globals);
    if (own === undefined) continue;
    schema.agree?.(own, common, path, report);
    checks.push({ ...common, ...own });
  }
  return checks;
}

function resolveCommon(
  name: string,
  values: Loose<CheckValues>,
  counts: typeof defaultCounts,
  path: Path,
  report: Report,
): CommonParameters {
  const interval = values.interval ?? second;
  const timeout = values.timeout ?? Math.min(interval, longestTimeout);
  const jitter = values.jitter ?? 0;
  const fastInterval = values.fast_interval ?? interval;
  const written = formatDuration(interval);
  for (const [key, value] of [
    ["jitter", jitter],
    ["fast_interval", fastInterval],
  ] as const) {
    if (value <= interval) continue;
    report.error([...path, key], `expected at most the interval, ${written}, got ${formatDuration(value)}`);
  }
  if (timeout > interval) {
    const advice = "runs do not overlap, so one that hangs puts off the next";
    report.warn([...path, "timeout"], `${formatDuration(timeout)} is longer than the interval, ${written}: ${advice}`);
  }
  const { rise = counts.rise, fall = counts.fall, initial = "unknown" } = values;
  return { name, interval, timeout, rise, fall, jitter, fastInterval, initial };
}

type Described = Readonly<Record<string, unknown>>;

export function describeChecks(checks: readonly CheckParameters[], mask: string | undefined): Described {
  return Object.fromEntries(checks.map((check) => [check.name, describeCheck(check, mask)]));
}

function describeCheck(check: CheckParameters, mask: string | undefined): Described {
  const { type, interval, timeout, rise, fall, jitter, fastInterval, initial } = check;
  const own = Object.entries(checkSchemas[type].describe(check, mask)).filter(([, value]) => value !== undefined);
  return {
    type,
    ...Object.fromEntries(own),
    interval: formatDuration(interval),
    timeout: formatDuration(timeout),
    rise,
    fall,
    jitter: formatDuration(jitter),
    fast_interval: formatDuration(fastInterval),
    initial,
  };
}
