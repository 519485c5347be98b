/** The file as a tree in which every value and every key knows its place. */
import type { Path, Place } from "./problem.ts";

export interface ScalarNode {
  readonly kind: "scalar";
  readonly place: Place;
  readonly value: string | number | boolean | null;
  /** As written, variables filled in, quotes taken off. */
  readonly text: string;
  /** Written without quotes: YAML chose the type. */
  readonly plain: boolean;
}

export interface ListNode {
  readonly kind: "list";
  readonly place: Place;
  readonly items: readonly TreeNode[];
}

export interface Entry {
  readonly key: string;
  readonly place: Place;
  readonly value: TreeNode;
}

/** Entries in file order. A key may stand twice: the reader of the map says so. */
export interface MapNode {
  readonly kind: "map";
  readonly place: Place;
  readonly entries: readonly Entry[];
}

export type TreeNode = ScalarNode | ListNode | MapNode;

export function findEntry(node: TreeNode | undefined, key: string): Entry | undefined {
  return node?.kind === "map" ? node.entries.find((entry) => entry.key === key) : undefined;
}

/** What somebody else will make sense of, as YAML typed it. Of a key that stands twice the last one counts. */
export function plainValue(node: TreeNode): unknown {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "list") return node.items.map(plainValue);
  return Object.fromEntries(node.entries.map(({ key, value }) => [key, plainValue(value)]));
}

export function hasPath(root: TreeNode, path: Path): boolean {
  let node: TreeNode | undefined = root;
  for (const part of path) {
    if (typeof part !== "number") node = findEntry(node, part)?.value;
    else node = node?.kind === "list" ? node.items[part] : undefined;
  }
  return node !== undefined;
}

/** The place of the value at `path`, or of the nearest thing around it that exists. */
export function placeOf(root: TreeNode, path: Path): Place {
  let node = root;
  let place = root.place;
  for (const part of path) {
    if (typeof part === "number") {
      const item = node.kind === "list" ? node.items[part] : undefined;
      if (item === undefined) return place;
      node = item;
      place = item.place;
    } else {
      const entry = findEntry(node, part);
      if (entry === undefined) return place;
      node = entry.value;
      // A map begins on the line after its key; the key is what the reader looks for.
      place = entry.value.kind === "scalar" ? entry.value.place : entry.place;
    }
  }
  return place;
}

/** A word for the kind of a value that does not repeat the value: it may be a password. */
export function describeKind(node: TreeNode): string {
  if (node.kind === "map") return "a map";
  if (node.kind === "list") return "a list";
  if (node.value === null) return "nothing";
  if (typeof node.value === "string") return "text";
  return typeof node.value === "number" ? "a number" : `${node.value}`;
}
