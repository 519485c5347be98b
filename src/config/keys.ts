/** Whether a key has to be given, and what it is when it is not. */
import type { z } from "zod";

/** A key that must be given. */
export function required<S extends z.ZodType>(schema: S, description: string) {
  return schema.meta({ ...schema.meta(), description });
}

/** A key that has `standard` as its value when it is not given. */
export function standard<S extends z.ZodType>(schema: S, standard: unknown, description: string) {
  return schema.optional().meta({ description, "x-standard": standard });
}

/** A key that is nothing, or something only known later, when it is not given. */
export function unset<S extends z.ZodType>(schema: S, meaning: string, description: string) {
  return schema.optional().meta({ description, "x-default": meaning });
}
