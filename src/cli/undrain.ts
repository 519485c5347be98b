/** `viprd undrain`: a drained server gets new connections again. */
import { Command } from "commander";
import { controlSocket } from "../daemon/paths.ts";
import { ExitCode } from "./exit-code.ts";
import type { GlobalOptions } from "./global-options.ts";
import { describeOrder, order, print, serverArgument, telling } from "./server-order.ts";

interface Flags {
  readonly service?: string;
  readonly json?: true;
}

export function undrainCommand(): Command {
  return new Command("undrain")
    .description("Takes a drain back: the server gets new connections again, if its checks say that it is up.")
    .argument("<server>", serverArgument)
    .option("--service <name>", "in this virtual server only")
    .option("--json", "the answer as JSON")
    .action(async (server: string, { service, json }: Flags, command: Command) => {
      const socket = controlSocket(command.optsWithGlobals<GlobalOptions>().runtimeDir);
      process.exitCode = await telling(async () => {
        const answer = await order(socket, "/v1/undrain", { server, ...(service === undefined ? {} : { service }) });
        print(json, answer, describeOrder(answer, "drain"));
        return ExitCode.done;
      });
    });
}
