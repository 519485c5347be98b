/** What the supervisor wants from a configuration file, however it is read. */
import { isDeepStrictEqual } from "node:util";
import type { VrrpConfiguration } from "./reload-plan.ts";

export interface Configuration {
  readonly routerId: string;
  readonly vrrp: VrrpConfiguration;
}

export type LoadResult =
  | { readonly ok: true; readonly configuration: Configuration; readonly warnings: readonly string[] }
  /** Every problem, as `FILE:LINE:COL: path: message`. */
  | { readonly ok: false; readonly problems: readonly string[] };

export type Load = (file: string) => LoadResult | Promise<LoadResult>;

/** Process settings are applied when the VRRP process starts; a change waits for a restart of the daemon. */
export function needsRestart(from: VrrpConfiguration, to: VrrpConfiguration): string[] {
  const before = Object.entries(from.process);
  const after = new Map(Object.entries(to.process));
  const names = new Set([...before.map(([name]) => name), ...after.keys()]);
  const old = new Map(before);
  return [...names].filter((name) => !isDeepStrictEqual(old.get(name), after.get(name)));
}
