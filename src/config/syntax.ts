/** Text to tree: YAML 1.2, bounded in size and depth. */
import { Composer, type CST, type Document, LineCounter, type ParsedNode, Parser } from "yaml";
import { convertDocument } from "./convert.ts";
import { recogniseForeign } from "./foreign.ts";
import { formatPath, type Path, type Place, type Problem } from "./problem.ts";
import { type Complaint, checkCharacters, decodeText } from "./text.ts";
import type { TreeNode } from "./tree.ts";
import type { Environment } from "./variables.ts";
import { explainYaml } from "./yaml-errors.ts";

const largestDepth = 32;
/** One slip makes the YAML parser stumble over every following line. */
const shownSyntaxErrors = 5;

export interface Parsed {
  /** Undefined when the text is no YAML, or holds nothing. */
  readonly root: TreeNode | undefined;
  readonly problems: readonly Problem[];
  /** Variables that could not be filled in. */
  readonly unfilled: readonly Problem[];
}

export function parseText(file: string, bytes: Uint8Array | string, environment: Environment): Parsed {
  const problems: Problem[] = [];
  const complain = (place: Place, path: Path, message: string) => {
    problems.push({ ...place, path: formatPath(path), severity: "error", message });
  };
  const decoded = decodeText(bytes);
  const broken: Complaint | undefined = "complaint" in decoded ? decoded : checkCharacters(decoded.text);
  if ("complaint" in decoded || broken !== undefined) {
    if (broken !== undefined) complain({ file, line: broken.line, column: broken.column }, [], broken.complaint);
    return { root: undefined, problems, unfilled: [] };
  }
  const { text } = decoded;
  const parsed = parseYaml(file, text, environment);
  const isMap = parsed.root === undefined ? parsed.problems.length === 0 : parsed.root.kind === "map";
  const foreign = isMap ? undefined : recogniseForeign(text);
  if (foreign === undefined) return parsed;
  complain({ file, line: foreign.line, column: foreign.column }, [], foreign.complaint);
  return { root: undefined, problems, unfilled: [] };
}

function parseYaml(file: string, text: string, environment: Environment): Parsed {
  const problems: Problem[] = [];
  const unfilled: Problem[] = [];
  const complainOfVariable = (place: Place, path: Path, message: string) => {
    unfilled.push({ ...place, path: formatPath(path), severity: "error", message });
  };
  const complain = (place: Place, path: Path, message: string) => {
    problems.push({ ...place, path: formatPath(path), severity: "error", message });
  };
  const lines = new LineCounter();
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };

  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  const { depth, unclosed } = survey(tokens);
  // Composing is recursive, and a stack that overflows inside a regular expression ends the process.
  if (depth > largestDepth) {
    complain(placeAt(0), [], `nested more than ${largestDepth} levels deep`);
    return { root: undefined, problems, unfilled };
  }
  // What an unquoted value is, is decided once its variables are filled in. Only a tag asks for more than text before that.
  const schema = text.includes("!") ? "core" : "failsafe";
  const composer = new Composer({ prettyErrors: false, uniqueKeys: false, version: "1.2", schema });
  const documents = [...composer.compose(tokens, true, text.length)];
  const [document, second] = documents;
  if (document === undefined) return { root: undefined, problems, unfilled };

  if (unclosed !== undefined) {
    complain(placeAt(unclosed.offset), [], `${unclosed.what} opened here is not closed`);
    return { root: undefined, problems, unfilled };
  }
  reportSyntax(document, text, (offset, message) => complain(placeAt(offset), [], message));
  if (second !== undefined) {
    const message = `a second YAML document begins here: a file holds one, remove the "---"`;
    complain(placeAt(second.range?.[0] ?? 0), [], message);
  }
  if (problems.length > 0) return { root: undefined, problems, unfilled };
  const root = convertDocument(document as Document<ParsedNode>, {
    placeAt,
    environment,
    complain,
    complainOfVariable,
  });
  // "---" alone is a document too, and says nothing.
  return { root: root?.kind === "scalar" && root.value === null ? undefined : root, problems, unfilled };
}

function reportSyntax(
  document: Pick<Document.Parsed, "errors" | "warnings" | "directives">,
  text: string,
  complain: (offset: number, message: string) => void,
): void {
  const lines = new Set<number>();
  for (const error of [...document.errors, ...document.warnings]) {
    // The first on a line names the cause, the others follow from it.
    const start = text.lastIndexOf("\n", error.pos[0] - 1);
    if (lines.has(start) || lines.size >= shownSyntaxErrors) continue;
    lines.add(start);
    complain(error.pos[0], explainYaml(error, text));
  }
  const { yaml } = document.directives ?? {};
  if (yaml?.explicit && yaml.version !== "1.2") {
    complain(0, `the file is read as YAML 1.2: remove the "%YAML" line`);
  }
}

interface Survey {
  readonly depth: number;
  /** The first quote or bracket that has no end: the parser itself only notices at the end of the file. */
  readonly unclosed: { readonly offset: number; readonly what: string } | undefined;
}

function survey(tokens: readonly CST.Token[]): Survey {
  let deepest = 0;
  let unclosed: Survey["unclosed"];
  const pending: { readonly token: CST.Token; readonly depth: number }[] = tokens.map((token) => ({ token, depth: 0 }));
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { token, depth } = next;
    deepest = Math.max(deepest, depth);
    const what = openedBy(token);
    if (what !== undefined && (unclosed === undefined || token.offset < unclosed.offset)) {
      unclosed = { offset: token.offset, what };
    }
    const inner: (CST.Token | null | undefined)[] = [];
    if ("value" in token) inner.push(token.value);
    if ("items" in token) for (const item of token.items) inner.push(item.key, item.value);
    for (const child of inner) if (child) pending.push({ token: child, depth: depth + 1 });
  }
  return { depth: deepest, unclosed };
}

function openedBy(token: CST.Token): string | undefined {
  if (token.type === "flow-collection") {
    const closed = token.end.some(({ type }) => type === "flow-map-end" || type === "flow-seq-end");
    return closed ? undefined : `a "${token.start.source}"`;
  }
  if (token.type !== "double-quoted-scalar" && token.type !== "single-quoted-scalar") return undefined;
  const quote = token.type === "double-quoted-scalar" ? '"' : "'";
  return token.source.length < 2 || !token.source.endsWith(quote) ? "a quote" : undefined;
}
