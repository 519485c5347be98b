/** What the configuration knows about one type of check: its own keys, and how they become parameters and back. */
import type { z } from "zod";
import type { CommonParameters } from "../healthchecks/parameters.ts";
import type { TypeParameters } from "../healthchecks/types.ts";
import type { Path } from "./problem.ts";
import type { Loose } from "./read.ts";
import type { Report } from "./report.ts";

type Keys = Readonly<Record<string, z.ZodType>>;

/** What `global` says about all scripts. */
export interface ScriptDefaults {
  readonly scriptUser?: string;
  readonly scriptSecurity: boolean;
}

export interface CheckSchema {
  /** Beside those that all types have. */
  readonly keys: Keys;
  /** Its results do not err, so that one is enough for a change unless the file says otherwise. */
  readonly steady?: true;
  /** What counts until it has been asked, unless the file says otherwise; unknown without it. */
  readonly initial?: "up";
  /** Its port is not the one of the service, and has to be written where a server is, too. */
  readonly ownPort?: true;
  /** Undefined when a required key is missing or bad; other problems are in the report. */
  resolve(
    values: Readonly<Record<string, unknown>>,
    path: Path,
    report: Report,
    globals: ScriptDefaults,
  ): TypeParameters | undefined;
  /** Its own keys beside those that all types have. */
  agree?(parameters: TypeParameters, common: CommonParameters, path: Path, report: Report): void;
  /** In the keys of the file, `type` aside; a value that is undefined is left out. `mask` stands for what is secret. */
  describe(parameters: TypeParameters, mask: string | undefined): Readonly<Record<string, unknown>>;
}

interface Typed<K extends Keys, P extends TypeParameters> {
  readonly keys: K;
  readonly steady?: true;
  readonly initial?: "up";
  readonly ownPort?: true;
  resolve(values: Loose<z.output<z.ZodObject<K>>>, path: Path, report: Report, globals: ScriptDefaults): P | undefined;
  agree?(parameters: P, common: CommonParameters, path: Path, report: Report): void;
  describe(parameters: P, mask: string | undefined): Readonly<Record<string, unknown>>;
}

/** Only the reader of the keys calls `resolve`, and only with the values it read by them. */
export function checkSchema<K extends Keys, P extends TypeParameters>(schema: Typed<K, P>): CheckSchema {
  return schema as unknown as CheckSchema;
}
