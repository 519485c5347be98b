/** Collects the problems of one configuration; knows the tree, so that a path is enough to find the place. */
import { formatPath, formatProblem, type Path, type Place, type Problem, type Severity } from "./problem.ts";
import { hasPath, placeOf, type TreeNode } from "./tree.ts";

export class Report {
  readonly #root: TreeNode;
  readonly #problems: Problem[] = [];
  /** What several use is looked at by each of them. */
  readonly #told = new Set<string>();

  constructor(root: TreeNode) {
    this.#root = root;
  }

  get problems(): readonly Problem[] {
    return this.#problems;
  }

  error(path: Path, message: string): void {
    this.at(this.placeOf(path), path, message, "error");
  }

  warn(path: Path, message: string): void {
    this.at(this.placeOf(path), path, message, "warning");
  }

  at(place: Place, path: Path, message: string, severity: Severity = "error"): void {
    const problem = {
      file: place.file,
      line: place.line,
      column: place.column,
      path: formatPath(path),
      severity,
      message,
    };
    const text = formatProblem(problem);
    if (this.#told.has(text)) return;
    this.#told.add(text);
    this.#problems.push(problem);
  }

  /** For a second look at the same thing: it knows the file, and tells nobody. */
  muted(): Report {
    return new Report(this.#root);
  }

  /** The file says something at `path`, right or wrong. */
  isGiven(path: Path): boolean {
    return hasPath(this.#root, path);
  }

  /** Whether anything was found at the path or below it: what is half there is not judged any further. */
  has(path: Path): boolean {
    const text = formatPath(path);
    return this.#problems.some((problem) => problem.path.startsWith(text));
  }

  placeOf(path: Path): Place {
    return placeOf(this.#root, path);
  }
}
