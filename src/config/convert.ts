/** A parsed YAML document as a tree of ours: places, paths and variables filled in; aliases followed, within a bound. */
import { type Document, isAlias, isMap, isScalar, isSeq, type ParsedNode, type Scalar } from "yaml";
import type { Path, Place } from "./problem.ts";
import type { Entry, ScalarNode, TreeNode } from "./tree.ts";
import { type Environment, fillVariables, resolvePlain } from "./variables.ts";

/** Values after aliases are followed: a few nested aliases can stand for billions. */
const largestTree = 500_000;

export interface ConvertContext {
  readonly placeAt: (offset: number) => Place;
  readonly environment: Environment;
  readonly complain: (place: Place, path: Path, message: string) => void;
  /** A variable that cannot be filled in: the value stands as written, and the rest of the file can be judged. */
  readonly complainOfVariable: (place: Place, path: Path, message: string) => void;
}

/** Undefined for a document that says nothing. */
export function convertDocument(document: Document<ParsedNode>, context: ConvertContext): TreeNode | undefined {
  const { contents } = document;
  return contents === null ? undefined : new Converter(context).visit(contents, context.placeAt(0));
}

class Converter {
  readonly #context: ConvertContext;
  readonly #anchors = new Map<string, { readonly node: TreeNode; readonly size: number }>();
  /** Of the value that is being visited. */
  readonly #path: (string | number)[] = [];
  #size = 0;
  #overflow = false;

  constructor(context: ConvertContext) {
    this.#context = context;
  }

  /** `near` is the place of a value that is not there. */
  visit(node: unknown, near: Place): TreeNode {
    if (isAlias(node)) return this.#follow(node.source, this.#placeOf(node, near));
    const before = this.#size++;
    const result = this.#build(node, near);
    const anchor = isScalar(node) || isMap(node) || isSeq(node) ? node.anchor : undefined;
    if (anchor !== undefined) this.#anchors.set(anchor, { node: result, size: this.#size - before });
    return result;
  }

  #below(part: string | number, node: unknown, near: Place): TreeNode {
    this.#path.push(part);
    const result = this.visit(node, near);
    this.#path.pop();
    return result;
  }

  #build(node: unknown, near: Place): TreeNode {
    if (isScalar(node)) return this.#scalar(node, this.#placeOf(node, near));
    if (isSeq(node)) {
      const place = this.#placeOf(node, near);
      return { kind: "list", place, items: node.items.map((item, i) => this.#below(i, item, place)) };
    }
    if (!isMap(node)) return nothing(near);
    const place = this.#placeOf(node, near);
    const entries: Entry[] = [];
    for (const pair of node.items) {
      const key = this.visit(pair.key, place);
      if (key.kind === "scalar") {
        const value = this.#below(key.text, pair.value, key.place);
        entries.push({ key: key.text, place: key.place, value });
      } else {
        this.#context.complain(key.place, [...this.#path], "a key is one word, not a list or a map");
      }
    }
    return { kind: "map", place, entries };
  }

  #follow(name: string, place: Place): TreeNode {
    const target = this.#anchors.get(name);
    if (target === undefined) {
      // The name is not repeated: an unquoted password may begin with "*".
      const message = `"*" begins the name of an anchor, and there is none above: put the value in quotes`;
      this.#context.complain(place, [...this.#path], message);
      return nothing(place);
    }
    this.#size += target.size;
    if (this.#size > largestTree && !this.#overflow) {
      this.#overflow = true;
      this.#context.complain(place, [...this.#path], `aliases stand for more than ${largestTree} values here`);
    }
    return this.#overflow ? nothing(place) : target.node;
  }

  #scalar(node: Scalar, place: Place): ScalarNode {
    const plain = node.type === "PLAIN" && node.tag === undefined;
    const written = plain ? (node.source ?? "") : String(node.value ?? "");
    const { text, complaints } = fillVariables(written, this.#context.environment);
    for (const complaint of complaints) this.#context.complainOfVariable(place, [...this.#path], complaint);
    return { kind: "scalar", place, value: plain ? resolvePlain(text) : text, text, plain };
  }

  #placeOf(node: { readonly range?: readonly [number, number, number] | null | undefined }, near: Place): Place {
    return node.range ? this.#context.placeAt(node.range[0]) : near;
  }
}

function nothing(place: Place): ScalarNode {
  return { kind: "scalar", place, value: null, text: "", plain: true };
}
