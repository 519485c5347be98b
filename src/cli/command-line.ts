/** The command line as a whole: global options, one lazily loaded file for each command, exit codes. */
import { readFileSync } from "node:fs";
import { Command, CommanderError, Option } from "commander";
import { ExitCode } from "./exit-code.ts";
import { defaultConfigFile, defaultRuntimeDirectory } from "./global-options.ts";

interface CommandEntry {
  readonly summary: string;
  load(main: string): Promise<Command>;
}

const commands: Readonly<Record<string, CommandEntry>> = {
  run: {
    summary: "run the daemon in the foreground",
    load: async (main) => (await import("./run.ts")).runCommand(main, version()),
  },
  check: {
    summary: "check a configuration file",
    load: async () => (await import("./check.ts")).checkCommand(),
  },
  status: {
    summary: "show who is active, since when and why",
    load: async () => (await import("./status.ts")).statusCommand(),
  },
  events: {
    summary: "follow transitions and repairs as they happen",
    load: async () => (await import("./events.ts")).eventsCommand(),
  },
  maintenance: {
    summary: "take instances or servers out of service, put them back",
    load: async () => (await import("./maintenance.ts")).maintenanceCommand(),
  },
  drain: {
    summary: "let a server finish what it has, with nothing new",
    load: async () => (await import("./drain.ts")).drainCommand(),
  },
  undrain: {
    summary: "give a drained server new connections again",
    load: async () => (await import("./undrain.ts")).undrainCommand(),
  },
  weight: {
    summary: "give a server another weight for a while",
    load: async () => (await import("./weight.ts")).weightCommand(),
  },
  decode: {
    summary: "explain captured VRRP packets",
    load: async () => (await import("./decode.ts")).decodeCommand(),
  },
};

/** What other programs have. */
const otherCommands: Readonly<Record<string, string>> = {
  start: "`viprd run` in the foreground, or systemctl start viprd",
  stop: "systemctl stop viprd, or SIGTERM to the process that viprd.pid names",
  restart: "systemctl restart viprd",
  reload: `systemctl reload viprd, or kill -HUP $(head -1 ${defaultRuntimeDirectory}/viprd.pid)`,
};

const help = `
Examples:
  viprd check                      check ${defaultConfigFile}; say how long a failover takes
  viprd run                        run the daemon; stop it with Ctrl-C or SIGTERM
  viprd status                     who is active, since when, why
  viprd status web --watch         one instance, redrawn each second
  viprd events                     follow what happens
  viprd maintenance on --reason "new kernel" --for 1h   give up every role; maintenance off takes part again
  viprd drain 192.0.2.21:443 --wait   no new connections for it; return when none is active
  kill -HUP $(head -1 ${defaultRuntimeDirectory}/viprd.pid)   read the file again

Exit codes:
  0  done
  1  the answer is no, or the daemon refused
  2  wrong usage, or problems in the configuration
  3  no daemon to talk to

Files:
  ${defaultConfigFile}          configuration
  ${defaultRuntimeDirectory}/control.sock        control interface (HTTP), for root and the group viprd
  ${defaultRuntimeDirectory}/viprd.pid           process id of the daemon
`;

/** Runs one command. `main` is the program's own file, which \`run\` starts its children from. */
export async function runCommandLine(words: readonly string[], main: string): Promise<void> {
  // `viprd status | head` ends when head does, without a stack trace.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      process.exit(ExitCode.done);
    });
  }
  const asked = commandWord(words);
  const advice = asked !== undefined && Object.hasOwn(otherCommands, asked) ? otherCommands[asked] : undefined;
  if (advice !== undefined) {
    process.stderr.write(`viprd has no command ${asked}: ${advice}\n`);
    process.exitCode = ExitCode.usage;
    return;
  }
  const program = await buildProgram(asked, main);
  try {
    await program.parseAsync(words, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? ExitCode.done : Math.max(ExitCode.usage, error.exitCode);
  }
}

/** Only the command that was asked for is loaded; the others are there for the help and for suggestions. */
async function buildProgram(word: string | undefined, main: string): Promise<Command> {
  const program = new Command("viprd")
    .description("Virtual-IP failover and load balancing for Linux: VRRP versions 2 and 3, IPVS, IPv4 and IPv6.")
    .version(version(), "-V, --version", "print the version")
    .helpOption("-h, --help", "explain")
    .helpCommand("help [command]", "explain a command")
    .option("-c, --config <file>", "configuration file", defaultConfigFile)
    .option("--runtime-dir <directory>", "where control socket and pid file are", defaultRuntimeDirectory)
    .addOption(
      new Option("--log-format <format>", "of `run`; default: pretty on a terminal, json otherwise").choices([
        "pretty",
        "json",
      ]),
    )
    .addOption(
      new Option("--log-level <level>", "least severe level told")
        .choices(["debug", "info", "warn", "error"])
        .default("info"),
    )
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError("(viprd --help explains)")
    .exitOverride()
    .addHelpText("after", help);
  const asked = word === "help" ? undefined : word;
  for (const [name, entry] of Object.entries(commands)) {
    const command = name === asked || word === "help" ? await entry.load(main) : new Command(name);
    command.copyInheritedSettings(program).summary(entry.summary);
    program.addCommand(command);
  }
  return program;
}

const optionsWithValue = new Set(["-c", "--config", "--runtime-dir", "--log-format", "--log-level"]);

/** The first word that is neither an option nor the value of one. */
export function commandWord(words: readonly string[]): string | undefined {
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    if (optionsWithValue.has(word)) i += 1;
    else if (!word.startsWith("-")) return word;
  }
  return undefined;
}

function version(): string {
  const file = new URL("../../package.json", import.meta.url);
  return String((JSON.parse(readFileSync(file, "utf8")) as { version?: unknown }).version);
}
