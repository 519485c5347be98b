/** Text to tree: YAML 1.2 with places, variables filled in, bounded in size and depth. */
import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type ParsedNode,
  Parser,
} from "yaml";
import type { Place, Problem } from "./problem.ts";
import { checkCharacters, decodeText } from "./text.ts";
import type { Entry, ScalarNode, TreeNode } from "./tree.ts";
import { type Environment, fillVariables, resolvePlain } from "./variables.ts";
import { explainYaml } from "./yaml-errors.ts";

const largestDepth = 32;
/** Values after aliases are followed: a few nested aliases can stand for billions. */
const largestTree = 500_000;
/** One slip makes the YAML parser stumble over every following line. */
const shownSyntaxErrors = 5;

export interface Parsed {
  /** Undefined when the text is no YAML, or holds nothing. */
  readonly root: TreeNode | undefined;
  readonly problems: readonly Problem[];
}

export function parseText(file: string, bytes: Uint8Array | string, environment: Environment): Parsed {
  const lines = new LineCounter();
  const problems: Problem[] = [];
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const complain = (place: Place, message: string) => {
    problems.push({ ...place, path: "", severity: "error", message });
  };

  const decoded = decodeText(bytes);
  if ("complaint" in decoded) {
    complain({ file, line: decoded.line, column: decoded.column }, decoded.complaint);
    return { root: undefined, problems };
  }
  const text = decoded.text;
  const strange = checkCharacters(text);
  if (strange !== undefined) {
    complain({ file, line: strange.line, column: strange.column }, strange.complaint);
    return { root: undefined, problems };
  }

  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  // Composing is recursive: measured here first, because the parser underneath dies of deep nesting.
  if (depthOf(tokens) > largestDepth) {
    complain(placeAt(0), `nested more than ${largestDepth} levels deep`);
    return { root: undefined, problems };
  }
  const composer = new Composer({ prettyErrors: false, uniqueKeys: false, version: "1.2", schema: "core" });
  const documents = [...composer.compose(tokens, true, text.length)];
  const [document, second] = documents;
  if (document === undefined) return { root: undefined, problems };

  for (const error of [...document.errors, ...document.warnings].slice(0, shownSyntaxErrors)) {
    complain(placeAt(error.pos[0]), explainYaml(error, text));
  }
  if (document.directives?.yaml.explicit && document.directives.yaml.version !== "1.2") {
    complain(placeAt(0), `the file is read as YAML 1.2: remove the "%YAML" line`);
  }
  if (second !== undefined) {
    complain(placeAt(second.range?.[0] ?? 0), `a second YAML document begins here: a file holds one, remove the "---"`);
  }
  if (problems.length > 0) return { root: undefined, problems };
  return { root: convert(document, placeAt, environment, complain), problems };
}

function depthOf(tokens: readonly CST.Token[]): number {
  let deepest = 0;
  const pending: { readonly token: CST.Token; readonly depth: number }[] = tokens.map((token) => ({ token, depth: 0 }));
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { token, depth } = next;
    deepest = Math.max(deepest, depth);
    const inner: (CST.Token | null | undefined)[] = [];
    if ("value" in token) inner.push(token.value);
    if ("items" in token) for (const item of token.items) inner.push(item.key, item.value);
    for (const child of inner) if (child) pending.push({ token: child, depth: depth + 1 });
  }
  return deepest;
}

function convert(
  document: Document.Parsed | Document<ParsedNode>,
  placeAt: (offset: number) => Place,
  environment: Environment,
  complain: (place: Place, message: string) => void,
): TreeNode | undefined {
  const anchors = new Map<string, { readonly node: TreeNode; readonly size: number }>();
  let size = 0;
  let overflow = false;

  function visit(node: ParsedNode | null | undefined, near: Place): TreeNode {
    const place = node?.range ? placeAt(node.range[0]) : near;
    if (node === null || node === undefined) return nothing(place);
    if (isAlias(node)) return follow(node.source, place);
    const before = size;
    size++;
    const result = build(node, place);
    if (node.anchor !== undefined) anchors.set(node.anchor, { node: result, size: size - before });
    return result;
  }

  function follow(name: string, place: Place): TreeNode {
    const target = anchors.get(name);
    if (target === undefined) {
      // The name is not repeated: an unquoted password may begin with "*".
      complain(place, `"*" begins the name of an anchor, and there is none above: put the value in quotes`);
      return nothing(place);
    }
    size += target.size;
    if (size > largestTree && !overflow) {
      overflow = true;
      complain(place, `aliases stand for more than ${largestTree} values here`);
    }
    return overflow ? nothing(place) : target.node;
  }

  function build(node: ParsedNode, place: Place): TreeNode {
    if (isSeq(node)) {
      return { kind: "list", place, items: node.items.map((item) => visit(item as ParsedNode, place)) };
    }
    if (isMap(node)) {
      const entries: Entry[] = [];
      for (const pair of node.items) {
        const key = visit(pair.key as ParsedNode, place);
        if (key.kind !== "scalar") {
          complain(key.place, "a key is one word, not a list or a map");
          continue;
        }
        entries.push({ key: key.text, place: key.place, value: visit(pair.value as ParsedNode | null, key.place) });
      }
      return { kind: "map", place, entries };
    }
    return isScalar(node) ? scalar(node, place) : nothing(place);
  }

  function scalar(node: ParsedNode & { value: unknown; source?: string; type?: string }, place: Place): ScalarNode {
    const plain = node.type === "PLAIN" && node.tag === undefined;
    const written = plain ? (node.source ?? "") : String(node.value ?? "");
    const { text, complaints } = fillVariables(written, environment);
    for (const complaint of complaints) complain(place, complaint);
    return { kind: "scalar", place, value: plain ? resolvePlain(text) : text, text, plain };
  }

  return document.contents === null ? undefined : visit(document.contents as ParsedNode, placeAt(0));
}

function nothing(place: Place): ScalarNode {
  return { kind: "scalar", place, value: null, text: "", plain: true };
}
