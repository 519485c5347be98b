/** `type: file` */
import { z } from "zod";
import type { FileParameters } from "../healthchecks/file.ts";
import type { ValueRule } from "../healthchecks/file-value.ts";
import { checkSchema } from "./check-schema.ts";
import { required, standard, unset } from "./keys.ts";
import { absolutePath, boolean, expected, number, whole } from "./kinds.ts";
import type { Path } from "./problem.ts";
import type { Report } from "./report.ts";

const numberOrText = z
  .unknown()
  .transform((input, context): string => {
    if (typeof input === "number") return String(input);
    if (typeof input === "string" && input.trim() === input && !input.includes("\n")) return input;
    context.issues.push({ code: "custom", input, message: expected("a number, or text on one line", input) });
    return z.NEVER;
  })
  .meta({ anyOf: [{ type: "number" }, { type: "string" }], "x-bounds": "a number or text" });

interface Values {
  readonly present?: boolean | undefined;
  readonly equals?: string | undefined;
  readonly at_least?: number | undefined;
  readonly at_most?: number | undefined;
  readonly nonzero?: boolean | undefined;
}

export const fileSchema = checkSchema({
  steady: true,
  keys: {
    path: required(absolutePath(), "The file, from / on. It is watched, and looked at again at every interval."),
    present: standard(boolean(), true, "false: it must not be there. Not together with the keys below."),
    equals: unset(numberOrText, "anything", "What its first line has to say; numbers are compared as numbers."),
    at_least: unset(number(), "no bound", "Least number that its first line may say."),
    at_most: unset(number(), "no bound", "Greatest number that its first line may say."),
    nonzero: unset(boolean(), "anything", "true: its first line has to say a number other than 0."),
    weight: unset(
      whole(-254, 254),
      "none",
      "The number in its first line, times this, is added to the weight of the real server.",
    ),
  },
  resolve(values, path, report): FileParameters | undefined {
    const value = resolveRule(values, path, report);
    if (values.weight !== undefined && values.present === false) {
      report.error([...path, "present"], "weight needs the file to be there: remove one of them");
    }
    if (values.path === undefined) return undefined;
    const present = values.present ?? true;
    const { weight } = values;
    return {
      type: "file",
      path: values.path,
      present,
      ...(value === undefined ? {} : { value }),
      ...(weight === undefined || weight === 0 ? {} : { weight }),
    };
  },
  describe: ({ path, present, value, weight }: FileParameters) => ({ path, present, ...describeRule(value), weight }),
});

function resolveRule(values: Values, path: Path, report: Report): ValueRule | undefined {
  const { present, equals, at_least: atLeast, at_most: atMost, nonzero } = values;
  const range = atLeast !== undefined || atMost !== undefined;
  const given = [
    ...(equals === undefined ? [] : ["equals"]),
    ...(range ? [atLeast === undefined ? "at_most" : "at_least"] : []),
    ...(nonzero === true ? ["nonzero"] : []),
  ];
  if (present === false && given[0] !== undefined) {
    report.error([...path, "present"], `${given[0]} needs the file to be there: remove one of them`);
  }
  if (given.length > 1) {
    report.error([...path, given[1] ?? ""], `${given[0]} is given too: keep one of them`);
  }
  if (atLeast !== undefined && atMost !== undefined && atLeast > atMost) {
    report.error([...path, "at_least"], `expected at most at_most, ${atMost}, got ${atLeast}`);
  }
  if (equals !== undefined) return { equals };
  if (nonzero === true) return { nonzero: true };
  if (!range) return undefined;
  return { ...(atLeast === undefined ? {} : { atLeast }), ...(atMost === undefined ? {} : { atMost }) };
}

function describeRule(value: ValueRule | undefined): Readonly<Record<string, unknown>> {
  if (value === undefined) return {};
  if ("equals" in value) return { equals: value.equals };
  if ("nonzero" in value) return { nonzero: true };
  return { at_least: value.atLeast, at_most: value.atMost };
}
