/** `include`: file names and patterns, resolved beside the file that contains them. */
import { posix } from "node:path";
import type { Place } from "./problem.ts";
import { findEntry, type TreeNode } from "./tree.ts";

export interface Include {
  readonly pattern: string;
  readonly place: Place;
}

/** The patterns of a file; anything that is no text is left for the schema to complain about. */
export function includesOf(root: TreeNode): Include[] {
  const value = findEntry(root, "include")?.value;
  const items = value?.kind === "list" ? value.items : value === undefined ? [] : [value];
  return items.flatMap((item) =>
    item.kind === "scalar" && typeof item.value === "string" && item.value !== ""
      ? [{ pattern: item.value, place: item.place }]
      : [],
  );
}

export function hasWildcard(pattern: string): boolean {
  return /[*?]/.test(pattern);
}

/**
 * The files a pattern stands for, sorted by name. `*` and `?` match within one name, and not a leading dot. A name without
 * them is returned as it is. What `listDirectory` throws, this throws: files that cannot be seen must not count as removed.
 */
export function expandPattern(
  pattern: string,
  includedFrom: string,
  listDirectory: (path: string) => readonly string[],
): string[] {
  const absolute = posix.isAbsolute(pattern) ? pattern : posix.join(posix.dirname(includedFrom), pattern);
  if (!hasWildcard(pattern)) return [posix.normalize(absolute)];
  const parts = posix.normalize(absolute).split("/");
  let found = [absolute.startsWith("/") ? "/" : ""];
  for (const part of parts.filter((name) => name !== "")) {
    found = found.flatMap((directory) =>
      hasWildcard(part)
        ? listDirectory(directory === "" ? "." : directory)
            .filter((name) => matches(name, part))
            .map((name) => posix.join(directory, name))
        : [posix.join(directory, part)],
    );
  }
  return found.toSorted();
}

/** No regular expression: a row of stars would take exponential time. */
export function matches(name: string, pattern: string): boolean {
  if (name.startsWith(".") && !pattern.startsWith(".")) return false;
  let at = 0;
  let star = -1;
  let resume = 0;
  let i = 0;
  while (i < name.length) {
    if (at < pattern.length && pattern[at] === "*") {
      star = at++;
      resume = i;
    } else if (at < pattern.length && (pattern[at] === "?" || pattern[at] === name[i])) {
      at++;
      i++;
    } else if (star >= 0) {
      at = star + 1;
      i = ++resume;
    } else {
      return false;
    }
  }
  while (pattern[at] === "*") at++;
  return at === pattern.length;
}
