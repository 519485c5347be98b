/** `viprd maintenance`: takes instances, or a server of the load balancer, out of service and puts them back. */
import { Argument, Command } from "commander";
import { controlSocket } from "../daemon/paths.ts";
import { postJson } from "./client.ts";
import { ExitCode } from "./exit-code.ts";
import type { GlobalOptions } from "./global-options.ts";
import { beginBody, describeOrder, duration, order, print, serverArgument, telling } from "./server-order.ts";

interface Flags {
  readonly reason?: string;
  readonly for?: number;
  readonly json?: true;
  readonly server?: string;
  readonly service?: string;
  readonly force?: true;
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
        "they are put back, whatever happens to the other routers, also after a restart of the daemon. With --server a\n" +
        "server of the load balancer instead: it gets nothing new, and what its checks say does not count.",
    )
    .addArgument(new Argument("<switch>", "take out of service, or put back").choices(["on", "off"]))
    .argument("[instance...]", "these instances; all of them when none is named")
    .option("--reason <text>", "why, for whoever reads the status")
    .option("--for <duration>", "put back by itself after this time: 10m, 2h", duration)
    .option("--server <server>", `a server instead of instances: ${serverArgument}`)
    .option("--service <name>", "with --server: in this virtual server only")
    .option("--force", "with --server: also when a virtual server is left without a server")
    .option("--json", "the answer as JSON")
    .action(async (word: string, instances: string[], flags: Flags, command: Command) => {
      const socket = controlSocket(command.optsWithGlobals<GlobalOptions>().runtimeDir);
      const { server, service, force } = flags;
      if (server === undefined && (service !== undefined || force !== undefined)) {
        command.error("error: --service and --force are for a server: name it with --server");
      }
      if (server !== undefined && instances.length > 0) {
        command.error("error: either --server or names of instances");
      }
      const on = word === "on";
      process.exitCode = await telling(() =>
        server === undefined ? maintenance(socket, on, instances, flags) : ofServer(socket, on, server, flags),
      );
    });
}

async function maintenance(socket: string, on: boolean, instances: readonly string[], flags: Flags): Promise<number> {
  const answer = (await postJson(socket, "/v1/maintenance", {
    on,
    ...(instances.length === 0 ? {} : { instances }),
    ...beginBody(flags),
  })) as Answer;
  print(flags.json, answer, describe(answer));
  return ExitCode.done;
}

async function ofServer(socket: string, on: boolean, server: string, flags: Flags): Promise<number> {
  const about = { server, ...(flags.service === undefined ? {} : { service: flags.service }) };
  const answer = await order(socket, "/v1/maintenance", about, { on, ...beginBody(flags) });
  print(flags.json, answer, describeOrder(answer, "maintenance"));
  return ExitCode.done;
}

function describe({ on, instances, until }: Answer): string {
  if (instances.length === 0) return "none was out of service\n";
  const end = until === null ? "" : ` until ${until}`;
  return instances.map((name) => `${name}: ${on ? `out of service${end}` : "back in service"}\n`).join("");
}
