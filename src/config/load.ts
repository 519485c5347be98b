/** The shell of the configuration: reads the files and follows their includes. What they say is judged by pure functions. */
import { closeSync, constants, fstatSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { hostname } from "node:os";
import type { KeyFiles } from "./auth-hmac.ts";
import type { Config } from "./config.ts";
import { expandPattern, hasWildcard, type Include, includesOf } from "./include.ts";
import { mergeFiles, type SourceFile } from "./merge.ts";
import { formatPlace, hasErrors, type Place, type Problem, sortProblems } from "./problem.ts";
import { whyNot } from "./read-failure.ts";
import { resolveConfig } from "./resolve.ts";
import { readRoutingNames } from "./routing-names.ts";
import { parseText } from "./syntax.ts";
import { largestFile } from "./text.ts";
import type { Environment } from "./variables.ts";

export interface LoadOptions {
  readonly readFile?: (path: string) => Uint8Array | string;
  /** Type and permissions of a key file; unknown when it is not asked for, as with a `readFile` of somebody else's. */
  readonly modeOf?: (path: string) => number | undefined;
  /** Names in a directory, for patterns in `include`. */
  readonly listDirectory?: (path: string) => readonly string[];
  /** Values for `${NAME}`; the environment of the process unless given. */
  readonly env?: Environment;
  /** Default of `global.router_id`; the name of the host unless given. */
  readonly hostName?: string;
}

export interface Loaded {
  /** Undefined when any problem is an error. */
  readonly config: Config | undefined;
  /** In reading order, warnings included. */
  readonly problems: readonly Problem[];
  /** Every file that was read or should have been, the first one first. */
  readonly files: readonly string[];
}

const deepestInclude = 10;
const mostFiles = 1000;

/** Never throws: a file that cannot be read is a problem like any other. */
export function loadConfig(file: string, options: LoadOptions = {}): Loaded {
  const readFile = options.readFile ?? readBounded;
  const modeOf =
    options.modeOf ?? (options.readFile === undefined ? (path: string) => statSync(path).mode : unknownMode);
  const listDirectory = options.listDirectory ?? ((path: string) => readdirSync(path));
  const environment = options.env ?? process.env;
  const problems: Problem[] = [];
  const sources: SourceFile[] = [];
  const files = new Map<string, Place | undefined>();
  const unfilled: Problem[] = [];

  function complain(place: Place, path: string, message: string): void {
    const { file, line, column } = place;
    problems.push({ file, line, column, path, severity: "error", message });
  }

  function visit(path: string, from: Include | undefined, chain: readonly string[]): void {
    files.set(path, from?.place);
    let bytes: Uint8Array | string;
    try {
      bytes = readFile(path);
    } catch (error) {
      const message = `cannot read ${path}: ${whyNot(error)}`;
      if (from === undefined) complain({ file: path, line: 0, column: 0 }, "", `cannot be read: ${whyNot(error)}`);
      else complain(from.place, "include", message);
      return;
    }
    const parsed = parseText(path, bytes, environment);
    problems.push(...parsed.problems);
    unfilled.push(...parsed.unfilled);
    if (parsed.root === undefined) {
      // An included file may be empty; a configuration that says nothing is a mistake.
      if (parsed.problems.length === 0 && from === undefined) {
        complain(
          { file: path, line: 1, column: 1 },
          "",
          "the file is empty: it needs at least vrrp_instance or virtual_server",
        );
      }
      return;
    }
    sources.push({ file: path, root: parsed.root });
    for (const include of includesOf(parsed.root)) follow(include, path, [...chain, path]);
  }

  function expand(include: Include, path: string): readonly string[] {
    try {
      return expandPattern(include.pattern, path, listDirectory);
    } catch (error) {
      complain(include.place, "include", `cannot look for ${include.pattern}: ${whyNot(error)}`);
      return [];
    }
  }

  function follow(include: Include, path: string, chain: readonly string[]): void {
    for (const found of expand(include, path)) {
      const earlier = files.get(found);
      if (chain.includes(found)) {
        const round = [...chain.slice(chain.indexOf(found)), found].join(" → ");
        const advice = hasWildcard(include.pattern) ? ": choose a pattern that does not match it" : "";
        complain(include.place, "include", `${found} includes itself (${round})${advice}`);
      } else if (earlier !== undefined) {
        complain(include.place, "include", `${found} is already included at ${formatPlace(earlier)}`);
      } else if (chain.length > deepestInclude) {
        complain(include.place, "include", `files include each other more than ${deepestInclude} levels deep`);
      } else if (files.size >= mostFiles) {
        complain(include.place, "include", `more than ${mostFiles} files`);
      } else {
        visit(found, include, chain);
      }
    }
  }

  visit(file, undefined, []);
  const names = [...files.keys()];
  // After a syntax error half of the keys would be missing, and every missing one a problem of its own.
  if (sources.length === 0 || hasErrors(problems)) {
    return { config: undefined, problems: sortProblems([...problems, ...unfilled], names), files: names };
  }
  problems.push(...unfilled);
  const merged = mergeFiles(sources);
  problems.push(...merged.problems);
  if (merged.problems.length > 0 && sources.length === 1) return { config: undefined, problems, files: names };
  const keyFiles: KeyFiles = {
    read(path: string) {
      names.push(path);
      const mode = modeOf(path);
      // Reading a pipe waits for a writer.
      if (mode !== undefined && (mode & constants.S_IFMT) !== constants.S_IFREG) throw new Error("it is no plain file");
      return { bytes: readFile(path), mode };
    },
  };
  const routingNames = readRoutingNames(
    (path) => attempt(() => textOf(readFile(path))),
    (path) => attempt(() => listDirectory(path)) ?? [],
  );
  const resolved = resolveConfig(merged.root, options.hostName ?? hostname(), keyFiles, routingNames);
  // A value that could not be filled in is not judged as well.
  const complained = new Set(unfilled.map(placeKey));
  problems.push(...resolved.problems.filter((problem) => !complained.has(placeKey(problem))));
  return {
    config: hasErrors(problems) ? undefined : resolved.config,
    problems: sortProblems(problems, names),
    files: [...new Set(names)],
  };
}

function unknownMode(): undefined {}
/** Files of other programs: one that is not there or cannot be read knows no names. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function textOf(bytes: Uint8Array | string): string {
  return typeof bytes === "string" ? bytes : new TextDecoder().decode(bytes);
}

function placeKey({ file, line, column }: Problem): string {
  return `${file}:${line}:${column}`;
}

/** One byte more than allowed is enough for the complaint; a device or a pipe would otherwise be read for ever. */
export function readBounded(path: string): Uint8Array {
  // Opening a named pipe would wait for a writer, for ever perhaps. What a shell hands over is written to already.
  if (statSync(path).isFIFO() && !/^\/(dev|proc\/self)\/(fd\/|stdin$)/.test(path))
    throw new Error("it is a pipe: name a file");
  const descriptor = openSync(path, "r");
  try {
    const size = fstatSync(descriptor).size;
    let buffer = new Uint8Array(Math.min(Math.max(size, 4096), largestFile) + 1);
    let length = 0;
    while (length <= largestFile) {
      if (length === buffer.length) {
        const larger = new Uint8Array(Math.min(buffer.length * 2, largestFile + 1));
        larger.set(buffer);
        buffer = larger;
      }
      const count = readSync(descriptor, buffer, length, buffer.length - length, null);
      if (count === 0) break;
      length += count;
    }
    return buffer.subarray(0, length);
  } finally {
    closeSync(descriptor);
  }
}
