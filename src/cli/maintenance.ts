/** `viprd maintenance`: takes instances out of service and puts them back. */
import { Argument, Command, InvalidArgumentError } from "commander";
import { parseDuration } from "../config/duration.ts";
import { controlSocket } from "../daemon/paths.ts";
import { ClientError, postJson } from "./client.ts";
import { ExitCode } from "./exit-code.ts";
import type { GlobalOptions } from "./global-options.ts";

interface Flags {
  readonly reason?: string;
  readonly for?: number;
  readonly json?: true;
}

interface Answer {
  readonly on: boolean;
  readonly instances: readonly string[];
  /** ISO 8601, or null. */
  readonly until: string | null;
}

export function maintenanceCommand(): Command {
  return new Command("maintenance")
    .description(
      "Takes instances out of service: they give up their role in order (priority 0) and take part in no election until\n" +
        "they are put back, whatever happens to the other routers, also after a restart of the daemon.",
    )
    .addArgument(new Argument("<switch>", "take out of service, or put back").choices(["on", "off"]))
    .argument("[instance...]", "these instances; all of them when none is named")
    .option("--reason <text>", "why, for whoever reads the status")
    .option("--for <duration>", "put back by itself after this time: 10m, 2h", duration)
    .option("--json", "the answer as JSON")
    .action(async (word: string, instances: string[], flags: Flags, command: Command) => {
      const { runtimeDir } = command.optsWithGlobals<GlobalOptions>();
      process.exitCode = await maintenance(controlSocket(runtimeDir), word === "on", instances, flags);
    });
}

function duration(text: string): number {
  const value = parseDuration(text);
  if (value === undefined || value < 1000)
    throw new InvalidArgumentError("expected a duration from 1s on, like 10m or 2h");
  return value;
}

async function maintenance(socket: string, on: boolean, instances: readonly string[], flags: Flags): Promise<number> {
  try {
    const answer = (await postJson(socket, "/v1/maintenance", {
      on,
      ...(instances.length === 0 ? {} : { instances }),
      ...(flags.reason === undefined ? {} : { reason: flags.reason }),
      ...(flags.for === undefined ? {} : { for_s: flags.for / 1000 }),
    })) as Answer;
    process.stdout.write(flags.json === true ? `${JSON.stringify(answer, null, 2)}\n` : describe(answer));
    return ExitCode.done;
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return error.exitCode;
  }
}

function describe({ on, instances, until }: Answer): string {
  if (instances.length === 0) return "none was out of service\n";
  const end = until === null ? "" : ` until ${until}`;
  return instances.map((name) => `${name}: ${on ? `out of service${end}` : "back in service"}\n`).join("");
}
