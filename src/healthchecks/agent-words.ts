/** The words of HAProxy's agent protocol: one line of them, separated by white space or commas. Pure. */
import type { Advice } from "./advice.ts";

export interface AgentReply {
  /** Undefined: nothing was said of it, and it stays as it is. */
  readonly up?: boolean;
  readonly advice: Advice;
  /** Behind a #: why it is down. */
  readonly why: string;
  /** Words that mean nothing here. */
  readonly unknown: readonly string[];
}

const mostPercent = 1000;
const mostWeight = 65_535;

export function readAgentReply(line: string): AgentReply {
  const [, words = "", why = ""] = /^([^#]*)#?(.*)$/s.exec(line) ?? [];
  let up: boolean | undefined;
  let advice: Advice = {};
  const unknown: string[] = [];
  for (const word of words.split(/[\s,]+/).filter((each) => each !== "")) {
    const lower = word.toLowerCase();
    const said = readWeight(lower) ?? readConnections(lower) ?? modes[lower];
    if (said !== undefined) advice = { ...advice, ...said };
    else if (lower === "up") up = true;
    else if (lower === "down" || lower === "fail" || lower === "stopped") up = false;
    else unknown.push(word);
  }
  return { ...(up === undefined ? {} : { up }), advice, why: why.trim(), unknown };
}

const modes: Readonly<Record<string, Advice>> = {
  ready: { mode: "ready" },
  drain: { mode: "drain" },
  maint: { mode: "maint" },
};

/** "75%", "weight:75%", "weight:30" */
function readWeight(word: string): Advice | undefined {
  const [, prefix, digits = "", percent] = /^(weight:)?(\d{1,6})(%)?$/.exec(word) ?? [];
  if (digits === "" || (prefix === undefined && percent === undefined)) return undefined;
  const value = Number(digits);
  if (percent !== undefined) return value <= mostPercent ? { weightPercent: value } : undefined;
  return value <= mostWeight ? { weight: value } : undefined;
}

function readConnections(word: string): Advice | undefined {
  const digits = /^maxconn:(\d{1,9})$/.exec(word)?.[1];
  return digits === undefined ? undefined : { maxConnections: Number(digits) };
}
