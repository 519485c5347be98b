/** `type: custom` */
import { z } from "zod";
import type { CustomParameters } from "../healthchecks/custom.ts";
import { checkSchema } from "./check-schema.ts";
import { required, standard } from "./keys.ts";
import { absolutePath } from "./kinds.ts";

const options = z.record(z.string(), z.unknown()).meta({ "x-bounds": "a map of anything" });

export const customSchema = checkSchema({
  keys: {
    module: required(absolutePath(), "The JavaScript module that does the run; docs/health-checks.md tells how."),
    options: standard(options, {}, "Handed to the module as they are; it says what it takes."),
  },
  resolve(values, _path, _report, { scriptSecurity: security }): CustomParameters | undefined {
    if (values.module === undefined) return undefined;
    return { type: "custom", module: values.module, options: values.options ?? {}, security };
  },
  describe: ({ module, options }: CustomParameters, mask) => ({
    module,
    options: mask === undefined ? options : masked(options, mask),
  }),
});

/** What a module takes is not known here; what it calls these is not shown. */
const secretName = /pass|secret|token|credential|key/i;

function masked(value: unknown, mask: string): unknown {
  if (Array.isArray(value)) return value.map((each) => masked(each, mask));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, secretName.test(name) ? mask : masked(inner, mask)]),
  );
}
