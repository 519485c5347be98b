/** `type: process` */
import type { ProcessParameters } from "../healthchecks/process.ts";
import { formatCommand } from "../scripts/command.ts";
import { checkSchema } from "./check-schema.ts";
import { command, resolveCommand } from "./command.ts";
import { standard, unset } from "./keys.ts";
import { text, whole } from "./kinds.ts";

const programName = text("the file name of a program, without its folder", (value) => {
  if (/^[^/\0\n]{1,255}$/.test(value)) return undefined;
  return value.includes("/") ? `write ${value.slice(value.lastIndexOf("/") + 1)}, or command: with the whole line` : "";
});
const most = 1_000_000;

export const processSchema = checkSchema({
  steady: true,
  keys: {
    program: unset(programName, "command", "File name of the program, as `ps -e` shows it. This, or command."),
    command: unset(
      command(),
      "program",
      "Words that the command line begins with. A first word without / is compared with the file name alone.",
    ),
    quorum: standard(whole(1, most), 1, "How many of these processes have to run."),
    quorum_max: unset(whole(1, most), "no limit", "How many of them may run; not less than quorum."),
  },
  resolve(
    { program, command: written, quorum = 1, quorum_max: quorumMax },
    path,
    report,
  ): ProcessParameters | undefined {
    const argv = resolveCommand(written, [...path, "command"], report);
    if (program !== undefined && written !== undefined) {
      report.error([...path, "command"], "program is given too: keep one of them");
    }
    if (quorumMax !== undefined && quorumMax < quorum) {
      report.error([...path, "quorum_max"], `expected at least quorum, ${quorum}, got ${quorumMax}`);
    }
    if (!["program", "command"].some((key) => report.isGiven([...path, key]))) {
      report.error(path, "program is missing: write program or command");
    }
    const wanted = program === undefined ? argv && { command: argv } : { program };
    if (wanted === undefined) return undefined;
    return { type: "process", wanted, quorum, ...(quorumMax === undefined ? {} : { quorumMax }) };
  },
  describe: ({ wanted, quorum, quorumMax }: ProcessParameters) => ({
    ...("program" in wanted ? wanted : { command: formatCommand(wanted.command) }),
    quorum,
    quorum_max: quorumMax,
  }),
});
