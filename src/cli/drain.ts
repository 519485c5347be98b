/** `viprd drain`: a server gets nothing new and keeps what it has; waits, if asked to, until that has ended. */
import { Command } from "commander";
import { controlSocket } from "../daemon/paths.ts";
import { ExitCode } from "./exit-code.ts";
import type { GlobalOptions } from "./global-options.ts";
import {
  type BeginFlags,
  beginBody,
  describeOrder,
  duration,
  order,
  print,
  serverArgument,
  telling,
} from "./server-order.ts";
import { waitUntilDrained } from "./wait-drained.ts";

interface Flags extends BeginFlags {
  readonly service?: string;
  readonly wait?: true;
  readonly timeout?: number;
  readonly json?: true;
}

const usualTimeout = 600_000;

export function drainCommand(): Command {
  return new Command("drain")
    .description(
      "Takes a server out of the load balancer gently: it gets no new connections and keeps those it has, until\n" +
        "`viprd undrain`, also after a restart of the daemon. Its checks go on.",
    )
    .argument("<server>", serverArgument)
    .option("--service <name>", "in this virtual server only")
    .option("--for <duration>", "taken back by itself after this time: 10m, 2h", duration)
    .option("--reason <text>", "why, for whoever reads the status")
    .option("--force", "also when a virtual server is left without a server")
    .option(
      "--wait",
      "return when no active connection is left (over UDP and by mark: none at all); Ctrl-C ends the waiting, not the drain",
    )
    .option("--timeout <duration>", "with --wait: wait no longer than this; 10m unless given", duration)
    .option("--json", "the answer as JSON")
    .action(async (server: string, flags: Flags, command: Command) => {
      const socket = controlSocket(command.optsWithGlobals<GlobalOptions>().runtimeDir);
      process.exitCode = await telling(() => drain(socket, server, flags));
    });
}

async function drain(socket: string, server: string, flags: Flags): Promise<number> {
  if (flags.timeout !== undefined && flags.wait !== true) {
    process.stderr.write("--timeout is how long --wait waits: write that, too; --for ends the drain\n");
    return ExitCode.usage;
  }
  const about = { server, ...(flags.service === undefined ? {} : { service: flags.service }) };
  const answer = await order(socket, "/v1/drain", about, beginBody(flags));
  if (flags.wait !== true) {
    print(flags.json, answer, describeOrder(answer, "drain"));
    return ExitCode.done;
  }
  const say = flags.json === true ? () => {} : (line: string) => process.stdout.write(`${line}\n`);
  const first = describeOrder(answer, "drain").trimEnd();
  const end = await waitUntilDrained(socket, answer.servers, { timeout: flags.timeout ?? usualTimeout, say, first });
  if (flags.json === true) process.stdout.write(`${JSON.stringify({ ...answer, waited: end }, null, 2)}\n`);
  if (end.outcome === "drained") return ExitCode.done;
  const back = `viprd undrain ${server}${flags.service === undefined ? "" : ` --service ${flags.service}`}`;
  process.stderr.write(
    `${end.message}${end.outcome === "ended" ? "" : `; the drain stays in force: ${back} takes it back`}\n`,
  );
  return end.outcome === "no daemon" ? ExitCode.noDaemon : ExitCode.no;
}
