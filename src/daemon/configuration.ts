/** How the supervisor gets a configuration, whoever reads it. */
import type { Config } from "../config/config.ts";

export type LoadResult =
  | { readonly ok: true; readonly config: Config; readonly warnings: readonly string[] }
  /** Every problem, as `FILE:LINE:COL: path: message`. */
  | { readonly ok: false; readonly problems: readonly string[] };

export type Load = (file: string) => LoadResult | Promise<LoadResult>;
