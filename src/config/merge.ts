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
  for (const { root } of sources) {
    if (root.kind !== "map") {
      const message = `expected a map of keys at the top of the file: write "vrrp_instance:" or "virtual_server:" and go on below it, indented`;
      problems.push({ ...root.place, path: "", severity: "error", message });
      continue;
    }
    const seen = new Set<string>();
    for (const entry of root.entries) {
      const i = seen.has(entry.key) ? -1 : sections.findIndex((section) => section.key === entry.key);
      const earlier = sections[i];
      const joined = earlier && join(earlier, entry);
      seen.add(entry.key);
      if (joined === undefined) sections.push(entry);
      else sections[i] = joined;
    }
  }
  const place = sources[0]?.root.place ?? { file: "", line: 0, column: 0 };
  return { root: { kind: "map", place, entries: sections }, problems };
}

function join(a: Entry, b: Entry): Entry | undefined {
  if (a.key === "include")
    return { ...a, value: { kind: "list", place: a.value.place, items: [...items(a), ...items(b)] } };
  if (a.value.kind !== "map" || b.value.kind !== "map") return undefined;
  return { ...a, value: { ...a.value, entries: [...a.value.entries, ...b.value.entries] } };
}

function items({ value }: Entry): readonly TreeNode[] {
  return value.kind === "list" ? value.items : [value];
}
