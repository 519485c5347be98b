/**
 * Reads a tree by a zod schema, value by value, and goes on after a mistake: a bad value is reported and left out,
 * everything else is returned, so that all problems of a file come out at once.
 */
import { z } from "zod";
import { adviceForKey } from "./hints.ts";
import { adviceForType } from "./hints-lvs.ts";
import { expected, listed, show } from "./kinds.ts";
import { formatPlace, type Path } from "./problem.ts";
import type { Report } from "./report.ts";
import { nearest } from "./suggest.ts";
import {
  describeKind,
  type Entry,
  findEntry,
  type MapNode,
  plainValue,
  type ScalarNode,
  type TreeNode,
} from "./tree.ts";

type Schema = z.core.$ZodType;

/** What is left when any part may have been left out. */
export type Loose<T> = T extends readonly (infer Item)[]
  ? readonly (Loose<Item> | undefined)[]
  : T extends object
    ? { readonly [Key in keyof T]?: Loose<T[Key]> | undefined }
    : T;

export function read<S extends Schema>(
  schema: S,
  node: TreeNode,
  path: Path,
  report: Report,
): Loose<z.output<S>> | undefined {
  return readerOf(schema)(node, [...path], report) as Loose<z.output<S>> | undefined;
}

/** What a schema makes of a value. Made once for each: a file has tens of thousands of values, and some hundred schemas. */
type Reader = (node: TreeNode, path: Mutable, report: Report) => unknown;

/** Of the value that is being read. */
type Mutable = (string | number)[];

/** Of the values that were good for one key. */
const mostRemembered = 64;

const readers = new WeakMap<Schema, Reader>();

function readerOf(schema: Schema): Reader {
  const known = readers.get(schema);
  if (known !== undefined) return known;
  const reader = makeReader(schema);
  readers.set(schema, reader);
  return reader;
}

function makeReader(schema: Schema): Reader {
  if (schema instanceof z.ZodOptional) return optionalReader(schema.unwrap());
  if (schema instanceof z.ZodDiscriminatedUnion) return typedReader(schema);
  if (schema instanceof z.ZodUnion) return unionReader(schema.options);
  if (schema instanceof z.ZodObject) return blockReader(schema.shape);
  if (schema instanceof z.ZodRecord) return recordReader(schema);
  if (schema instanceof z.ZodArray) return listReader(schema.element);
  if (schema instanceof z.ZodUnknown) return plainValue;
  return leafReader(schema);
}

/** Made when the file has something for it: most keys are not used. */
function later(schema: Schema): Reader {
  let reader: Reader | undefined;
  return (node, path, report) => {
    reader ??= readerOf(schema);
    return reader(node, path, report);
  };
}

function below(part: string | number, reader: Reader, node: TreeNode, path: Mutable, report: Report): unknown {
  path.push(part);
  const value = reader(node, path, report);
  path.pop();
  return value;
}

function optionalReader(schema: Schema): Reader {
  const reader = readerOf(schema);
  if (!expectsBlock(schema)) return reader;
  return (node, path, report) =>
    isNothing(node)
      ? void report.error(path, "is empty: give it a value, or remove the line")
      : reader(node, path, report);
}

function expectsBlock(schema: Schema): boolean {
  return schema instanceof z.ZodArray || isMap(schema);
}

function isMap(schema: Schema): boolean {
  return [z.ZodObject, z.ZodRecord, z.ZodDiscriminatedUnion].some((kind) => schema instanceof kind);
}

function isNothing(node: TreeNode): boolean {
  return node.kind === "scalar" && node.value === null;
}

/** A list for a list, a map for a map; text and numbers go to the option that is neither. */
function unionReader(options: readonly Schema[]): Reader {
  const scalar = later(options.find((option) => !expectsBlock(option)) ?? z.never());
  const [list, map] = [options.find((option) => option instanceof z.ZodArray), options.find(isMap)];
  const byKind = {
    scalar,
    list: list === undefined ? scalar : later(list),
    map: map === undefined ? scalar : later(map),
  };
  return (node, path, report) => byKind[node.kind](node, path, report);
}

function blockReader(shape: Readonly<Record<string, Schema>>): Reader {
  const known = Object.keys(shape);
  const byKey = new Map(Object.entries(shape).map(([key, schema]) => [key, later(schema)]));
  const needed = known.filter((key) => !(shape[key] instanceof z.ZodOptional));
  return (node, path, report) => {
    if (node.kind !== "map") {
      const equals = node.kind === "scalar" && /^\w+\s*=/.test(node.text);
      const advice = equals ? `write ": " after a key, not "="` : "write each key on a line of its own below";
      report.error(path, `expected a map of keys, got ${describeKind(node)}: ${advice}`);
      return undefined;
    }
    const values: Record<string, unknown> = {};
    const meant = new Set<string>();
    for (const entry of distinct(node, path, report)) {
      const reader = byKey.get(entry.key);
      if (reader === undefined) {
        meant.add(reportUnknown(entry, known, path, report));
        continue;
      }
      const value = below(entry.key, reader, entry.value, path, report);
      if (value !== undefined) values[entry.key] = value;
    }
    for (const key of needed) {
      // A required key that is only misspelled has its message already.
      if (findEntry(node, key) === undefined && !meant.has(key)) report.error(path, `${key} is missing`);
    }
    return values;
  };
}

