/** What the other side said, fit for a reason: on one line, printable, not too long, in quotes. */
const longest = 80;

export function quote(said: string | Uint8Array): string {
  const text = (typeof said === "string" ? said : Buffer.from(said.subarray(0, 4 * longest)).toString("utf8"))
    .slice(0, 4 * longest)
    // Control characters would command a terminal, and others turn the rest of its line round.
    .replace(/[\p{C}\p{Z}\ufffd]+/gu, (found) => (/^[\s\0]+$/.test(found) ? " " : "·"))
    .trim();
  return JSON.stringify(text.length > longest ? `${text.slice(0, longest)}…` : text);
}
