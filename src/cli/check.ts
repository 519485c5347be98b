/** `viprd check`: every problem of a configuration, or how long its failovers take. Looks at files only, never at the host. */
import { Command } from "commander";
import { loadConfig } from "../config/load.ts";
import { renderCheck, renderCheckJson } from "./check-render.ts";
import { ExitCode } from "./exit-code.ts";
import { defaultConfigFile, type GlobalOptions } from "./global-options.ts";

interface Flags {
  readonly json?: true;
  readonly resolved?: true;
}

const help = `
Every problem is told at once, as FILE:LINE:COL: path: message, and the exit code is 2. Warnings do not fail the check.
Otherwise it prints "ok" and for each instance how long a takeover by this router takes at most.

Examples:
  viprd check                      check ${defaultConfigFile}
  viprd check new.yaml && mv new.yaml ${defaultConfigFile}
  viprd check --resolved           show every value as it will be used, passwords masked
  viprd check --json | jq '.problems[].message'
`;

export function checkCommand(): Command {
  return new Command("check")
    .description("Checks a configuration without touching the host. Needs no privileges.")
    .argument("[file]", `the file to check (default: --config, or ${defaultConfigFile})`)
    .option("--json", "the outcome as JSON (version 1)")
    .option("--resolved", "the configuration with every value as it will be used")
    .addHelpText("after", help)
    .action((file: string | undefined, flags: Flags, command: Command) => {
      const { config } = command.optsWithGlobals<Partial<GlobalOptions>>();
      const loaded = loadConfig(file ?? config ?? defaultConfigFile);
      const resolved = flags.resolved === true;
      process.stdout.write(flags.json === true ? renderCheckJson(loaded) : renderCheck(loaded, resolved));
      process.exitCode = loaded.config === undefined ? ExitCode.usage : ExitCode.done;
    });
}
