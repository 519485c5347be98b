/** Reads the configuration file for the supervisor. The parser is loaded when it is first needed, after the child was started. */
import type { Loaded } from "../config/load.ts";
import type { Load } from "./configuration.ts";

export function configurationLoader(): Load {
  let load: ((file: string) => Loaded) | undefined;
  return async (file) => {
    const { recallingLoader } = await import("../config/recall.ts");
    const { formatProblem } = await import("../config/problem.ts");
    load ??= recallingLoader();
    const { config, problems } = load(file);
    const lines = problems.map(formatProblem);
    if (config === undefined) return { ok: false, problems: lines };
    return { ok: true, config, warnings: lines };
  };
}
