/** Files that were written for other programs, or came out of a word processor: asked only about what is no map of YAML. */
import type { Complaint } from "./text.ts";

const signs: readonly { readonly sign: RegExp; readonly complaint: string }[] = [
  {
    // A block with its name and an opening brace, and no colon in between.
    sign: /^[ \t]*(?:global_defs|vrrp_\w+|virtual_server(?:_group)?|static_\w+)(?:[ \t]+[^\s{}]*[^\s{}:])*[ \t]*\{/m,
    complaint:
      "this looks like keepalived.conf: the file is YAML, with a colon after each key and indentation instead of braces",
  },
  {
    sign: /^(?:virtual|checktimeout|checkinterval|checkcount|negotiatetimeout|autoreload|quiescent|fallback|logfile)[ \t]*=/m,
    complaint:
      'this looks like ldirectord.cf: the file is YAML, with ": " after each key instead of "=", and other keys',
  },
  {
    // Web pages have them.
    sign: /^[ \t]*[\u00a0\u2000-\u200b\u202f\u3000]/m,
    complaint: "a space that is none for YAML (U+00A0 or its like): lines are indented with plain spaces only",
  },
];

export function recogniseForeign(text: string): Complaint | undefined {
  for (const { sign, complaint } of signs) {
    const found = sign.exec(text);
    if (found !== null) return { complaint, line: text.slice(0, found.index).split("\n").length, column: 1 };
  }
  return undefined;
}
