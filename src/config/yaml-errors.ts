/**
 * YAML syntax errors in our words: what is wrong on that line and what to write.
 * The parser's own texts are not passed on, they repeat pieces of the file and a piece may be a password.
 */
import type { YAMLError } from "yaml";

export function explainYaml(error: YAMLError, text: string): string {
  const [start, end] = error.pos;
  switch (error.code) {
    case "TAB_AS_INDENT":
      return "a tab: YAML lines are indented with spaces only";
    case "BLOCK_AS_IMPLICIT_KEY":
      if (/^[^\n]*[^\n:]\n\s+\S/.test(text.slice(start, text.indexOf(":", start)))) {
        return "the next line is indented as if it belonged to this value: align it with the key";
      }
      return `a second ": " on one line: begin a new line for a map, or put the value in quotes`;
    case "MULTILINE_IMPLICIT_KEY":
    case "KEY_OVER_1024_CHARS":
      return missingColon(text.slice(start, end));
    case "MISSING_CHAR":
      return missingCharacter(error.message);
    case "BAD_INDENT":
      return /must be sufficiently indented/.test(error.message)
        ? `the lines inside "[ ]" and "{ }" must be indented deeper than the key`
        : "this line is indented differently from the lines it belongs to: align it with them";
    case "BAD_SCALAR_START":
      return `a value cannot begin with ${/[@%`]/.exec(text[start] ?? "") ? `"${text[start]}"` : "this character"} unless it is in quotes`;
    case "BAD_DQ_ESCAPE":
      return `"\\" begins an escape inside double quotes: write "\\\\", or use single quotes`;
    case "BAD_ALIAS":
      return `"*" begins the name of an anchor: put the value in quotes`;
    case "MULTIPLE_ANCHORS":
    case "ALIAS_PROPS":
    case "BAD_PROP_ORDER":
    case "MULTIPLE_TAGS":
      return `"&" and "!" begin an anchor and a tag: put the value in quotes`;
    case "TAG_RESOLVE_FAILED":
      return `"!" begins a YAML tag, and none is known here: put the value in quotes`;
    case "BAD_DIRECTIVE":
      return `a line that begins with "%" is a YAML directive: remove it`;
    case "BLOCK_IN_FLOW":
      return `indented lines cannot stand inside "[ ]" or "{ }"`;
    case "DUPLICATE_KEY":
      return "this key stands twice";
    case "MULTIPLE_DOCS":
      return `a second YAML document: a file holds one, remove the "---"`;
    default:
      return unexpected(text, start);
  }
}

function missingColon(line: string): string {
  const word = /^[A-Za-z_]+(?=[:\s])/.exec(line)?.[0];
  if (word === undefined) return `a key needs ": " (a colon and a space) after it`;
  return `a key needs a colon and a space after it: write "${word}: "`;
}

function missingCharacter(message: string): string {
  const character = /[[\]{},:]/.exec(message)?.[0];
  return character === undefined ? "something is missing here" : `a "${character}" is missing here`;
}

function unexpected(text: string, offset: number): string {
  const before = text.slice(text.lastIndexOf("\n", offset - 1) + 1, offset);
  if (/\t/.test(before)) return "a tab: YAML lines are indented with spaces only";
  if (/\$$/.test(before) && text[offset] === "{") {
    return `inside "{ }" and "[ ]" a value with \${NAME} must be in quotes`;
  }
  if (/["']\s*$/.test(before)) return "text after the closing quote: put the whole value in quotes";
  return "this does not fit here: check the indentation of this line and the one above";
}
