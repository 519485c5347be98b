/** The answers of `viprd decode` as lines. */
import type { Answer } from "./decode-packet.ts";

/** The order of the keys is part of the format. */
export function jsonLine(n: number, answer: Answer): string {
  return JSON.stringify({ n, ...answer });
}

export function textLine(n: number, answer: Answer): string {
  const number = String(n).padStart(4);
  const route = `${answer.source ?? "?"} → ${answer.destination ?? "?"}`;
  const ttl = `ttl ${answer.ttl ?? "?"}`;
  if (!answer.valid) {
    const version = answer.version === undefined ? [] : [`v${answer.version}`];
    const vrid = answer.vrid === undefined ? [] : [`vrid ${answer.vrid}`];
    const from = answer.source === null ? [] : [`from ${route}`, ttl];
    return [number, `rejected: ${answer.error}`, ...from, ...version, ...vrid].join("  ");
  }
  return [
    number,
    `v${answer.version} ipv${answer.family}`,
    `vrid ${String(answer.vrid).padEnd(3)}`,
    `prio ${String(answer.priority).padEnd(3)}`,
    `${answer.interval_cs / 100}s`.padEnd(5),
    route,
    ttl,
    answer.addresses.join(", "),
    `(checksum ${answer.checksum})`,
  ].join("  ");
}