/** A map whose keys depend on the word at one of them. */
function typedReader(schema: z.ZodDiscriminatedUnion): Reader {
  const { discriminator, options } = schema.def;
  const byWord = new Map(
    options.flatMap((option) => [...wordsOf(option, discriminator)].map((word) => [word, later(option)])),
  );
  const noBlock = blockReader({});
  const words = listed([...byWord.keys()]);
  return (node, path, report) => {
    if (node.kind !== "map") return noBlock(node, path, report);
    const entry = findEntry(node, discriminator);
    if (entry === undefined) {
      report.error(path, `${discriminator} is missing: write ${words}`);
      return undefined;
    }
    const input = entry.value.kind === "scalar" ? entry.value.value : entry.value.kind === "list" ? [] : {};
    const option = typeof input === "string" ? byWord.get(input) : undefined;
    if (option !== undefined) return option(node, path, report);
    const word = typeof input === "string" ? input : "";
    const near = nearest(word, byWord.keys());
    const advice = adviceForType(word, path) ?? (near === undefined ? undefined : `did you mean ${near}?`);
    report.error([...path, discriminator], expected(words, input, advice));
    return undefined;
  };
}

function wordsOf(option: Schema, key: string): Set<string> {
  const literal = option instanceof z.ZodObject ? option.shape[key] : undefined;
  return new Set(literal instanceof z.ZodLiteral ? [...literal.values].map(String) : []);
}

function recordReader(schema: z.ZodRecord): Reader {
  const reader = readerOf(schema.valueType);
  return (node, path, report) => {
    if (node.kind !== "map") {
      report.error(
        path,
        `expected a map of names, got ${describeKind(node)}: write each name on a line of its own below`,
      );
      return undefined;
    }
    const values = new Map<string, unknown>();
    for (const entry of distinct(node, path, report)) {
      const name = z.safeParse(schema.keyType, entry.key);
      if (!name.success) report.at(entry.place, path, name.error.issues[0]?.message ?? "not a name");
      // A secret may stand where the name belongs.
      const value =
        name.success || !isSecret(path)
          ? below(entry.key, reader, entry.value, path, report)
          : reader(entry.value, path, report);
      if (name.success && value !== undefined) values.set(entry.key, value);
    }
    return Object.fromEntries(values);
  };
}

function listReader(element: Schema): Reader {
  const reader = readerOf(element);
  return (node, path, report) => {
    if (node.kind === "list") return node.items.map((item, i) => below(i, reader, item, path, report));
    report.error(path, `expected a list, got ${describeKind(node)}: begin each entry with "- " on a line of its own`);
    return undefined;
  };
}

function leafReader(schema: Schema): Reader {
  const good = new Map<unknown, unknown>();
  return (node, path, report) => {
    const input = node.kind === "scalar" ? node.value : node.kind === "list" ? [] : {};
    if (!good.has(input)) {
      const result = z.safeParse(schema, input);
      if (!result.success) {
        const message = result.error.issues[0]?.message ?? `not understood: ${show(input)}`;
        report.error(
          path,
          isNothing(node) ? `${message}: give it a value, or remove the line` : asWritten(message, node),
        );
        return undefined;
      }
      // Thousands of servers have the same port; addresses push each other out.
      if (good.size >= mostRemembered) good.clear();
      good.set(input, result.data);
    }
    if (node.kind === "scalar" && typeof node.value === "number" && !isDecimal(node)) {
      report.error(path, `numbers are written in plain decimal, got ${node.text}: write ${whatYamlReads(node)}`);
      return undefined;
    }
    return good.get(input);
  };
}

/** A long number is not what it was any more once it is read, and digits of text lose their zeros. */
function asWritten(message: string, node: TreeNode): string {
  if (node.kind !== "scalar" || typeof node.value !== "number") return message;
  const text = node.text.length > 60 ? `${node.text.slice(0, 57)}...` : node.text;
  return message.replace(`, got ${node.value}`, `, got ${text}`);
}

/** YAML 1.2 reads 010 as ten, older YAML as eight; 0x33, 0o17, 1e2 and +5 are numbers too. */
function isDecimal(node: ScalarNode): boolean {
  return /^-?(0|[1-9]\d*)(\.\d+)?$/.test(node.text);
}

function whatYamlReads(node: ScalarNode): string {
  const leadingZero = /^[-+]?0\d/.test(node.text)
    ? " (YAML 1.2 reads it so; other readers take a leading zero as octal)"
    : "";
  return `${node.value}${leadingZero}`;
}

/** Entries with every key once; the later ones of a key are reported. */
function distinct(node: MapNode, path: Path, report: Report): Entry[] {
  const first = new Map<string, Entry>();
  for (const entry of node.entries) {
    const earlier = first.get(entry.key);
    if (earlier === undefined) {
      first.set(entry.key, entry);
    } else {
      const { file, line } = earlier.place;
      const where = file === entry.place.file ? `line ${line}` : formatPlace(earlier.place);
      report.at(entry.place, isSecret(path) ? path : [...path, entry.key], `duplicate key, first given at ${where}`);
    }
  }
  return [...first.values()];
}

/** Returns the known key that was meant, or "". */
function reportUnknown(entry: Entry, known: readonly string[], path: Path, report: Report): string {
  const advice = adviceForKey(entry.key, known, path);
  const near = advice === undefined ? nearest(entry.key, known) : undefined;
  const message = advice?.message ?? (near === undefined ? undefined : `unknown key, did you mean ${near}?`);
  // Whoever leaves out the colon makes a key of the password.
  const hidden = message === undefined && (isSecret(path) || /auth/i.test(entry.key));
  report.at(entry.place, hidden ? path : [...path, entry.key], message ?? `unknown key${keyList(known)}`);
  return advice?.meant ?? near ?? "";
}

/** Below these keys stand passwords and secrets, and whatever looks wrong there may be one. */
function isSecret(path: Path): boolean {
  return path.includes("authentication") || path.includes("auth_hmac");
}

function keyList(known: readonly string[]): string {
  return known.length <= 8 ? `; known here: ${known.join(", ")}` : "";
}
