/** The section `health_check`: the keys that every check has, and those of its type. */
import { z } from "zod";
import type { CheckParameters, CommonParameters } from "../healthchecks/parameters.ts";
import type { CheckSchema, ScriptDefaults } from "./check-schema.ts";
import { inlineKeys } from "./check-target.ts";
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

const commonKeys = ({ rise, fall } = defaultCounts, initial: CommonParameters["initial"] = "unknown") => ({
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
    initial,
    "What counts until there are results. unknown: the first result decides; up and down: fall or rise results do.",
  ),
});

export const commonNames = Object.keys(commonKeys());

export const checkName = text("a name of 1 to 64 letters, digits, _, - and ., not beginning with - or .", (value) =>
  /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/.test(value) && value !== "__proto__" ? undefined : "",
);

const typeNames = Object.keys(checkSchemas);

/** One block for each type. */
function blocksOf(keysOf: (name: string, schema: CheckSchema) => CheckSchema["keys"]) {
  const blocks = Object.entries(checkSchemas).map(([name, schema]) =>
    z.strictObject({
      type: z.literal(name).meta({ description: "What is checked, and how.", "x-bounds": listed(typeNames) }),
      ...commonKeys(schema.steady && steadyCounts, schema.initial),
      ...keysOf(name, schema),
    }),
  );
  return z.discriminatedUnion("type", blocks as [(typeof blocks)[number], ...(typeof blocks)[number][]]);
}

const checkBlock = blocksOf((_name, { keys }) => keys);
export const healthCheckBlock = z.record(checkName, checkBlock);

/** Where a server is: what the server says need not be written. Once in the JSON Schema, however often it is used. */
export const inlineCheck = blocksOf((name, schema) => inlineKeys(name, schema)).meta({ id: "check_of_a_server" });

const checkOfServer = z.union([checkName, inlineCheck]);
export const checksOfServer = z
  .union([checkName, inlineCheck, z.array(checkOfServer)])
  .meta({ "x-bounds": "a check as a map, the name of a health_check, or a list of them" });

export type CheckValues = z.output<typeof checkBlock>;

export function resolveChecks(
  all: Readonly<Record<string, Loose<CheckValues> | undefined>>,
  globals: ScriptDefaults,
  report: Report,
): CheckParameters[] {
  const checks: CheckParameters[] = [];
  for (const [name, values] of Object.entries(all)) {
    const check = values && resolveCheck(name, values, ["health_check", name], globals, report);
    if (check !== undefined) checks.push(check);
  }
  return checks;
}

/** Undefined when a key is missing or bad; the report has it. */
export function resolveCheck(
  name: string,
  values: Loose<CheckValues>,
  path: Path,
  globals: ScriptDefaults,
  report: Report,
): CheckParameters | undefined {
  const schema = schemaOf(values.type);
  if (schema === undefined) return undefined;
  const common = resolveCommon(name, values, schema, path, report);
  const own = schema.resolve(values, path, report, globals);
  if (own === undefined) return undefined;
  schema.agree?.(own, common, path, report);
  return { ...common, ...own };
}

export function schemaOf(type: string | undefined): CheckSchema | undefined {
  const schemas: Readonly<Record<string, CheckSchema>> = checkSchemas;
  return type !== undefined && Object.hasOwn(schemas, type) ? schemas[type] : undefined;
}

function resolveCommon(
  name: string,
  values: Loose<CheckValues>,
  schema: Pick<CheckSchema, "steady" | "initial">,
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
  const counts = schema.steady ? steadyCounts : defaultCounts;
  const { rise = counts.rise, fall = counts.fall, initial = schema.initial ?? "unknown" } = values;
  return { name, interval, timeout, rise, fall, jitter, fastInterval, initial };
}

type Described = Readonly<Record<string, unknown>>;

export function describeChecks(checks: readonly CheckParameters[], mask: string | undefined): Described {
  return Object.fromEntries(checks.map((check) => [check.name, describeCheck(check, mask)]));
}

export function describeCheck(check: CheckParameters, mask: string | undefined): Described {
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
