/**
 * Whether a text matches a regular expression, and not for ever: some expressions take longer than anybody can wait, on
 * texts that the checked server chooses, and all other checks would stand still meanwhile.
 */
import { createContext, Script } from "node:vm";
import { threadTime } from "../socket/clock.ts";
import type { Milliseconds } from "./parameters.ts";
import { OwnFault } from "./system-failure.ts";

/** Of the processor's time. */
const longest: Milliseconds = 100;
/** What passes on the clock meanwhile: on a busy host more than the time that the processor has for it. Together a second and a half. */
const limits: readonly Milliseconds[] = [longest, 3 * longest, 10 * longest];
/** The clocks do not agree to the last millisecond. */
const nearly = 0.8 * longest;
/** After so many in a row that were cut off, it is not tried again for a while. */
const mostCuts = 3;
const penalty: Milliseconds = 30_000;

const match = new Script("new RegExp(pattern, flags).test(text)");
let context: { pattern: string; flags: string; text: string } | undefined;

/** This host had no time for it: that says nothing about what is checked. */
export class NoTime extends OwnFault {}

interface Cuts {
  count: number;
  at: number;
}

/** Of expressions and servers together: the same expression may do well with what others answer. */
const cutOff = new Map<string, Cuts>();

/** `who` chose the text. Throws when it takes too long, or did so before; NoTime when this host is too busy. */
export function matches(pattern: string, flags: string, text: string, who: string, now = performance.now()): boolean {
  const key = `${pattern}\n${who}`;
  const cuts = cutOff.get(key);
  if (cuts !== undefined && cuts.count >= mostCuts && now - cuts.at < penalty) {
    throw new Error(`matching ${pattern} took longer than ${longest} ms ${cuts.count} times: simplify it`);
  }
  context ??= createContext({ pattern, flags, text }) as { pattern: string; flags: string; text: string };
  Object.assign(context, { pattern, flags, text });
  const inside = context;
  try {
    const found = inTime((limit) => run(inside, limit), threadTime);
    if (found === "no time") throw new NoTime(`this host is too busy to match ${pattern}`);
    if (found === "too long") {
      remember(key, { count: (cuts?.count ?? 0) + 1, at: now });
      throw new Error(`matching ${pattern} takes longer than ${longest} ms: simplify it`);
    }
    if (cuts !== undefined) cutOff.delete(key);
    return found;
  } finally {
    inside.text = "";
  }
}

/**
 * What `attempt` finds; it gives up, with undefined, when `limit` has passed on the clock. That is told from a host that
 * has no processor to spare by the time that this thread got of one: `used`.
 */
export function inTime(
  attempt: (limit: Milliseconds) => boolean | undefined,
  used: () => Milliseconds,
): boolean | "too long" | "no time" {
  for (const limit of limits) {
    const before = used();
    const found = attempt(limit);
    if (found !== undefined) return found;
    if (used() - before >= nearly) return "too long";
  }
  return "no time";
}

function run(inside: object, limit: Milliseconds): boolean | undefined {
  try {
    return match.runInContext(inside, { timeout: limit }) === true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_SCRIPT_EXECUTION_TIMEOUT") return undefined;
    // An Error of that context is none of this one.
    throw new Error(String(error));
  }
}

function remember(key: string, cuts: Cuts): void {
  cutOff.set(key, cuts);
  // Checks that are gone are not in the way for ever.
  for (const [other, { at }] of cutOff) if (cuts.at - at > 2 * penalty) cutOff.delete(other);
}
