/** `viprd status`: who is active, since when, why. */
import { Command } from "commander";
import { controlSocket } from "../daemon/paths.ts";
import type { StatusDocument } from "../daemon/status.ts";
import { ClientError, getJson } from "./client.ts";
import { ExitCode } from "./exit-code.ts";
import type { GlobalOptions } from "./global-options.ts";
import { createPaint } from "./paint.ts";
import { renderStatus } from "./render.ts";
import { watchScreen } from "./screen.ts";

interface Flags {
  readonly json?: true;
  readonly watch?: true;
}

export function statusCommand(): Command {
  return new Command("status")
    .description(
      "Shows who is active, since when and why; priority and its parts, peers heard, addresses, troubles; virtual servers\n" +
        "with their servers, weights and connections.",
    )
    .argument("[name]", "tell about this instance or virtual server only, in full")
    .option("--json", "the status as JSON, as the control interface gives it")
    .option("--watch", "draw again each second; q or Ctrl-C ends")
    .action(async (name: string | undefined, flags: Flags, command: Command) => {
      const { runtimeDir } = command.optsWithGlobals<GlobalOptions>();
      process.exitCode = await status(controlSocket(runtimeDir), name, flags);
    });
}

async function status(socket: string, name: string | undefined, flags: Flags): Promise<number> {
  const query = name === undefined ? "" : `?name=${encodeURIComponent(name)}`;
  const paint = createPaint(process.stdout);
  const ask = async () => (await getJson(socket, `/v1/status${query}`)) as StatusDocument;
  const draw = async () => renderStatus(await ask(), new Date(), paint);
  // Who watches a daemon that is being restarted wants to see it come back.
  const drawAlways = () =>
    draw().catch((error: unknown) => (error instanceof ClientError ? error.message : Promise.reject(error)));
  try {
    if (flags.json === true) process.stdout.write(`${JSON.stringify(await ask(), null, 2)}\n`);
    else if (flags.watch === true && process.stdout.isTTY) {
      await draw();
      await watchScreen(drawAlways, process.stdin, process.stdout);
    } else process.stdout.write(await draw());
    return ExitCode.done;
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return error.exitCode;
  }
}
