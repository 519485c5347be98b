/** What a file says against what it should say. Pure. */
import type { Outcome } from "./check-type.ts";

/** Numbers are compared as numbers: 1, 1.0 and " 1 " are equal. */
export type ValueRule =
  | { readonly equals: string }
  /** A number within both, where given. */
  | { readonly atLeast?: number; readonly atMost?: number }
  | { readonly nonzero: true };

/** Beyond it no weight makes sense: the kernel's are 31 bits, and much smaller in use. */
const mostWeight = 65_535;

/** `weight`: what it says, times this, is added to the weight of what is checked. */
export function judgeContent(path: string, content: string, rule: ValueRule | undefined, weight?: number): Outcome {
  const text = (content.split("\n")[0] ?? "").trim();
  const number = numberOf(text);
  const says = `${path} says ${show(text)}`;
  if (weight === undefined) return judgeValue(says, text, number, rule);
  if (number === undefined) return { ok: false, reason: `${says}, expected a number` };
  const weightOffset = Math.max(-mostWeight, Math.min(mostWeight, Math.round(number * weight)));
  return { ...judgeValue(says, text, number, rule), advice: { weightOffset } };
}

function judgeValue(says: string, text: string, number: number | undefined, rule: ValueRule | undefined): Outcome {
  if (rule === undefined) return { ok: true, reason: says };
  if ("equals" in rule) {
    const wanted = numberOf(rule.equals);
    const ok = text === rule.equals || (wanted !== undefined && number === wanted);
    return { ok, reason: ok ? says : `${says}, expected ${show(rule.equals)}` };
  }
  if (number === undefined) return { ok: false, reason: `${says}, expected a number` };
  if ("nonzero" in rule) return { ok: number !== 0, reason: number === 0 ? `${says}, expected another number` : says };
  const { atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY } = rule;
  if (number < atLeast) return { ok: false, reason: `${says}, expected at least ${atLeast}` };
  if (number > atMost) return { ok: false, reason: `${says}, expected at most ${atMost}` };
  return { ok: true, reason: says };
}

function numberOf(text: string): number | undefined {
  return /^[-+]?\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;
}

function show(text: string): string {
  if (text === "") return "nothing";
  if (numberOf(text) !== undefined) return text;
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
}
