/**
 * Whether a text matches a regular expression, and not for ever: some expressions take longer than anybody can wait, on
 * texts that the checked server chooses, and all other checks would stand still meanwhile.
 */
import { createContext, Script } from "node:vm";
import type { Milliseconds } from "./parameters.ts";

const longest: Milliseconds = 100;
const match = new Script("new RegExp(pattern, flags).test(text)");
let context: { pattern: string; flags: string; text: string } | undefined;

/** Throws when it takes too long. */
export function matches(pattern: string, flags: string, text: string): boolean {
  context ??= createContext({ pattern, flags, text }) as { pattern: string; flags: string; text: string };
  Object.assign(context, { pattern, flags, text });
  try {
    return match.runInContext(context, { timeout: longest }) === true;
  } catch (error) {
    // An Error of that context is none of this one.
    if ((error as NodeJS.ErrnoException).code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw new Error(String(error));
    throw new Error(`matching ${pattern} takes longer than ${longest} ms: simplify it`);
  } finally {
    context.text = "";
  }
}
