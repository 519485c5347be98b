/** Lines of a label and a text. */
import { type Paint, padTo, widthOf } from "./paint.ts";

/** A label is written once for the lines that share it. */
export function aligned(rows: readonly (readonly [string, string])[], paint: Paint): string[] {
  const width = Math.max(...rows.map(([label]) => widthOf(label)));
  return rows.map(([label, text], i) => {
    const shown = rows[i - 1]?.[0] === label ? "" : label;
    return `  ${paint("dim", padTo(shown, width))}  ${text}`;
  });
}
