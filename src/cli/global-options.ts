/** Options every command understands; `command.optsWithGlobals()` gives them together with its own. */
import type { LogFormat } from "../daemon/log.ts";
import type { LogLevel } from "../daemon/messages.ts";

export const defaultConfigFile = "/etc/viprd/viprd.yaml";
export const defaultRuntimeDirectory = "/run/viprd";

export interface GlobalOptions {
  readonly config: string;
  readonly runtimeDir: string;
  readonly logFormat?: LogFormat;
  readonly logLevel: LogLevel;
}
