/** What is wrong with a configuration, and where. All problems of a run are collected; none of them is thrown. */

export interface Place {
  readonly file: string;
  /** From 1; 0 when the file as a whole is meant. */
  readonly line: number;
  readonly column: number;
}

/** A warning is worth telling, but the configuration is still used. */
export type Severity = "error" | "warning";

export interface Problem extends Place {
  /** Where in the configuration, e.g. `vrrp_instance.web.priority`; empty at the top. */
  readonly path: string;
  readonly severity: Severity;
  /** The rule, the value that breaks it, and what to write instead. Never a password. */
  readonly message: string;
}

export type Path = readonly (string | number)[];

/** `vrrp_instance.web.virtual_ipaddress[0]` */
export function formatPath(path: Path): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else text += text === "" ? part : `.${part}`;
  }
  return text;
}

/** `FILE:LINE:COL` */
export function formatPlace(place: Place): string {
  return place.line === 0 ? place.file : `${place.file}:${place.line}:${place.column}`;
}

/** `FILE:LINE:COL: path: message` */
export function formatProblem(problem: Problem): string {
  const path = problem.path === "" ? "" : `${problem.path}: `;
  const severity = problem.severity === "warning" ? "warning: " : "";
  return `${formatPlace(problem)}: ${path}${severity}${problem.message}`;
}

export function hasErrors(problems: readonly Problem[]): boolean {
  return problems.some((problem) => problem.severity === "error");
}

/** In reading order: files as they were read, then lines. Stable for problems of one place. */
export function sortProblems(problems: readonly Problem[], files: readonly string[]): Problem[] {
  const rank = new Map(files.map((file, i) => [file, i]));
  const order = (problem: Problem) => rank.get(problem.file) ?? files.length;
  return problems.toSorted((a, b) => order(a) - order(b) || a.line - b.line || a.column - b.column);
}
