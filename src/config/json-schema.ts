/** The configuration file as a JSON Schema, for editors that complete and check YAML as it is typed. */
import { z } from "zod";
import { fileBlock } from "./schema.ts";

type Json = Readonly<Record<string, unknown>>;

/**
 * Describes the file before variables are filled in and files are included. It knows kinds, words and bounds of numbers;
 * rules between keys are `viprd check`'s. `x-bounds` and `x-default` are text for people.
 */
export function jsonSchema(): Json {
  const { $schema, ...rest } = z.toJSONSchema(fileBlock, { io: "input", unrepresentable: "any" });
  return { $schema, title: "viprd.yaml", description: "Configuration of viprd", ...(restoreDefaults(rest) as Json) };
}

/** zod takes `default` away from values that are transformed, although ours are defaults of the input: they travel as `x-standard`. */
function restoreDefaults(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(restoreDefaults);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key === "x-standard" ? "default" : key, restoreDefaults(inner)]),
  );
}

export function formatJsonSchema(): string {
  return `${JSON.stringify(jsonSchema(), null, 2)}\n`;
}
