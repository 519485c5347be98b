/** `viprd events`: what happens, as it happens. */
import { Command, InvalidArgumentError } from "commander";
import type { DaemonEvent, NumberedEvent } from "../daemon/event-log.ts";
import { controlSocket } from "../daemon/paths.ts";
import { ClientError, openStream } from "./client.ts";
import { ExitCode } from "./exit-code.ts";
import type { GlobalOptions } from "./global-options.ts";
import { createPaint } from "./paint.ts";
import { renderEvent } from "./render-event.ts";
import { EventReader } from "./sse.ts";

interface Flags {
  readonly json?: true;
  readonly since?: number;
}

export function eventsCommand(): Command {
  return new Command("events")
    .description("Follows transitions, repairs, conflicts, warnings and reloads until Ctrl-C or the daemon's end.")
    .option("--json", "one JSON object a line: {id, event}")
    .option("--since <id>", "begin with what the daemon remembers after this id; 0 = all", eventId)
    .action(async (flags: Flags, command: Command) => {
      const { runtimeDir } = command.optsWithGlobals<GlobalOptions>();
      process.exitCode = await follow(controlSocket(runtimeDir), flags);
    });
}

function eventId(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError("expected the id of an event, a whole number");
  return Number(text);
}

async function follow(socket: string, flags: Flags): Promise<number> {
  const paint = createPaint(process.stdout);
  const write = (event: NumberedEvent) => {
    process.stdout.write(`${flags.json === true ? JSON.stringify(event) : renderEvent(event, paint)}\n`);
  };
  try {
    const headers = flags.since === undefined ? {} : { "last-event-id": String(flags.since) };
    const stream = await openStream(socket, "/v1/events", headers);
    process.once("SIGINT", () => process.exit(ExitCode.done));
    const reader = new EventReader((id, data) => write({ id: Number(id), event: JSON.parse(data) as DaemonEvent }));
    const decoder = new TextDecoder();
    for await (const chunk of stream as AsyncIterable<Uint8Array>) reader.push(decoder.decode(chunk, { stream: true }));
    process.stderr.write("the daemon ended the stream\n");
    return ExitCode.noDaemon;
  } catch (error) {
    if (error instanceof ClientError) {
      process.stderr.write(`${error.message}\n`);
      return error.exitCode;
    }
    process.stderr.write(`lost the daemon: ${error instanceof Error ? error.message : String(error)}\n`);
    return ExitCode.noDaemon;
  }
}
