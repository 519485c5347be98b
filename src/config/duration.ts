/** Durations as an operator writes them: a number with a unit. Milliseconds inside. */
import type { Milliseconds } from "../vrrp/parameters.ts";

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
type Unit = keyof typeof units;

export const durationPattern = "^[0-9]+(\\.[0-9]+)?(ms|s|m|h)$";

/** `1s`, `250ms`, `1.5s`, `1m`, `1h`; undefined for anything else. Kept to whole microseconds. */
export function parseDuration(text: string): Milliseconds | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  if (match === null) return undefined;
  const value = Number(match[1]) * units[match[2] as Unit];
  return Number.isFinite(value) ? Math.round(value * 1000) / 1000 : undefined;
}

/** The shortest form that `parseDuration` reads back. */
export function formatDuration(value: Milliseconds): string {
  if (value === 0) return "0s";
  if (value < 1000) return `${value}ms`;
  if (value % units.h === 0) return `${value / units.h}h`;
  return `${Math.round(value * 1000) / 1_000_000}s`;
}

/** What was probably meant by something that is no duration; undefined when there is no telling. */
export function guessDuration(input: unknown): string | undefined {
  if (typeof input === "number") return fromSeconds(input);
  if (typeof input !== "string") return undefined;
  const plain = input
    .trim()
    .toLowerCase()
    .replace(/^(\d+),(\d+)/, "$1.$2");
  const minutes = /^(\d+)m(?:in)?\s*(\d+)s?$/.exec(plain);
  if (minutes !== null) return `${Number(minutes[1]) * 60 + Number(minutes[2])}s`;
  const match = /^(\d+(?:\.\d+)?|\.\d+)\s*([a-z]*)$/.exec(plain);
  if (match === null) return undefined;
  const number = Number(match[1]);
  const word = match[2] ?? "";
  if (word === "") return fromSeconds(number);
  if (/^(ms|msecs?|millis|milliseconds?)$/.test(word)) return `${number}ms`;
  if (/^(s|secs?|seconds?)$/.test(word)) return `${number}s`;
  if (/^(m|mins?|minutes?)$/.test(word)) return `${number}m`;
  if (/^(h|hours?)$/.test(word)) return `${number}h`;
  if (/^(d|days?)$/.test(word)) return `${number * 24}h`;
  if (/^(us|usecs?|microseconds?)$/.test(word)) return `${number / 1000}ms`;
  if (/^(cs|csecs?|centiseconds?)$/.test(word)) return `${number * 10}ms`;
  return undefined;
}

/** keepalived counts in seconds, with decimals. */
function fromSeconds(value: number): string | undefined {
  if (!Number.isFinite(value) || value < 0) return undefined;
  return value > 0 && value < 1 ? `${Math.round(value * 1_000_000) / 1000}ms` : `${value}s`;
}
