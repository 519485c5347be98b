/** `viprd run`: the daemon in the foreground. Signals become calls of the supervisor here, and its outcome an exit code. */
import { Command } from "commander";
import { loadConfiguration } from "../daemon/load.ts";
import { type Log, openLog } from "../daemon/log.ts";
import { Supervisor } from "../daemon/supervisor.ts";
import { ExitCode } from "./exit-code.ts";
import type { GlobalOptions } from "./global-options.ts";

export function runCommand(main: string, version: string): Command {
  return new Command("run")
    .description(
      "Runs the daemon in the foreground and logs to standard error. SIGHUP reads the file again; SIGTERM or SIGINT\n" +
        "gives up every role in order, removes the addresses and ends.",
    )
    .action(async (_flags: unknown, command: Command) => {
      await run(command.optsWithGlobals<GlobalOptions>(), main, version);
    });
}

async function run(options: GlobalOptions, main: string, version: string): Promise<void> {
  const terminal = process.stderr.isTTY === true;
  const log = openLog({
    format: options.logFormat ?? (terminal ? "pretty" : "json"),
    level: options.logLevel,
    colour: terminal && process.env.NO_COLOR === undefined,
  });
  const supervisor = new Supervisor({
    version,
    configFile: options.config,
    runtimeDirectory: options.runtimeDir,
    load: loadConfiguration,
    log,
    vrrpProgram: { file: main, arguments: ["internal", "vrrp"] },
    environment: process.env,
  });
  obeySignals(supervisor, log);
  const result = await supervisor.start();
  if (result.ok) return;
  const lines = result.reason === "problems" ? result.problems : [result.message];
  for (const line of lines) process.stderr.write(`${line}\n`);
  process.exitCode = result.reason === "problems" ? ExitCode.usage : ExitCode.no;
}

/** From here on the process ends only through `end`. */
function obeySignals(supervisor: Supervisor, log: Log): void {
  let ending = false;
  const end = (why: string, exitCode: number) => {
    // A second signal changes nothing: giving up roles in order is already as fast as it is safe.
    if (ending) return;
    ending = true;
    supervisor.stop(why).then(
      (orderly) => finish(log, exitCode === 0 && !orderly ? ExitCode.no : exitCode),
      (error: unknown) => {
        log.error(`could not stop in order: ${describe(error)}`);
        void finish(log, ExitCode.no);
      },
    );
  };
  process.on("SIGTERM", () => end("SIGTERM", ExitCode.done));
  process.on("SIGINT", () => end("SIGINT", ExitCode.done));
  process.on("SIGHUP", () => void supervisor.reload());
  // Node would end at once; our children deserve to be stopped.
  process.on("uncaughtException", (error) => {
    log.error(`unexpected: ${describe(error)}`);
    end("an unexpected error", ExitCode.no);
  });
}

async function finish(log: Log, exitCode: number): Promise<void> {
  try {
    await log.flush(500);
  } finally {
    process.exit(exitCode);
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
