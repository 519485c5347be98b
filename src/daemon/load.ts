/** Reads the configuration file for the supervisor. The parser is loaded when it is first needed, after the child was started. */
import type { LoadResult } from "./configuration.ts";

export async function loadConfiguration(file: string): Promise<LoadResult> {
  const { loadConfig } = await import("../config/load.ts");
  const { formatProblem } = await import("../config/problem.ts");
  const { config, problems } = loadConfig(file);
  const lines = problems.map(formatProblem);
  if (config === undefined) return { ok: false, problems: lines };
  return { ok: true, config, warnings: lines };
}
