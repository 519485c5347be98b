/**
 * Whether a text matches a regular expression, and not for ever: some expressions take longer than anybody can wait, on
 * texts that the checked server chooses, and all other checks would stand still meanwhile.
 */
import { createContext, Script } from "node:vm";
import type { Milliseconds } from "./parameters.ts";

const longest: Milliseconds = 100;
/** After so many in a row that were cut off, it is not tried again for a while. */
const mostCuts = 3;
const penalty: Milliseconds = 30_000;

const match = new Script("new RegExp(pattern, flags).test(text)");
let context: { pattern: string; flags: string; text: string } | undefined;

interface Cuts {
  count: number;
  at: number;
}

/** Of expressions and servers together: the same expression may do well with what others answer. */
const cutOff = new Map<string, Cuts>();

/** `who` chose the text. Throws when it takes too long, or did so before. */
export function matches(pattern: string, flags: string, text: string, who: string, now = performance.now()): boolean {
  const key = `${pattern}\n${who}`;
  const cuts = cutOff.get(key);
  if (cuts !== undefined && cuts.count >= mostCuts && now - cuts.at < penalty) {
    throw new Error(`matching ${pattern} took longer than ${longest} ms ${cuts.count} times: simplify it`);
  }
  context ??= createContext({ pattern, flags, text }) as { pattern: string; flags: string; text: string };
  Object.assign(context, { pattern, flags, text });
  try {
    const found = match.runInContext(context, { timeout: longest }) === true;
    if (cuts !== undefined) cutOff.delete(key);
    return found;
  } catch (error) {
    // An Error of that context is none of this one.
    if ((error as NodeJS.ErrnoException).code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw new Error(String(error));
    remember(key, { count: (cuts?.count ?? 0) + 1, at: now });
    throw new Error(`matching ${pattern} takes longer than ${longest} ms: simplify it`);
  } finally {
    context.text = "";
  }
}

function remember(key: string, cuts: Cuts): void {
  cutOff.set(key, cuts);
  // Checks that are gone are not in the way for ever.
  for (const [other, { at }] of cutOff) if (cuts.at - at > 2 * penalty) cutOff.delete(other);
}
