/**
 * A command as one piece of text into the program and its arguments, by the quoting rules of a POSIX shell
 * (section 2.2 of the Shell Command Language), but without a shell: nothing is expanded, piped or redirected. Pure.
 */

/** The program first. */
export type Argv = readonly [string, ...string[]];

/** Unquoted, a shell would act on them; here they would silently be ordinary text. */
const shellOnly = "|&;<>()$`";

/** The words of `text`, or what is wrong with it: reads after "the command ". */
export function splitCommand(text: string): Argv | string {
  const words: string[] = [];
  let word: string | undefined;
  for (let i = 0; i < text.length; i++) {
    const character = text.charAt(i);
    if (character === "'") {
      const end = text.indexOf("'", i + 1);
      if (end < 0) return "has an open ' quote";
      word = (word ?? "") + text.slice(i + 1, end);
      i = end;
    } else if (character === '"') {
      const quoted = readDoubleQuoted(text, i + 1);
      if (quoted === undefined) return 'has an open " quote';
      word = (word ?? "") + quoted.value;
      i = quoted.end;
    } else if (character === "\\") {
      if (i + 1 === text.length) return "ends with a backslash";
      word = (word ?? "") + text.charAt(++i);
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (shellOnly.includes(character)) {
      return `has an unquoted ${character}, and no shell runs that would understand it: quote it, or run a shell, as in ["/bin/sh", "-c", "…"]`;
    } else {
      word = (word ?? "") + character;
    }
  }
  if (word !== undefined) words.push(word);
  return checkArgv(words);
}

/** A command given as a list of words. */
export function checkArgv(words: readonly string[]): Argv | string {
  const [program, ...rest] = words;
  if (program === undefined || program === "") return "names no program";
  if (words.some((word) => word.includes("\0"))) return "has a NUL character";
  if (program.includes("/") && !program.startsWith("/")) {
    return `begins with ${program}: write the program's path from / on, or its name alone`;
  }
  return [program, ...rest];
}

/** Between double quotes a backslash is special only before these. */
function readDoubleQuoted(text: string, start: number): { readonly value: string; readonly end: number } | undefined {
  let value = "";
  for (let i = start; i < text.length; i++) {
    const character = text.charAt(i);
    if (character === '"') return { value, end: i };
    if (character === "\\" && i + 1 < text.length && '"\\$`'.includes(text.charAt(i + 1))) value += text.charAt(++i);
    else value += character;
  }
  return undefined;
}

/** One line that a person can read, and paste into a shell. */
export function formatCommand(argv: readonly string[]): string {
  return argv.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(" ");
}
