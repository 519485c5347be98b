/**
 * Looks up names, each at most once at a time. While no name server answers a look-up takes up to half a minute and
 * cannot be called off: one for every run would queue up, and those of other names would wait behind them.
 */
import { lookup as ask } from "node:dns";
import type { LookupFunction } from "node:net";

type Answered = Parameters<LookupFunction>[2];

export function sharedLookup(ask: LookupFunction): LookupFunction {
  const waiting = new Map<string, Answered[]>();
  return (name, options, answered) => {
    const question = JSON.stringify([name, options]);
    const others = waiting.get(question);
    if (others !== undefined) {
      others.push(answered);
      return;
    }
    const all = [answered];
    waiting.set(question, all);
    ask(name, options, (...answer) => {
      waiting.delete(question);
      for (const each of all) each(...answer);
    });
  };
}

export const lookup = sharedLookup(ask);
