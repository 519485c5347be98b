/** Several files as one tree: sections of the same name are joined, their entries keep their own places. */
import type { Problem } from "./problem.ts";
import type { Entry, MapNode, TreeNode } from "./tree.ts";

export interface SourceFile {
  readonly file: string;
  readonly root: TreeNode;
}

export interface Merged {
  readonly root: MapNode;
  readonly problems: readonly Problem[];
}

/** The key twice in one file is left as it is: the reader of the map reports it. */
export function mergeFiles(sources: readonly SourceFile[]): Merged {
  const sections: Entry[] = [];
  const problems: Problem[] = [];
  for (const { file, root } of sources) {
    if (root.kind !== "map") {
      const message = `expected a map of keys at the top of the file: write "vrrp_instance:" and go on below it, indented`;
      problems.push({ ...root.place, path: "", severity: "error", message });
      continue;
    }
    for (const entry of root.entries) {
      const i = sections.findIndex((section) => section.key === entry.key && section.place.file !== file);
      const earlier = sections[i];
      if (earlier?.value.kind === "map" && entry.value.kind === "map") {
        const entries = [...earlier.value.entries, ...entry.value.entries];
        sections[i] = { ...earlier, value: { ...earlier.value, entries } };
      } else {
        sections.push(entry);
      }
    }
  }
  const place = sources[0]?.root.place ?? { file: "", line: 0, column: 0 };
  return { root: { kind: "map", place, entries: sections }, problems };
}
