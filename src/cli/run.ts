/** `viprd run`: the daemon in the foreground. Signals become calls of the supervisor here, and its outcome an exit code. */
import { resolve } from "node:path";
import { Command } from "commander";
import { configurationLoader } from "../daemon/load.ts";
import { type Log, openLog } from "../daemon/log.ts";
import { meetNeighbours } from "../daemon/neighbours.ts";
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
  const ending = new Ending(log);
  const supervisor = new Supervisor({
    version,
    configFile: options.config,
    runtimeDirectory: options.runtimeDir,
    load: configurationLoader(),
    log,
    vrrpProgram: { file: main, arguments: ["internal", "vrrp", resolve(options.runtimeDir)] },
    // Half of them look up names at most. What hangs, at a name server or on a file system, must leave some for the others.
    checksProgram: { file: main, arguments: ["internal", "checks", resolve(options.runtimeDir)], waitingThreads: 64 },
    environment: process.env,
    onHopeless: (why) => ending.end(supervisor, why, ExitCode.no),
  });
  obeySignals(supervisor, ending, log);
  const result = await supervisor.start();
  if (result.ok) {
    await tellOfNeighbours(log);
    return;
  }
  const lines = result.reason === "problems" ? result.problems : [result.message];
  for (const line of lines) process.stderr.write(`${line}\n`);
  process.exitCode = result.reason === "problems" ? ExitCode.usage : ExitCode.no;
}

/** Neither the pid file nor the control socket is shared by daemons with different runtime directories. */
async function tellOfNeighbours(log: Log): Promise<void> {
  try {
    for (const pid of await meetNeighbours()) {
      log.warn(
        `another viprd, pid ${pid}, runs in this network namespace: if both use an interface, they take each ` +
          "other's addresses for left-overs and fight over them; run one of them",
      );
    }
  } catch (error) {
    log.debug(`other daemons cannot be looked for: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function obeySignals(supervisor: Supervisor, ending: Ending, log: Log): void {
  for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => ending.end(supervisor, signal, ExitCode.done));
  process.on("SIGHUP", () => void supervisor.reload());
  // Node would end at once; our children deserve to be stopped.
  process.on("uncaughtException", (error) => {
    log.error(`unexpected: ${describe(error)}`);
    ending.end(supervisor, "an unexpected error", ExitCode.no);
  });
}

/** Once the daemon runs, the process ends here and nowhere else. */
class Ending {
  readonly #log: Log;
  #begun = false;

  constructor(log: Log) {
    this.#log = log;
  }

  /** A second call changes nothing: giving up roles in order is already as fast as it is safe. */
  end(supervisor: Supervisor, why: string, exitCode: number): void {
    if (this.#begun) return;
    this.#begun = true;
    void this.#finish(supervisor, why, exitCode);
  }

  async #finish(supervisor: Supervisor, why: string, wanted: number): Promise<void> {
    let exitCode = wanted;
    try {
      const orderly = await supervisor.stop(why);
      if (!orderly) exitCode = Math.max(exitCode, ExitCode.no);
      await this.#log.flush(500);
    } catch (error) {
      exitCode = ExitCode.no;
      process.stderr.write(`could not stop in order: ${describe(error)}\n`);
    } finally {
      process.exit(exitCode);
    }
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
