/** `viprd weight`: another weight for a server than the file says, while viprd runs. */
import { Command, InvalidArgumentError } from "commander";
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

interface Flags extends BeginFlags {
  readonly service?: string;
  readonly json?: true;
}

export function weightCommand(): Command {
  return new Command("weight")
    .description(
      "Gives a server another weight than the file says, also after a restart of the daemon, until `reset`. With weight 0\n" +
        "it gets no new connections.",
    )
    .argument("<server>", serverArgument)
    .argument("<weight>", "a number, a share of the weight in the file like 50%, or reset", weight)
    .option("--service <name>", "in this virtual server only")
    .option("--for <duration>", "taken back by itself after this time: 10m, 2h", duration)
    .option("--reason <text>", "why, for whoever reads the status")
    .option("--force", "also when a virtual server is left without a server")
    .option("--json", "the answer as JSON")
    .action(async (server: string, wanted: number | string | null, flags: Flags, command: Command) => {
      const socket = controlSocket(command.optsWithGlobals<GlobalOptions>().runtimeDir);
      const { service, json } = flags;
      process.exitCode = await telling(async () => {
        const about = { server, ...(service === undefined ? {} : { service }) };
        const answer = await order(socket, "/v1/weight", about, { weight: wanted, ...beginBody(flags) });
        print(json, answer, describeOrder(answer, "weight"));
        return ExitCode.done;
      });
    });
}

/** As the control interface has it; null is the one in the file. */
function weight(text: string): number | string | null {
  if (text === "reset") return null;
  if (/^\d{1,4}%$/.test(text) && Number.parseInt(text, 10) <= 1000) return text;
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new InvalidArgumentError("expected a number from 0 to 65535, a share of 0% to 1000%, or reset");
}
