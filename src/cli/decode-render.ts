/** The answers of `viprd decode` as lines. `at`: when the packet was captured, in nanoseconds since 1970. */
import type { HmacAnswer } from "./decode-hmac.ts";
import type { Answer } from "./decode-packet.ts";
import { formatClock } from "./render-time.ts";

/** The order of the keys is part of the format. */
export function jsonLine(n: number, answer: Answer): string {
  return JSON.stringify({ n, ...answer });
}

/** With the time of capture; null where the input does not say. */
export function timedJsonLine(n: number, answer: Answer, at: bigint | undefined): string {
  const date = at === undefined ? undefined : dateOf(at);
  const time = at === undefined || date === undefined ? null : `${date.toISOString().slice(0, -5)}.${fraction(at, 9)}Z`;
  return JSON.stringify({ n, ...answer, time });
}

export function textLine(n: number, answer: Answer, at: bigint | undefined): string {
  const date = at === undefined ? undefined : dateOf(at);
  const clock = at === undefined || date === undefined ? [] : [`${formatClock(date).slice(0, -4)}.${fraction(at, 6)}`];
  return [String(n).padStart(4), ...clock, ...words(answer)].join("  ");
}

/** Undefined for what no calendar has, as damaged files claim. */
function dateOf(at: bigint): Date | undefined {
  const date = new Date(Number(at / 1_000_000n));
  return at < 0n || Number.isNaN(date.getTime()) ? undefined : date;
}

/** The first `digits` of nine behind the point of its seconds. */
function fraction(at: bigint, digits: number): string {
  return String(at % 1_000_000_000n)
    .padStart(9, "0")
    .slice(0, digits);
}

function words(answer: Answer): string[] {
  const route = `${answer.source ?? "?"} → ${answer.destination ?? "?"}`;
  const ttl = `ttl ${answer.ttl ?? "?"}`;
  if (!answer.valid) {
    const version = answer.version === undefined ? [] : [`v${answer.version}`];
    const vrid = answer.vrid === undefined ? [] : [`vrid ${answer.vrid}`];
    const from = answer.source === null ? [] : [`from ${route}`, ttl];
    return [`rejected: ${answer.error}`, ...from, ...version, ...vrid, ...signature(answer.hmac)];
  }
  return [
    `v${answer.version} ipv${answer.family}`,
    `vrid ${String(answer.vrid).padEnd(3)}`,
    `prio ${String(answer.priority).padEnd(3)}`,
    `${answer.interval_cs / 100}s`.padEnd(5),
    route,
    ttl,
    answer.addresses.join(", "),
    `(checksum ${answer.checksum})`,
    ...signature(answer.hmac),
  ];
}

/** "(hmac key 1, 2026-07-07T08:09:10.123Z, verified)" */
function signature(hmac: HmacAnswer | undefined): string[] {
  if (hmac === undefined) return [];
  const { key_id, stamped, counter, verified } = hmac;
  const word = verified === null ? "unverified: no --hmac-key for it" : verified ? "verified" : "WRONG";
  return [`(hmac key ${key_id}, ${stamped}${counter === 0 ? "" : ` + ${counter}`}, ${word})`];
}
