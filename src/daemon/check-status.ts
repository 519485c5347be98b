/** The checks in the status: as the checks process tells them, or as far as is known without it. Pure. */
import type { CheckParameters } from "../healthchecks/parameters.ts";
import { adviceStatus, type CheckStatus, stateOf } from "../healthchecks/status.ts";
import type { Verdicts } from "./verdicts.ts";

/** In the order of the file. `told` is why nobody tells anything, where that is so. */
export function tellChecks(
  checks: readonly CheckParameters[],
  verdicts: Verdicts,
  told: readonly CheckStatus[] | string,
): CheckStatus[] {
  const byName = new Map(typeof told === "string" ? [] : told.map((status) => [status.name, status]));
  const why = typeof told === "string" ? told : "the checks process does not know it yet";
  return checks.map((parameters) => byName.get(parameters.name) ?? silent(parameters, verdicts, why));
}

/** The last verdict is in force all the same. */
function silent(parameters: CheckParameters, verdicts: Verdicts, why: string): CheckStatus {
  const { name, type, rise, fall, interval, timeout } = parameters;
  const known = verdicts.get(name);
  const reason = known === undefined ? why : `${known.reason}; ${why}`;
  return {
    name,
    type,
    state: stateOf(known?.up ?? null),
    since: (known?.since ?? new Date(0)).toISOString(),
    reason,
    last: null,
    rise,
    fall,
    successes: 0,
    failures: 0,
    runs: 0,
    failed_runs: 0,
    interval_ms: interval,
    timeout_ms: timeout,
    changes: [],
    warning: known?.warning ?? null,
    advice: adviceStatus(known?.advice),
  };
}
