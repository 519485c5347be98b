/** What `viprd check` prints. Pure. */
import { stringify } from "yaml";
import type { Config } from "../config/config.ts";
import { describeConfig } from "../config/describe.ts";
import { failoverTimes } from "../config/failover.ts";
import type { Loaded } from "../config/load.ts";
import { formatProblem } from "../config/problem.ts";
import { withoutVariables } from "../config/variables.ts";

import { summaries, type VirtualServerSummary, virtualServerLines } from "./check-render-lvs.ts";

const mask = "********";

type InstanceParameters = Config["instances"][number];

/** Problems, then `ok` and the failover times, or the configuration itself. */
export function renderCheck(loaded: Loaded, resolved: boolean): string {
  const lines = loaded.problems.map(formatProblem);
  const { config } = loaded;
  if (config === undefined) return `${lines.join("\n")}\n`;
  if (resolved) {
    // Problems become comments: the output is a configuration file again.
    const comments = lines.map((line) => `# ${line}\n`).join("");
    const literal = (_key: unknown, value: unknown) => (typeof value === "string" ? withoutVariables(value) : value);
    const options = { lineWidth: 0, aliasDuplicateObjects: false };
    return comments + stringify(describeConfig(config, { mask }), literal, options);
  }
  return `${[...lines, "ok", ...config.instances.map(failoverLine), ...virtualServerLines(config)].join("\n")}\n`;
}

function failoverLine(instance: InstanceParameters): string {
  const { name, vrid, version, priority } = instance;
  const { crash, stop } = failoverTimes(instance);
  const who = `${name} (${instance.interface}, VRID ${vrid}, VRRPv${version}, priority ${priority})`;
  const when = `${seconds(crash)} after the active router crashes or its link is cut, ${seconds(stop)} after it stops in order`;
  const owner = priority === 255 ? "; as the address owner it is active whenever it runs" : "";
  return `${who}: takes over at most ${when}${owner}`;
}

function seconds(value: number): string {
  if (value < 10) return `${value.toFixed(2)} ms`;
  return value < 1000 ? `${value.toFixed(1)} ms` : `${(value / 1000).toFixed(3)} s`;
}

/** The shape of `--json`. A field is never removed or given another meaning without a new `version`. */
export interface CheckDocument {
  readonly version: 1;
  /** No errors; there may be warnings. */
  readonly ok: boolean;
  readonly problems: readonly {
    readonly file: string;
    /** From 1; 0 when the file as a whole is meant. */
    readonly line: number;
    readonly column: number;
    readonly path: string;
    readonly severity: "error" | "warning";
    readonly message: string;
  }[];
  /** Every file that was read. */
  readonly files: readonly string[];
  /** Empty unless ok. How long a takeover by this router takes at most. */
  readonly failover: readonly {
    readonly instance: string;
    readonly crash_ms: number;
    readonly link_cut_ms: number;
    readonly stop_ms: number;
  }[];
  /** Empty unless ok. */
  readonly virtual_servers: readonly VirtualServerSummary[];
  /** In the keys of the file, every value resolved, passwords masked; null unless ok. */
  readonly config: Readonly<Record<string, unknown>> | null;
}

export function renderCheckJson({ config, problems, files }: Loaded): string {
  const document: CheckDocument = {
    version: 1,
    ok: config !== undefined,
    problems: problems.map(({ file, line, column, path, severity, message }) => ({
      file,
      line,
      column,
      path,
      severity,
      message,
    })),
    files,
    failover: (config?.instances ?? []).map((instance) => {
      const { crash, stop } = failoverTimes(instance);
      return { instance: instance.name, crash_ms: crash, link_cut_ms: crash, stop_ms: stop };
    }),
    virtual_servers: config === undefined ? [] : summaries(config),
    config: config === undefined ? null : describeConfig(config, { mask }),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
