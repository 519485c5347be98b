/** `lease`: true, false, or a duration in whole seconds, which is what the kernel counts lifetimes in. */
import { z } from "zod";
import { durationPattern, formatDuration, guessDuration, parseDuration } from "./duration.ts";
import { expected, show } from "./kinds.ts";

const least = 2000;
const most = 24 * 3_600_000;
const rule = `true, false or a duration from ${formatDuration(least)} to 24h in whole seconds`;

export function lease() {
  return z
    .unknown()
    .transform((input, context): boolean | number => {
      if (typeof input === "boolean") return input;
      const value = typeof input === "string" ? parseDuration(input) : undefined;
      if (value !== undefined && value >= least && value <= most && value % 1000 === 0) return value;
      context.issues.push({ code: "custom", input, message: complain(input) });
      return z.NEVER;
    })
    .meta({ anyOf: [{ type: "boolean" }, { type: "string", pattern: durationPattern }], "x-bounds": rule });
}

function complain(input: unknown): string {
  if (typeof input === "number") {
    return `a duration needs a unit (ms, s, m or h), got ${show(input)}: write ${guessDuration(input) ?? "5s"}`;
  }
  const word = String(input).toLowerCase();
  if (["yes", "on", "true"].includes(word)) return expected(rule, input, "write true");
  if (["no", "off", "none", "never", "false"].includes(word)) return expected(rule, input, "write false");
  const guess = guessDuration(input);
  return expected(rule, input, guess === undefined || guess === input ? undefined : `write ${guess}`);
}
