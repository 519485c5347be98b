/** A command as a text, split into words as a shell would without being one, or as a list of words. */
import { z } from "zod";
import { type Argv, checkArgv, splitCommand } from "../scripts/command.ts";
import { text } from "./kinds.ts";
import type { Path } from "./problem.ts";
import type { Report } from "./report.ts";

const line = text("a program with its arguments", (value) => (value.trim() === "" ? "" : undefined));
const words = z.array(text("a word of the command", () => undefined));

const userOrGroup = "(?:[A-Za-z_][A-Za-z0-9_.-]{0,30}\\$?|\\d{1,10})";

/** Whom a command runs as. */
export const scriptUser = text("the name of a user, or user:group", (value) =>
  new RegExp(`^${userOrGroup}(?::${userOrGroup})?$`).test(value) ? undefined : "",
);

export function command() {
  return z.union([line, words]).meta({ "x-bounds": "a text, or a list of words" });
}

/** Undefined when it is missing, or wrong and reported. */
export function resolveCommand(
  written: string | readonly (string | undefined)[] | undefined,
  path: Path,
  report: Report,
): Argv | undefined {
  if (written === undefined) return undefined;
  const list = typeof written === "string" ? undefined : written.filter((word) => word !== undefined);
  // A word that could not be read has its message.
  if (list !== undefined && list.length !== written.length) return undefined;
  const argv = typeof written === "string" ? splitCommand(written) : checkArgv(list ?? []);
  if (typeof argv !== "string") return argv;
  report.error(path, `the command ${argv}`);
  return undefined;
}
